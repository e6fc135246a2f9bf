"""The calendar a city starts from: holidays and make-up days (调休) of the State Council's notices, for editing.

Rule: it says up to which date it knows. Beyond ``KNOWN_UNTIL`` nothing is invented; publishing past it warns. The
notices do not say which timetable a make-up Saturday runs: ``stands_for`` is our proposal (the first school day lost),
which the bureau's own 校历 replaces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

KNOWN_UNTIL = date(2026, 12, 31)
"""Last day the seeded default knows: notices come out each November for the next year."""


@dataclass(frozen=True, slots=True)
class KnownDay:
    day: date
    kind: str
    """holiday | makeup"""
    name: str
    stands_for: date | None = None


# name, first and last day of the holiday, {make-up day: the day whose lessons it runs}
_NOTICES: tuple[tuple[str, date, date, dict[date, date]], ...] = (
    # 国务院办公厅关于2025年部分节假日安排的通知: the autumn of school year 2025
    (
        "国庆节、中秋节",
        date(2025, 10, 1),
        date(2025, 10, 8),
        {date(2025, 9, 28): date(2025, 10, 7), date(2025, 10, 11): date(2025, 10, 8)},
    ),
    # 国务院办公厅关于2026年部分节假日安排的通知
    ("元旦", date(2026, 1, 1), date(2026, 1, 3), {date(2026, 1, 4): date(2026, 1, 2)}),
    (
        "春节",
        date(2026, 2, 15),
        date(2026, 2, 23),
        {date(2026, 2, 14): date(2026, 2, 19), date(2026, 2, 28): date(2026, 2, 20)},
    ),
    ("清明节", date(2026, 4, 4), date(2026, 4, 6), {}),
    ("劳动节", date(2026, 5, 1), date(2026, 5, 5), {date(2026, 5, 9): date(2026, 5, 4)}),
    ("端午节", date(2026, 6, 19), date(2026, 6, 21), {}),
    ("中秋节", date(2026, 9, 25), date(2026, 9, 27), {}),
    (
        "国庆节",
        date(2026, 10, 1),
        date(2026, 10, 7),
        {date(2026, 9, 20): date(2026, 10, 6), date(2026, 10, 10): date(2026, 10, 7)},
    ),
)


def known_days() -> Iterator[KnownDay]:
    for name, first, last, makeups in _NOTICES:
        for offset in range((last - first).days + 1):
            yield KnownDay(first + timedelta(days=offset), "holiday", name)
        for day, stands_for in makeups.items():
            yield KnownDay(day, "makeup", f"{name}调休", stands_for)
