"""Telling of many lessons changed in one act: each person once, however many of theirs are among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.lessons.models import Lesson
from server.notices import service as notices
from server.outbox import service as outbox
from server.outbox.events import of_lesson
from server.scope import Scope
from server.timetable.telling import Concerned, Telling


@dataclass(frozen=True, slots=True)
class Were:
    """What a lesson had before it was changed: people who come no more, and bells at which nobody comes."""

    people: frozenset[str] = frozenset()
    bells: tuple[datetime, ...] = ()


async def tell_all(
    session: AsyncSession,
    scope: Scope,
    lessons: Sequence[Lesson],
    key: str,
    now: datetime,
    words: dict[str, Any],
    were: Mapping[str, Were] | None = None,
) -> None:
    """Whoever has one lesson among them is told ``key`` of it; whoever has several ``key``_many, of the next one and
    how many they are. ``were``: by lesson what it was until now, where that differs."""
    told, heard, gone = Telling(), await outbox.heard(session), set[str]()
    for lesson in lessons:
        was = (were or {}).get(lesson.id, Were())
        still = Concerned.of(lesson)
        await told.count(session, "changed", [still, Concerned(was.people, frozenset())], lesson, now, *was.bells)
        gone |= was.people - still.people
        if heard:
            await outbox.announce(session, of_lesson(key, lesson, now), now)
    alike: dict[tuple[str, int, bool], tuple[Lesson, list[str]]] = {}
    for person, share in told.shares.items():
        if share.lesson is not None:
            alike.setdefault((share.lesson.id, share.changed, person in gone), (share.lesson, []))[1].append(person)
    for (_, count, away), (lesson, people) in alike.items():
        bells = {person: told.shares[person].bells for person in people}
        named = {"title": lesson.title, "starts_at": lesson.starts_at.isoformat(), **words}
        if count == 1:
            href = "/desk" if away else f"/lessons/{lesson.id}"
            await notices.tell(session, scope, sorted(people), key, named, href, now, lesson, bells)
        else:
            many = {**named, "count": count}
            await notices.tell(session, scope, sorted(people), f"{key}_many", many, "/timetable", now, lesson, bells)
