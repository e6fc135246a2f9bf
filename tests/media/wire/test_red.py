"""RED (RFC 2198): what is built is read back, and noise is refused cleanly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.errors import PeerError
from media.wire import red
from media.wire.red import Block

EARLIER = st.lists(st.tuples(st.integers(1, red.MOST_OFFSET), st.binary(min_size=1, max_size=300)), max_size=3)


def test_the_example_of_the_standard() -> None:
    """Section 3's layout, byte by byte: F, block type, 14 bits of offset, 10 of length; then F = 0 and the type."""
    made = red.build(111, b"now", [(1920, b"old"), (960, b"er")])
    assert made == bytes.fromhex("ef1e0003 ef0f0002 6f".replace(" ", "")) + b"older" + b"now"
    assert red.parse(made) == [Block(111, 1920, b"old"), Block(111, 960, b"er"), Block(111, 0, b"now")]


@given(st.integers(0, 127), st.binary(max_size=200), EARLIER)
def test_what_is_built_is_read_back(payload_type: int, primary: bytes, earlier: list[tuple[int, bytes]]) -> None:
    made = red.build(payload_type, primary, earlier)
    blocks = red.parse(made)
    assert blocks[-1] == Block(payload_type, 0, primary)
    assert len(made) <= 1200
    assert blocks[:-1] == [Block(payload_type, o, p) for o, p in earlier][len(earlier) - len(blocks) + 1 :]


@pytest.mark.parametrize(
    "earlier", [(0, b"x"), (red.MOST_OFFSET + 1, b"x"), (-1, b"x"), (960, b""), (960, bytes(1024))]
)
def test_what_the_fields_cannot_say_is_left_out(earlier: tuple[int, bytes]) -> None:
    assert red.parse(red.build(111, b"now", [earlier])) == [Block(111, 0, b"now")]


@given(st.binary(max_size=60))
def test_noise_is_refused_cleanly(noise: bytes) -> None:
    try:
        blocks = red.parse(noise)
    except PeerError:
        return
    assert sum(len(b.payload) for b in blocks) + 4 * (len(blocks) - 1) + 1 == len(noise)
