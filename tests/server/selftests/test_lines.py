"""A line as a resource: the median of what was measured, and which lessons at once crowd it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from server.selftests.lines import Line, Use, carries, crowds, leading, measured, receiving

NOON = datetime(2026, 11, 16, 4, 0, tzinfo=UTC)


def use(lesson: str, start: int, end: int) -> Use:
    return receiving(lesson, NOON + timedelta(minutes=start), NOON + timedelta(minutes=end), 1)


def line(up: int, down: int) -> Line:
    return Line(up, down, 10, NOON)


def test_one_bad_morning_is_no_narrow_line() -> None:
    rows = [(100, 200, NOON), *[(2000, 8000 + one, NOON) for one in range(9)], *[(1, 1, NOON)] * 50]
    held = measured(rows)
    assert held is not None
    assert (held.up, held.down, held.measures) == (2000, 8003, 10)
    assert measured([]) is None


def test_what_a_line_carries() -> None:
    assert carries(line(500, 1500), leads=False) == 1
    assert carries(line(4000, 2999), leads=False) == 1
    assert carries(line(900, 30_000), leads=False) == 1, "the uplink is the narrow side of many"
    assert carries(line(4000, 30_000), leads=True) == 2


def test_two_lessons_at_once_on_a_line_for_one() -> None:
    found = crowds([use("B", 20, 60)], [use("A", 0, 40)], line(900, 2000))
    assert [(one.wanted.lesson, [other.lesson for other in one.others]) for one in found] == [("B", ["A"])]


def test_lessons_that_touch_do_not_crowd() -> None:
    assert crowds([use("B", 40, 80)], [use("A", 0, 40)], line(900, 2000)) == []


def test_a_wide_line_is_nobodys_trouble() -> None:
    assert crowds([use("B", 20, 60)], [use("A", 0, 40)], line(1000, 3000)) == []


def test_one_lesson_alone_is_never_warned_of() -> None:
    assert crowds([use("B", 0, 40)], [], line(10, 10)) == []
    moved = use("A", 20, 60)
    assert crowds([moved], [use("A", 0, 40)], line(600, 2000)) == [], "it replaces its own older self"


def test_three_crowd_where_two_do_not() -> None:
    """The moment counts, not the sum of all that overlap somewhere."""
    wide = line(1000, 3000)
    assert crowds([use("C", 30, 60)], [use("A", 0, 40), use("B", 40, 80)], wide) == []
    assert len(crowds([use("C", 30, 60)], [use("A", 0, 50), use("B", 40, 80)], wide)) == 1


def test_leading_takes_the_uplink() -> None:
    held = leading("A", NOON, NOON + timedelta(minutes=40), 3)
    assert (held.up, held.down) == (2000, 1500)
