from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.wire.sequence import extend, signed32


@given(st.integers(1 << 16, 1 << 40), st.integers(-0x8000, 0x7FFF))
def test_extend_finds_the_nearest(reference: int, distance: int) -> None:
    assert extend((reference + distance) & 0xFFFF, reference) == reference + distance


@given(st.integers(0, 0xFFFFFFFF), st.integers(-0x80000000, 0x7FFFFFFF))
def test_signed32_is_the_difference(base: int, distance: int) -> None:
    assert signed32(((base + distance) & 0xFFFFFFFF) - base) == distance
