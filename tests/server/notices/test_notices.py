"""Whom to ring: who has not read of a change of their lesson, half an hour before the bell."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.accounts.models import Person
from server.ids import new_id
from server.lessons.changes import service as changes
from server.lessons.changes import staffing
from server.lessons.changes.many import cancel_many
from server.lessons.changes.schemas import CancelMany, MoveBody, TeacherBody
from server.lessons.models import Lesson
from server.notices.models import Notice, NoticeBell
from server.schools.models import School, SchoolClass
from server.scope import SYSTEM
from tests.support.web import Web


async def notice(web: Web, lesson: Lesson, person: Person, days: int, key: str = "moved") -> None:
    """Of a change told so many days ago."""
    row = Notice(
        id=new_id(), person_id=person.id, key=key, words={}, href="/", lesson_id=lesson.id, urgent=days < 1,
        at=web.clock.now() - timedelta(days=days),
    )  # fmt: skip
    await web.add(row)
    await web.add(NoticeBell(notice_id=row.id, lesson_id=lesson.id, at=lesson.starts_at))


async def made(web: Web) -> tuple[School, School, Lesson, Person, Person]:
    """A lesson in twenty minutes, its teacher in town, its assistant in the village."""
    district = await web.district()
    town, village = await web.school(district, "城关小学"), await web.school(district, "南里小学")
    teacher = await web.person("teacher", school=town, name="林海棠")
    assistant = await web.person("assistant", school=village, name="赵春华")
    lesson = await web.lesson(
        teacher, await web.room(town, kind="lead"), await web.room(village), assistant=assistant,
        starts=timedelta(minutes=20),
    )  # fmt: skip
    return town, village, lesson, teacher, assistant


@pytest.mark.parametrize("days", [0, 1, 9])
async def test_the_dean_sees_whom_of_the_school_to_ring_however_old_the_notice(web: Web, days: int) -> None:
    town, village, lesson, teacher, assistant = await made(web)
    for person in (teacher, assistant):
        await notice(web, lesson, person, days)
    for post in ("dean", "school_admin"):
        browser = await web.sign_in(await web.person(post, school=village, of_school=village))
        page = (await browser.get("/notices")).text
        assert "赵春华" in page and "林海棠" not in page, "each school rings its own"
    district = await web.sign_in(await web.person("city_admin"))
    page = (await district.get("/notices")).text
    assert "赵春华" in page and "林海棠" in page
    for post in ("teacher", "inspector", "evaluator"):
        browser = await web.sign_in(await web.person(post, school=town))
        assert "林海棠" not in (await browser.get("/notices")).text, post


async def test_nobody_is_rung_twice_for_a_lesson_nor_hours_before_nor_who_has_read(web: Web) -> None:
    town, _, lesson, teacher, _ = await made(web)
    dean = await web.person("dean", school=town, of_school=town)
    await notice(web, lesson, teacher, 9)
    await notice(web, lesson, teacher, 1, "room")
    browser = await web.sign_in(dean)
    assert (await browser.get("/notices")).text.count("林海棠") == 1
    web.clock.moment -= timedelta(minutes=30)
    assert "林海棠" not in (await browser.get("/notices")).text
    web.clock.moment += timedelta(minutes=30)
    mine = await web.sign_in(teacher)
    await mine.post("/notices/read-all")
    assert "林海棠" not in (await browser.get("/notices")).text


async def at_dean(web: Web, town: School) -> str:
    """Whom the page of the town's dean says to ring, now."""
    browser = await web.sign_in(await web.person("dean", school=town, of_school=town))
    page: str = (await browser.get("/notices")).text
    return page.split('id="ring"')[1].split("</ul>")[0] if 'id="ring"' in page else ""


async def test_a_lesson_moved_to_another_day_is_rung_before_the_bell_at_which_its_class_would_gather(web: Web) -> None:
    town, _, lesson, *_ = await made(web)
    later = lesson.starts_at + timedelta(days=1)
    async with web.database.transaction() as session:
        await changes.move(session, SYSTEM, lesson.id, MoveBody(starts_at=later), web.clock.now())
    assert "林海棠" in await at_dean(web, town), "before the old bell"
    web.clock.moment += timedelta(hours=2)
    assert not await at_dean(web, town)
    web.clock.moment = later - timedelta(minutes=10)
    assert "林海棠" in await at_dean(web, town), "and before the new one"


async def test_who_was_replaced_is_rung_and_so_is_who_was_to_stand_in_and_shall_not(web: Web) -> None:
    town, _, lesson, _, _ = await made(web)
    other = await web.person("teacher", school=town, name="高远")
    async with web.database.transaction() as session:
        body, now = TeacherBody(teacher_id=other.id), web.clock.now()
        row, _ = await staffing.set_teacher(session, SYSTEM, lesson.id, body, now)
    told = await at_dean(web, town)
    assert "林海棠" in told and "高远" in told
    mine = await web.sign_in(other)
    await mine.post("/notices/read-all")
    assert "高远" not in await at_dean(web, town)
    async with web.database.transaction() as session:
        await changes.undo(session, SYSTEM, row.batch, web.clock.now())
    assert "高远" in await at_dean(web, town), "they would come for nothing"
    assert (await mine.get("/api/v1/notices")).json()["notices"][0]["href"] == "/desk"


async def test_a_notice_of_several_lessons_is_rung_before_each_of_them(web: Web) -> None:
    town, _, lesson, teacher, _ = await made(web)
    next_ = await web.lesson(
        teacher,
        await web.room(town, "录播室", kind="lead"),
        await web.room(town, "二楼东"),
        starts=timedelta(days=1, minutes=20),
    )
    async with web.database.transaction() as session:
        body = CancelMany(lessons=[lesson.id, next_.id], reason="weather")
        await cancel_many(session, SYSTEM, body, web.clock.now())
    assert "林海棠" in await at_dean(web, town)
    web.clock.moment += timedelta(days=1)
    told = await at_dean(web, town)
    assert "林海棠" in told and next_.title in told


async def test_the_head_of_a_receiving_class_hears_of_its_lessons_and_is_rung(web: Web) -> None:
    _, village, lesson, _, _ = await made(web)
    head = await web.person("teacher", school=village, name="马班主任")
    row = SchoolClass(
        id=new_id(), school_id=village.id, phase="primary", entry_year=2024, number=1, pupils=20, head_id=head.id
    )
    await web.add(row)
    async with web.database.transaction() as session:
        for receipt in (await session.get_one(Lesson, lesson.id)).receipts:
            receipt.class_id = row.id
    async with web.database.transaction() as session:
        body = CancelMany(lessons=[lesson.id], reason="weather")
        batch = (await cancel_many(session, SYSTEM, body, web.clock.now())).batch
    assert "马班主任" in await at_dean(web, village)
    mine = await web.sign_in(head)
    await mine.post("/notices/read-all")
    async with web.database.transaction() as session:
        await changes.undo(session, SYSTEM, batch, web.clock.now())
        await changes.move(
            session, SYSTEM, lesson.id, MoveBody(starts_at=lesson.starts_at + timedelta(days=1)), web.clock.now()
        )
    keys = [one["key"] for one in (await mine.get("/api/v1/notices")).json()["notices"]]
    assert sorted(keys) == ["cancelled", "moved", "undone"]
