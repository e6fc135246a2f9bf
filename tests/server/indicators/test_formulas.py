"""The formulas on receipts by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from server.indicators.formulas import (
    ReceiptFigures,
    delivery_rate,
    lesson_hours,
    online_rate,
    planned_hours,
    received_hours,
    value,
)

MINUTE = 60_000
ONE = ReceiptFigures("l", "r", "s", "120115", "lead", 3, 40 * MINUTE, 40 * MINUTE, 40 * MINUTE, True)
JUNIOR = replace(ONE, lesson="j", grade=7, planned_ms=45 * MINUTE, delivered_ms=45 * MINUTE, online_ms=45 * MINUTE)
MISSED = replace(ONE, lesson="m", effective=False, delivered_ms=0, online_ms=0)
ILL = replace(MISSED, lesson="i", cancel_reason="teacher_ill")
STORM = replace(MISSED, lesson="w", cancel_reason="weather")


def test_forty_and_forty_five_minutes_are_each_one_hour() -> None:
    assert received_hours([ONE, JUNIOR]) == (Fraction(2), Fraction(1))
    assert lesson_hours(6, 40 * MINUTE) == lesson_hours(7, 45 * MINUTE) == 1
    assert lesson_hours(9, 40 * MINUTE) == Fraction(40, 45)


def test_hours_are_the_shorter_of_taught_and_planned() -> None:
    assert received_hours([replace(ONE, delivered_ms=30 * MINUTE)])[0] == Fraction(3, 4)
    assert received_hours([replace(ONE, delivered_ms=50 * MINUTE)])[0] == 1
    assert received_hours([replace(ONE, effective=False)])[0] == 0


def test_exempt_causes_leave_the_denominator_and_others_stay() -> None:
    assert delivery_rate([ONE, ILL, STORM, MISSED]) == (1, 3)
    assert online_rate([ONE, ILL, STORM]) == (40 * MINUTE, 80 * MINUTE)
    assert planned_hours([ONE, ILL, STORM]) == (2, 1)


def test_nothing_below_the_line_is_no_value() -> None:
    for formula in (delivery_rate, online_rate):
        numerator, denominator = formula([STORM])
        assert value(float(numerator), float(denominator)) is None
    assert value(0, 4) == 0
    hours, one = received_hours([])
    assert value(float(hours), float(one)) == 0


RECEIPTS = st.lists(
    st.builds(
        ReceiptFigures,
        st.just("l"),
        st.sampled_from("abc"),
        st.sampled_from("st"),
        st.sampled_from(["120114", "120115", None]),
        st.just("lead"),
        st.integers(1, 9),
        st.integers(1, 50 * MINUTE),
        st.integers(0, 60 * MINUTE),
        st.integers(0, 50 * MINUTE),
        st.booleans(),
        st.sampled_from([None, None, "weather", "power"]),
    ),
    max_size=30,
)


@given(RECEIPTS, st.randoms())
def test_no_order_of_rows_changes_a_digit(receipts: list[ReceiptFigures], chance: object) -> None:
    mixed = receipts.copy()
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    for formula in (delivery_rate, received_hours, planned_hours, online_rate):
        assert [float(term) for term in formula(mixed)] == [float(term) for term in formula(receipts)]


@given(RECEIPTS)
def test_parts_sum_to_the_whole(receipts: list[ReceiptFigures]) -> None:
    for formula in (delivery_rate, received_hours, planned_hours, online_rate):
        parts = [formula([one for one in receipts if one.room == room]) for room in "abc"]
        assert sum(part[0] for part in parts) == formula(receipts)[0]
