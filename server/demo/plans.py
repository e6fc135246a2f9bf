"""What the demo city has under way: needs that village schools posted, what is offered for them, a sports day that hits
lessons, and what the demo's studio plans."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from server.clock import CITY, city_date
from server.demands.models import Demand, Offer
from server.demo import lessons, studios
from server.demo.people import person_id
from server.demo.register import gaps
from server.ids import named_id
from server.schools.models import Room
from server.studios.activities.models import Activity, ActivityPerson, ActivityPlace
from server.timetable.models import SchoolSpan

NEEDING = (0, 3, 6, 9)
"""Whose first village posts its declared gap; the first of them has an offer."""
OFFERING = 1
WEDNESDAY, THURSDAY, FRIDAY = 2, 3, 4


def demands(term: str, since: date, now: datetime) -> Iterator[Demand]:
    courses, declared = lessons.courses(), {gap.school_id: gap for gap in gaps(term, since)}
    for number in NEEDING:
        course = courses[number]
        village, gap = course.villages[0], declared[course.villages[0].id]
        yield Demand(
            id=named_id("demo", "demand", village.id, term),
            school_id=village.id,
            room_id=course.receiving_rooms()[0].id,
            gap_id=gap.id,
            term=term,
            grade=gap.grade,
            subject=gap.subject,
            weekday=WEDNESDAY + 1 if number else None,
            half="pm" if number else "",
            note="每周一节即可，教室设备齐全。",
            state="open",
            posted_at=now - timedelta(days=3 + number),
            posted_by=person_id("school") if number == 0 else None,
        )


def offers(term: str, since: date, now: datetime) -> Iterator[Offer]:
    need, giver = next(demands(term, since, now)), lessons.courses()[OFFERING]
    yield Offer(
        id=named_id("demo", "offer", need.id),
        demand_id=need.id,
        school_id=giver.lead.id,
        lead_room_id=giver.lead_room().id,
        teacher_id=person_id(giver.teacher),
        weekday=THURSDAY + 1,
        period=7,
        starts=time(15, 30),
        minutes=40,
        note="本学期可长期开课。",
        offered_at=now - timedelta(days=1),
    )


def spans(term: str, now: datetime) -> Iterator[SchoolSpan]:
    village, day = lessons.courses()[0].villages[0], _coming(now, FRIDAY) + timedelta(days=7)
    yield SchoolSpan(
        id=named_id("demo", "span", village.id, term),
        school_id=village.id,
        kind="sports",
        name="秋季运动会（演示）",
        first_on=day,
        last_on=day,
        created_at=now,
    )


def activities(now: datetime) -> Iterator[Activity]:
    """After school on the next Wednesday; each week's is its own."""
    studio, day = studios.plans()[0], _coming(now, WEDNESDAY)
    id_ = named_id("demo", "activity", day)
    yield Activity(
        id=id_,
        studio_id=studio.id,
        kind="research",
        title="同步教研：乡村音乐课堂的合唱起步",
        note="请各听讲学校带一段课堂录像。",
        state="planned",
        starts_at=datetime.combine(day, time(17), CITY),
        ends_at=datetime.combine(day, time(18), CITY),
        created_by=person_id("studio"),
        created_at=now,
        sequence=0,
        places=[
            ActivityPlace(id=named_id("demo", "place", id_, room.id), room_id=room.id, position=position)
            for position, room in enumerate(_rooms(), 1)
        ],
        people=[
            ActivityPerson(id=named_id("demo", "part", id_, login), person_id=person_id(login))
            for login in ("studio", "teacher")
        ],
    )


def _rooms() -> list[Room]:
    course = lessons.courses()[0]
    return [course.lead_room(), *course.receiving_rooms()[:2]]


def _coming(now: datetime, weekday: int) -> date:
    """The next such day after today."""
    today = city_date(now)
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)
