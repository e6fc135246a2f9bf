"""The ordinary timetables of some demo schools: lead teachers' hours at home, and two classes of the first village.

Nothing here stands in the way of what somebody tries at any hour of the day: the demo's own teacher, assistant, rooms
and their class have no hours, and beside each lesson, and at the first bell, there is room to drag it to.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from server.classes.grades import entry_year
from server.clock import city_date
from server.demo import lessons
from server.demo.people import person_id
from server.ids import named_id
from server.ordinary.falls import meet
from server.ordinary.models import OrdinarySlot
from server.timetable.bells import MINUTES, USUAL

LEADS = (1, 2, 3, 4)
"""Courses whose lead teachers teach at home, too."""
GRADES = (1, 5)
WEEK = (
    ("chinese", "maths", "english", "science", "pe", "self_study"),
    ("maths", "chinese", "art", "morality", "calligraphy", "pe"),
    ("chinese", "english", "maths", "labour", "it", "club"),
    ("maths", "chinese", "pe", "science", "morality", "practice"),
    ("chinese", "maths", "english", "art", "class_meeting", "labour"),
)
"""Monday to Friday; music is what the village lacks."""


def hours(term: str, now: datetime) -> Iterator[OrdinarySlot]:
    taken = list(lessons.slots())
    for course in (one for one in lessons.courses() if one.number in LEADS):
        mine = [one for one in taken if one.classroom_id == course.id]
        for weekday in range(1, 6):
            for period in (2 + weekday % 3, 6 - course.number % 2):
                made = _hour(term, course.lead.id, course.phase, weekday, period, course.subject)
                made.teacher_id = person_id(course.teacher)
                if not any(one.weekday == weekday and abs(one.period - period) < 2 for one in mine):
                    yield made
    village, today = lessons.courses()[0].villages[0], city_date(now)
    near = {one.id for one in lessons.courses() if village in one.villages}
    received = [one for one in taken if one.classroom_id in near]
    for grade in GRADES:
        class_id = named_id("demo", "class", village.id, "primary", entry_year("primary", grade, today))
        for weekday, subjects in enumerate(WEEK, 1):
            for period, subject in enumerate(subjects, 1):
                made = _hour(term, village.id, "primary", weekday, period, subject, class_id)
                if not any(meet(made, one) for one in received):
                    yield made


def _hour(
    term: str, school: str, phase: str, weekday: int, period: int, subject: str, class_id: str | None = None
) -> OrdinarySlot:
    rung = USUAL[phase].bells[period - 1]
    return OrdinarySlot(
        id=named_id("demo", "ordinary", term, school, class_id or "", weekday, period),
        school_id=school,
        term=term,
        weekday=weekday,
        period=period,
        starts=rung.starts,
        minutes=MINUTES[phase],
        follows_bell=True,
        subject=subject,
        class_id=class_id,
    )
