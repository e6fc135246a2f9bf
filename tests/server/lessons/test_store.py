"""Who sees which lesson: asked of one lesson and of a list, the answer is the same."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from server.accounts.admin import store as people
from server.accounts.admin.store import PeopleFilter
from server.accounts.models import Person
from server.ids import new_id
from server.lessons import store
from server.lessons.models import Lesson
from server.scope import Scope
from tests.support.web import Web

WHO = ("teacher", "assistant", "village", "town_district", "village_district", "device", "companion", "city", "nobody")


@pytest.mark.parametrize("who", WHO)
async def test_a_list_holds_just_what_one_by_one_is_seen(web: Web, who: str) -> None:
    here, there = await web.district("120113"), await web.district("120115", "far")
    town, village, other = await web.school(here), await web.school(there, "村小学"), await web.school(there, "别校")
    lead, room, elsewhere = await web.room(town, kind="lead"), await web.room(village), await web.room(other)
    teacher, aide = await web.person("teacher", school=town), await web.person("assistant", school=village)
    await web.person("dean", of_school=village, login="dean")
    first = await web.lesson(teacher, lead, room, assistant=aide)
    await web.lesson(aide, elsewhere, room, starts=timedelta(days=1))
    await web.lesson(teacher, lead, elsewhere, starts=timedelta(days=2))
    scope = {
        "teacher": Scope(person=teacher.id),
        "assistant": Scope(person=aide.id),
        "village": Scope(person=new_id(), schools=frozenset({village.id})),
        "town_district": Scope(person=new_id(), districts=frozenset({here.id})),
        "village_district": Scope(person=new_id(), districts=frozenset({there.id}), school=town.id),
        "device": Scope(device=new_id(), rooms=frozenset({room.id})),
        "companion": Scope(lesson=first.id),
        "city": Scope(person=new_id(), city=True),
        "nobody": Scope(),
    }[who]
    async with web.database.reading() as session:
        listed = set(await session.scalars(select(Lesson.id).where(store.among(scope))))
        one_by_one = set(await session.scalars(select(Lesson.id).where(store.visible(scope))))
        assert listed == one_by_one
        assert bool(listed) == (who != "nobody")
        near, paging = await people.list_people(session, scope, PeopleFilter(), web.clock.now().date(), 1, 100)
        assert {one.id for one in near} == set(await session.scalars(select(Person.id).where(people.visible(scope))))
        assert paging.count == len(near)
