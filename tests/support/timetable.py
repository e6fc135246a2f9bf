"""A small city with a term, a holiday that a Saturday makes up for, a classroom and its weekly slots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import Any

from server.accounts.models import Person
from server.classrooms.models import Classroom, Receiver
from server.ids import new_id
from server.ordinary.models import OrdinarySlot
from server.schools.models import District, Room, School
from server.timetable.models import CalendarDay, CalendarHorizon, Term, WeeklySlot
from tests.support.web import Web

TERM = "2026-1"


@dataclass
class City:
    district: District
    town: School
    village: School
    lead: Room
    room: Room
    teacher: Person
    assistant: Person

    def classroom(self, web: Web, name: str = "三年级音乐", **more: Any) -> list[Any]:
        id_ = more.pop("id", new_id())
        plain = {"lead_room_id": self.lead.id, "lead_teacher_id": self.teacher.id, **more}
        row = Classroom(id=id_, name=name, subject="music", grade=3, term=TERM, created_at=web.clock.now(), **plain)
        return [row, Receiver(id=new_id(), classroom_id=id_, position=1, room_id=self.room.id)]


async def made(web: Web) -> City:
    district = await web.district()
    town, village = await web.school(district, "城关小学"), await web.school(district, "南里小学")
    lead, room = await web.room(town, "录播教室", kind="lead"), await web.room(village, pupils=27)
    await web.add(
        Term(id=TERM, name="第一学期", starts_on=date(2026, 9, 1), ends_on=date(2026, 12, 11)),
        CalendarHorizon(id="city", known_until=date(2026, 12, 31)),
        CalendarDay(day=date(2026, 11, 26), kind="holiday", name="假"),
        CalendarDay(day=date(2026, 11, 28), kind="makeup", name="调休", stands_for=date(2026, 11, 26)),
    )
    teacher, assistant = await web.person("teacher", school=town), await web.person("assistant", school=village)
    return City(district, town, village, lead, room, teacher, assistant)


def slot(classroom: str, weekday: int, hour: int = 10, **more: Any) -> WeeklySlot:
    return WeeklySlot(
        id=new_id(), classroom_id=classroom, weekday=weekday, period=hour - 7, starts=time(hour, 0), minutes=40, **more
    )


async def with_classroom(web: Web) -> City:
    """With one classroom, "c", on Thursdays."""
    held = await made(web)
    await web.add(*held.classroom(web, id="c"), slot("c", 4))
    return held


def ordinary(school: School, weekday: int, hour: int = 10, **more: Any) -> OrdinarySlot:
    """An hour of the school's own timetable, of class, teacher or room as ``more`` says."""
    plain = {"period": hour - 7, "starts": time(hour, 0), "minutes": 40, "follows_bell": False, "subject": "maths"}
    return OrdinarySlot(id=new_id(), school_id=school.id, term=TERM, weekday=weekday, **{**plain, **more})
