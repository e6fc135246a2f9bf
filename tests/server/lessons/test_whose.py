"""A receipt's start is its lesson's, whatever moves the lesson; spans take what starts in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from server.ids import new_id
from server.lessons.models import Lesson, Receipt
from server.lessons.whose import ALWAYS, Span, Ways, attended, led_or_received, one_of, taught_or_assisted
from server.schools.models import Room
from tests.support.web import MONDAY, Web

START = MONDAY + timedelta(minutes=10)


async def _planned(web: Web) -> tuple[Lesson, Room, Room]:
    school = await web.school(await web.district("120113"))
    lead = await web.room(school, kind="lead")
    far = await web.room(school, name="二号教室")
    lesson = await web.lesson(await web.person("teacher", school=school), lead, far)
    return lesson, lead, far


async def _found(web: Web, ways: Ways) -> list[str]:
    async with web.database.reading() as session:
        return list(await session.scalars(select(Lesson.id).where(one_of(ways))))


async def test_a_receipt_moves_with_its_lesson(web: Web) -> None:
    lesson, _, _ = await _planned(web)
    later = START + timedelta(days=2)
    async with web.database.transaction() as session:
        moved = await session.get_one(Lesson, lesson.id)
        moved.starts_at, moved.ends_at = later, later + timedelta(minutes=40)
    async with web.database.reading() as session:
        assert await session.scalar(select(Receipt.starts_at).where(Receipt.lesson_id == lesson.id)) == later


async def test_a_receipt_cannot_say_another_time(web: Web) -> None:
    lesson, lead, _ = await _planned(web)
    wrong = {"id": new_id(), "lesson_id": lesson.id, "room_id": lead.id, "position": 2, "expected": 1}
    with pytest.raises(IntegrityError):
        await web.add(Receipt(**wrong, starts_at=START + timedelta(minutes=1)))
    with pytest.raises(IntegrityError):
        async with web.database.transaction() as session:
            await session.execute(update(Receipt).values(starts_at=START + timedelta(minutes=1)))


@pytest.mark.parametrize(
    ("span", "found"),
    [
        (ALWAYS, True),
        (Span(START), True),
        (Span(START, START + timedelta(seconds=1)), True),
        (Span(None, START), False),
        (Span(START + timedelta(seconds=1)), False),
        (Span.touching(START + timedelta(minutes=39), START + timedelta(hours=1)), True),
        (Span.touching(datetime(2020, 1, 1, tzinfo=UTC), START), False),
    ],
)
async def test_a_span_takes_what_starts_in_it(web: Web, span: Span, found: bool) -> None:
    lesson, lead, far = await _planned(web)
    asked = [led_or_received([room.id], span) for room in (lead, far)]
    for ways in [*asked, taught_or_assisted([lesson.teacher_id], span)]:
        assert await _found(web, ways) == ([lesson.id] if found else [])


async def test_nobody_has_no_lessons(web: Web) -> None:
    await _planned(web)
    for ways in ([], led_or_received([]), taught_or_assisted([]), attended([])):
        assert await _found(web, ways) == []
