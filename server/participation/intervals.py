"""Half-open intervals of whole milliseconds as sorted, disjoint, non-touching tuples. Pure; everything counted stands
on it.

Two devices of one room, a device that rejoins, a fact that arrives twice: a union counts each moment once.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

Interval = tuple[int, int]
Intervals = tuple[Interval, ...]

NONE: Intervals = ()


def union(intervals: Iterable[Interval]) -> Intervals:
    """Sorted, disjoint; touching ones are joined; empty and backward ones ([5, 3)) are dropped."""
    joined: list[Interval] = []
    for start, end in sorted(interval for interval in intervals if interval[1] > interval[0]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)


def intersection(left: Intervals, right: Intervals) -> Intervals:
    """Moments in both. Both must be unions."""
    common: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            common.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(common)


def within(intervals: Iterable[Interval], window: Interval) -> Intervals:
    """The part of them that lies in ``window``."""
    return intersection(union(intervals), union([window]))


def length(intervals: Intervals) -> int:
    """Milliseconds of a union."""
    return sum(end - start for start, end in intervals)


def gaps(intervals: Intervals, window: Interval) -> Intervals:
    """What of ``window`` a union leaves uncovered."""
    edges = [window[0], *(edge for interval in within(intervals, window) for edge in interval), window[1]]
    return union(pair for index, pair in enumerate(pairwise(edges)) if index % 2 == 0)
