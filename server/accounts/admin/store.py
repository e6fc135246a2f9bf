"""SQL of people administration. ``visible``: those who work, or hold a post, in the part of the city the scope sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from server.accounts.models import Person, PostHeld
from server.accounts.store import held_on
from server.paging import Paging
from server.schools.models import School
from server.schools.store import visible as visible_school
from server.scope import Scope
from server.studios.models import Studio

POSTS = selectinload(Person.posts)


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    q: str = ""
    post: str = ""
    district: str = ""
    school: str = ""
    state: str = ""
    """"" active | disabled"""
    sort: str = "name"


def visible(scope: Scope) -> ColumnElement[bool]:
    schools, there = _reach(scope)
    posted = exists().where(PostHeld.person_id == Person.id, there)
    return _within(scope, or_(Person.school_id.in_(schools), posted))


def among(scope: Scope) -> ColumnElement[bool]:
    """``visible`` for lists: by index from schools and posts, where ``visible`` asks person by person."""
    schools, there = _reach(scope)
    posted = select(PostHeld.person_id).where(there)
    return _within(scope, or_(Person.school_id.in_(schools), Person.id.in_(posted)))


def _reach(scope: Scope) -> tuple[Select[str], ColumnElement[bool]]:
    schools = select(School.id).where(visible_school(scope))
    return schools, or_(PostHeld.school_id.in_(schools), PostHeld.district_id.in_(scope.districts))


def _within(scope: Scope, reach: ColumnElement[bool]) -> ColumnElement[bool]:
    seen = true() if scope.city or scope.system else reach
    if scope.token is None:
        return seen
    pupil = exists().where(PostHeld.person_id == Person.id, PostHeld.post == "pupil")
    return and_(~pupil, seen)  # a machine has no business with pupils


def _filtered(query: Select[Any], scope: Scope, wanted: PeopleFilter, today: date) -> Select[Any]:
    query = query.where(among(scope))
    query = query.where(Person.disabled_at.is_not(None) if wanted.state == "disabled" else Person.disabled_at.is_(None))
    if wanted.q:
        words = wanted.q.strip()
        query = query.where(
            or_(Person.name.contains(words, autoescape=True), Person.login.contains(words.lower(), autoescape=True))
        )
    if wanted.post:
        holds = exists().where(PostHeld.person_id == Person.id, PostHeld.post == wanted.post, held_on(today))
        query = query.where(holds)
    if wanted.school:
        query = query.where(Person.school_id == wanted.school)
    if wanted.district:
        query = query.where(Person.school_id.in_(select(School.id).where(School.supervised_by == wanted.district)))
    return query


def _order(sort: str) -> list[ColumnElement[Any]]:
    school = select(School.code).where(School.id == Person.school_id).correlate(Person).scalar_subquery()
    columns: dict[str, Any] = {"name": Person.name, "login": Person.login, "school": school}
    down, key = sort.startswith("-"), sort.lstrip("-")
    column = columns.get(key, Person.name)
    return [column.desc() if down else column.asc(), Person.id.asc()]


async def list_people(
    session: AsyncSession, scope: Scope, wanted: PeopleFilter, today: date, page: int, size: int
) -> tuple[list[Person], Paging]:
    count = await session.scalar(_filtered(select(func.count()).select_from(Person), scope, wanted, today))
    paging = Paging(page, count or 0, size)
    query = _filtered(select(Person).options(POSTS), scope, wanted, today).order_by(*_order(wanted.sort))
    return list(await session.scalars(query.offset(paging.offset).limit(size))), paging


async def person(session: AsyncSession, scope: Scope, person_id: str) -> Person | None:
    return await session.scalar(select(Person).options(POSTS).where(Person.id == person_id, visible(scope)))


async def login_taken(session: AsyncSession, scope: Scope, login: str) -> bool:
    """Sign-in names are unique beyond every scope."""
    return bool(await session.scalar(select(exists().where(Person.login == login))))


async def schools_of(session: AsyncSession, scope: Scope, ids: Sequence[str]) -> dict[str, School]:
    """Schools that people work at, for naming them beside people the asker sees."""
    found = await session.scalars(select(School).where(School.id.in_(ids)))
    return {school.id: school for school in found}


async def studios_of(session: AsyncSession, scope: Scope, ids: Sequence[str]) -> dict[str, str]:
    """Names of studios that people's posts are of: open to all."""
    found = await session.execute(select(Studio.id, Studio.name).where(Studio.id.in_(ids)))
    return {row.id: row.name for row in found}


async def school(session: AsyncSession, scope: Scope, school_id: str) -> School | None:
    return await session.scalar(select(School).where(School.id == school_id, visible_school(scope)))


async def post(session: AsyncSession, scope: Scope, post_id: str) -> PostHeld | None:
    return await session.get(PostHeld, post_id)


async def add(session: AsyncSession, scope: Scope, row: Person | PostHeld) -> None:
    session.add(row)
    await session.flush()
