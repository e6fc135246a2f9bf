"""Parts of the city as forms and rows name them: a school, a district, or the city as a whole.

In a row two columns, ``school_id`` and ``district_id`` (neither: the city); in a form "school:<id>", "district:<code>",
"city".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import NotFoundError
from server.schools import store
from server.schools.service import part_of
from server.scope import Action, Part, Scope, allows

PLACE = r"^(city|district:[0-9]{6}|school:[a-z0-9]{1,24})$"


class Placed(Protocol):
    """A row that is of a school, of a district, or of the city."""

    @property
    def school_id(self) -> str | None: ...

    @property
    def district_id(self) -> str | None: ...


P = TypeVar("P", bound=Placed)


def split(place: str) -> tuple[str | None, str | None]:
    """(school, district)"""
    kind, _, id_ = place.partition(":")
    return (id_ if kind == "school" else None, id_ if kind == "district" else None)


def name_of(row: Placed) -> str:
    return f"school:{row.school_id}" if row.school_id else f"district:{row.district_id}" if row.district_id else "city"


async def part(session: AsyncSession, scope: Scope, school: str | None, district: str | None) -> Part:
    """The part to ask the rights table about; NotFoundError for a school outside the scope."""
    if school is None:
        return Part(district=district)
    found = await store.school(session, scope, school)
    if found is None:
        raise NotFoundError
    return part_of(found)


async def writable(session: AsyncSession, scope: Scope, action: Action, rows: Iterable[P]) -> list[P]:
    """Those of the rows that the asker may do this with."""
    held = list(rows)
    found = await store.schools_by_id(session, scope, {one.school_id for one in held if one.school_id})

    def may(row: P) -> bool:
        if row.school_id is None:
            return allows(scope, action, Part(district=row.district_id))
        return row.school_id in found and allows(scope, action, part_of(found[row.school_id]))

    return [one for one in held if may(one)]


async def choices(
    session: AsyncSession, scope: Scope, action: Action, city: str, locale: str
) -> Sequence[tuple[str, str]]:
    """(place, its name) of everything the asker may do this for: the broadest first. ``city``: the city's name."""
    found = [("city", city)] if allows(scope, action, Part()) else []
    for one in await store.districts(session, scope):
        if allows(scope, action, Part(district=one.id)):
            found.append((f"district:{one.id}", one.name if locale == "zh-CN" else one.name_en))
    for school in await store.schools_named(session, scope):
        if allows(scope, action, part_of(school)):
            found.append((f"school:{school.id}", school.name))
    return found
