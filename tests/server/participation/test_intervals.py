"""Interval algebra against sets of moments."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.participation.intervals import NONE, Interval, Intervals, gaps, intersection, length, union, within

RAW = st.lists(st.tuples(st.integers(-50, 200), st.integers(-50, 200)), max_size=12)


def moments(intervals: list[Interval] | Intervals) -> set[int]:
    return {moment for start, end in intervals for moment in range(start, end)}


@given(RAW)
def test_union_holds_each_moment_once(raw: list[Interval]) -> None:
    joined = union(raw)
    assert moments(joined) == moments(raw)
    assert length(joined) == len(moments(raw))


@given(RAW)
def test_union_is_sorted_disjoint_and_settled(raw: list[Interval]) -> None:
    joined = union(raw)
    edges = [edge for interval in joined for edge in interval]
    assert edges == sorted(set(edges))
    assert union(joined) == joined


@given(RAW, RAW)
def test_union_does_not_depend_on_order_or_repetition(left: list[Interval], right: list[Interval]) -> None:
    assert union([*left, *right]) == union([*reversed(right), *left, *left]) == union([*union(left), *union(right)])


@given(RAW, RAW)
def test_intersection_is_what_both_hold(left: list[Interval], right: list[Interval]) -> None:
    common = intersection(union(left), union(right))
    assert moments(common) == moments(left) & moments(right)
    assert union(common) == common == intersection(union(right), union(left))


@given(RAW, st.tuples(st.integers(-50, 200), st.integers(-50, 200)))
def test_gaps_and_cover_make_the_window(raw: list[Interval], window: Interval) -> None:
    cover = within(raw, window)
    left_out = gaps(union(raw), window)
    assert moments(cover) | moments(left_out) == moments([window])
    assert not moments(cover) & moments(left_out)


def test_nothing_is_nothing() -> None:
    assert union([(5, 5), (7, 3)]) == NONE
    assert gaps(NONE, (0, 10)) == ((0, 10),)
    assert gaps(((0, 10),), (0, 10)) == NONE


def test_touching_intervals_are_one() -> None:
    assert union([(0, 10), (10, 20)]) == ((0, 20),)
