"""Which grade a class is in on a day, pure: it follows from the entry year, so that no August promotes anybody."""

from __future__ import annotations

from datetime import date

from server.timetable.terms import school_year

FIRST = {"primary": 1, "junior": 7}
LAST = {"primary": 6, "junior": 9}


def grade_on(phase: str, entry_year: int, day: date) -> int | None:
    """1 to 9; None before the class has begun and after it has left."""
    grade = FIRST[phase] + school_year(day) - entry_year
    return grade if FIRST[phase] <= grade <= LAST[phase] else None


def entry_year(phase: str, grade: int, day: date) -> int:
    """The year in which a class began that is in a grade now."""
    return school_year(day) - (grade - FIRST[phase])


def years(phase: str, day: date) -> list[int]:
    """Entry years of the classes there can be on a day, the lowest grade first; the coming one too."""
    now = school_year(day)
    return [now + 1, *range(now, now - (LAST[phase] - FIRST[phase]) - 1, -1)]
