"""Journal lines: what was written is read, what is torn ends the log, what was shipped twice counts once."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from signaling.messages import Op
from signaling.ops import Entry, decode, encode, last_spec, read_log, room_body
from tests.support.signaling import make_spec


def entry(seq: int, kind: str = "x", epoch: int = 1, intent: str | None = None, **body: Any) -> Entry:
    return Entry(Op(seq=seq, epoch=epoch, t=seq, kind=kind, by="node", body=body), intent)


def test_round_trip() -> None:
    for one in (entry(1, text="字\n"), entry(2, intent="t-1 w1")):
        line = encode(one)
        assert b"\n" not in line and decode(line) == one


def test_overlapping_chunks_and_gaps() -> None:
    lines = [encode(entry(seq)) for seq in (1, 2, 2, 3, 1, 5)]
    assert [one.op.seq for one in read_log(lines)] == [1, 2, 3]
    assert read_log([b"", b"{", b"[]", b'{"seq":1}', *lines])[0].op.seq == 1


@given(st.binary(max_size=80))
def test_noise_is_no_op(line: bytes) -> None:
    assert decode(line) is None


def test_the_newest_spec_with_the_first_zero_and_the_newest_epoch() -> None:
    spec = make_spec()
    log = [
        entry(1, "room", **room_body(spec, 111)),
        entry(2, "y", 2),
        entry(3, "room", 2, **room_body(spec.model_copy(update={"title": "二"}), 222)),
    ]
    found = last_spec(log)
    assert found is not None
    assert (found[0].title, found[0].epoch, found[1]) == ("二", 2, 111)
    assert last_spec([entry(1)]) is None
