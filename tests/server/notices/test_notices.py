"""Whom to ring: who has not read of a change of their lesson, half an hour before the bell."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.accounts.models import Person
from server.ids import new_id
from server.lessons.models import Lesson
from server.notices.models import Notice
from server.schools.models import School
from tests.support.web import Web


async def notice(web: Web, lesson: Lesson, person: Person, days: int, key: str = "moved") -> None:
    """Of a change told so many days ago."""
    row = Notice(
        id=new_id(), person_id=person.id, key=key, words={}, href="/", lesson_id=lesson.id, urgent=days < 1,
        at=web.clock.now() - timedelta(days=days),
    )  # fmt: skip
    await web.add(row)


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
