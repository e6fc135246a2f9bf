"""What a camera's pictures become: whole at each key frame, in order, whatever its clock does."""

from __future__ import annotations

from fractions import Fraction

import pytest

from signaling.pictures import FRAME, LEAP, START, Order, Whole
from signaling.sources import SourceError

SPS, PPS, SPS_NEW, PPS_NEW = b"\x67\x42\x00\x1e", b"\x68\xce", b"\x67\x42\x00\x28", b"\x68\xcf"
IDR, P, B = b"\x65\x88\x84", b"\x61\xe0\x10", b"\x01\xa8\x10"
"""slice_type 7, 0 and 1: all of first_mb_in_slice 0."""


def joined(*units: bytes) -> bytes:
    return b"".join(START + unit for unit in units)


def test_a_key_frame_gets_the_newest_parameter_sets() -> None:
    whole = Whole(joined(SPS, PPS))
    assert whole.picture(joined(P)) == (joined(P), False)
    assert whole.picture(joined(IDR)) == (joined(SPS, PPS, IDR), False)
    assert whole.picture(joined(SPS_NEW, PPS_NEW, IDR)) == (joined(SPS_NEW, PPS_NEW, IDR), False)
    assert whole.picture(joined(IDR)) == (joined(SPS_NEW, PPS_NEW, IDR), False)


def test_what_is_no_unit_is_left_out() -> None:
    whole = Whole(b"")
    assert whole.picture(b"") == whole.picture(b"\xff\x00\x12") == whole.picture(joined(b"", b"\x00")) == (b"", False)
    assert whole.picture(b"\x99" + joined(b"\x1c\x85", P) + b"\0\0") == (joined(P), False)


def test_b_pictures_are_seen() -> None:
    assert Whole(b"").picture(joined(B)) == (joined(B), True)


def test_time_rises_from_zero() -> None:
    order = Order()
    told = [None, Fraction(100), Fraction(100), Fraction(1001, 10)]
    assert [order.at(one, False) for one in told] == [0, FRAME, FRAME, FRAME + Fraction(1, 10)]


@pytest.mark.parametrize("leap", [-LEAP * 5, -Fraction(1, 10), LEAP + 1])
def test_a_clock_that_is_set_is_a_frame(leap: Fraction) -> None:
    order = Order()
    order.at(Fraction(100), False)
    assert order.at(100 + leap, False) == FRAME
    assert order.at(101 + leap, False) == FRAME + 1


def test_a_b_picture_that_goes_back_is_said() -> None:
    order = Order()
    order.at(Fraction(100), False)
    order.at(Fraction(101), False)
    assert order.at(Fraction(102), True) == 2, "in order it may pass"
    with pytest.raises(SourceError, match="bframes"):
        order.at(Fraction(203, 2), True)
