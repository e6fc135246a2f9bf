"""SQL of people administration. ``visible``: those who work, or hold a post, in the part of the city the scope sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, exists, func, or_, select, true, union
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
    """Whether one person is seen; whole lists are found by ``_ways``."""
    there = exists().where(PostHeld.person_id == Person.id, or_(*_posted(scope)))
    return _within(scope, or_(Person.school_id.in_(_schools(scope)), there))


def _ways(scope: Scope) -> list[ColumnElement[bool]]:
    """The same for lists, each by its own index; somebody may be found twice. An "or" would ask person by person."""
    if scope.city or scope.system:
        return [_within(scope, true())]
    reach = [Person.school_id.in_(_schools(scope))]
    reach += [Person.id.in_(select(PostHeld.person_id).where(there)) for there in _posted(scope)]
    return [_within(scope, way) for way in reach]


def _schools(scope: Scope) -> Select[str]:
    return select(School.id).where(visible_school(scope))


def _posted(scope: Scope) -> list[ColumnElement[bool]]:
    there: list[ColumnElement[bool]] = [PostHeld.school_id.in_(_schools(scope))]
    if scope.districts:  # with an empty list beside it no database uses an index
        there.append(PostHeld.district_id.in_(scope.districts))
    return there


def _within(scope: Scope, reach: ColumnElement[bool]) -> ColumnElement[bool]:
    seen = true() if scope.city or scope.system else reach
    if scope.token is None:
        return seen
    pupil = exists().where(PostHeld.person_id == Person.id, PostHeld.post == "pupil")
    return and_(~pupil, seen)  # a machine has no business with pupils


def _found(scope: Scope, wanted: PeopleFilter, today: date, key: ColumnElement[Any] | None = None) -> Subquery:
    """Ids, and what they are sorted by."""
    query = select(Person.id, Person.id.label("key") if key is None else key.label("key"))
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
    ways = [query.where(way) for way in _ways(scope)]
    return (ways[0] if len(ways) == 1 else union(*ways)).subquery()


def _key(sort: str) -> ColumnElement[Any]:
    school = select(School.code).where(School.id == Person.school_id).correlate(Person).scalar_subquery()
    columns: dict[str, ColumnElement[Any]] = {"login": Person.login.expression, "school": school}
    return columns.get(sort.lstrip("-"), Person.name.expression)


def count(scope: Scope, wanted: PeopleFilter, today: date) -> Select[int]:
    return select(func.count()).select_from(_found(scope, wanted, today))


async def list_people(
    session: AsyncSession, scope: Scope, wanted: PeopleFilter, today: date, page: int, size: int
) -> tuple[list[Person], Paging]:
    paging = Paging(page, await session.scalar(count(scope, wanted, today)) or 0, size)
    # names first: they are in an index, while a row is found one by one
    found = _found(scope, wanted, today, _key(wanted.sort))
    order = found.c.key.desc() if wanted.sort.startswith("-") else found.c.key
    query = select(found.c.id).order_by(order, found.c.id).offset(paging.offset).limit(size)
    ids = list(await session.scalars(query))
    rows = {one.id: one for one in await session.scalars(select(Person).options(POSTS).where(Person.id.in_(ids)))}
    return [rows[one] for one in ids], paging


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
