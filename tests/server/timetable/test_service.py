"""Terms and slots as the database holds them."""

from __future__ import annotations

from datetime import date, time

from server.classrooms.models import Classroom
from server.clock import CITY
from server.scope import SYSTEM
from server.timetable import service
from server.timetable.models import CalendarDay, Term, WeeklySlot
from tests.support.web import Web


async def test_slots_become_dated_lessons(web: Web) -> None:
    school = await web.school(await web.district())
    lead = await web.room(school, "主讲教室", kind="lead")
    teacher = await web.person("teacher", school=school)
    await web.add(
        Classroom(
            id="c",
            name="三年级音乐",
            subject="music",
            grade=3,
            lead_room_id=lead.id,
            lead_teacher_id=teacher.id,
            term="2026-1",
            created_at=web.clock.now(),
        )
    )
    await web.add(
        WeeklySlot(id="s1", classroom_id="c", weekday=4, period=1, starts=time(8, 20), minutes=40),
        WeeklySlot(id="s2", classroom_id="c", weekday=3, period=5, starts=time(14, 0), minutes=40),
        CalendarDay(day=date(2026, 10, 1), kind="holiday", runs_weekday=None, name="国庆节"),
        CalendarDay(day=date(2026, 10, 10), kind="makeup", runs_weekday=3, name="国庆节调休"),
    )
    async with web.database.reading() as session:
        dated = await service.dated(session, SYSTEM, ["c"], date(2026, 9, 28), date(2026, 10, 11))
    starts = [one.starts_at.astimezone(CITY).strftime("%m-%d %H:%M") for one in dated]
    assert starts == ["09-30 14:00", "10-07 14:00", "10-08 08:20", "10-10 14:00"]
    assert {one.period for one in dated} == {1, 5}


async def test_the_term_and_week_of_a_day(web: Web) -> None:
    await web.add(
        Term(id="2025-2", name="第二学期", starts_on=date(2026, 2, 23), ends_on=date(2026, 7, 10)),
        Term(id="2026-1", name="第一学期", starts_on=date(2026, 9, 1), ends_on=date(2027, 1, 22)),
    )
    async with web.database.reading() as session:
        found = await service.week_of(session, SYSTEM, date(2026, 11, 16))
        assert found is not None
        assert (found[0].id, found[1]) == ("2026-1", 12)
        summer = await service.week_of(session, SYSTEM, date(2026, 8, 1))
        assert summer is not None and summer[0].id == "2025-2"
        assert await service.week_of(session, SYSTEM, date(2025, 1, 1)) is None
