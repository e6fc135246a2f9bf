from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.errors import PeerError
from media.wire.framing import MAX_FRAME, Deframer, frame

PACKETS = st.lists(st.binary(min_size=1, max_size=300), max_size=8)


@given(PACKETS, st.lists(st.integers(1, 50), min_size=1))
def test_packets_come_back_however_the_stream_is_cut(packets: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(frame(p) for p in packets)
    deframer, found, at, turn = Deframer(), [], 0, 0
    while at < len(stream):
        step = cuts[turn % len(cuts)]
        found += deframer.feed(stream[at : at + step])
        at, turn = at + step, turn + 1
    assert found == packets


@pytest.mark.parametrize("start", [b"\0\0", b"GET / HTTP/1.1\r\n", (MAX_FRAME + 1).to_bytes(2, "big")])
def test_other_protocols_are_refused_at_once(start: bytes) -> None:
    with pytest.raises(PeerError):
        Deframer().feed(start)


@given(st.binary(max_size=5000))
def test_noise_never_grows_the_buffer(data: bytes) -> None:
    deframer = Deframer()
    try:
        deframer.feed(data)
    except PeerError:
        return
    assert len(deframer._rest) <= MAX_FRAME + 2
