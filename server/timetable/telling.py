"""Telling of a timetable that was published anew: each person once, however many of their lessons it changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from server.classrooms.models import Classroom
from server.clock import city_date
from server.lessons.models import Lesson
from server.notices import service as notices
from server.notices import store
from server.schools.models import Room
from server.scope import SYSTEM, Scope

Kind = Literal["added", "changed", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Concerned:
    """Who teaches and assists, and the schools that answer for the rooms."""

    people: frozenset[str]
    schools: frozenset[str]

    @staticmethod
    def _of(people: Iterable[str | None], rooms: Iterable[Room]) -> Concerned:
        return Concerned(frozenset(one for one in people if one), frozenset(room.school_id for room in rooms))

    @classmethod
    def of(cls, lesson: Lesson) -> Concerned:
        held = lesson.receipts
        people = [lesson.teacher_id, *(one.assistant_id for one in held)]
        return cls._of(people, [lesson.lead_room, *(one.room for one in held)])

    @classmethod
    def by(cls, classroom: Classroom) -> Concerned:
        """As the classroom wants it now."""
        held = classroom.receivers
        people = [classroom.lead_teacher_id, *(one.assistant_id for one in held)]
        return cls._of(people, [classroom.lead_room, *(one.room for one in held)])


@dataclass(slots=True)
class Telling:
    """How many of whose lessons are added, changed, withdrawn."""

    shares: dict[str, Counter[Kind]] = field(default_factory=dict)
    first: dict[str, Lesson] = field(default_factory=dict)
    """The next lesson of each person that is changed or withdrawn."""
    _holders: dict[str, list[str]] = field(default_factory=dict)

    async def count(
        self, session: AsyncSession, kind: Kind, concerned: Sequence[Concerned], lesson: Lesson | None, now: datetime
    ) -> None:
        people = {person for one in concerned for person in one.people}
        for school in {school for one in concerned for school in one.schools}:
            if school not in self._holders:
                self._holders[school] = await store.holders(session, SYSTEM, [school], city_date(now))
            people.update(self._holders[school])
        for person in people:
            self.shares.setdefault(person, Counter())[kind] += 1
            if lesson is not None:
                held = self.first.setdefault(person, lesson)
                self.first[person] = min(held, lesson, key=lambda one: (one.starts_at, one.id))

    def people(self) -> frozenset[str]:
        """Whoever has a lesson changed or withdrawn; who only gets new ones is told of their classrooms."""
        return frozenset(self.first)

    async def tell(self, session: AsyncSession, scope: Scope, now: datetime) -> None:
        alike: dict[tuple[str, int, int, int], list[str]] = {}
        for person, lesson in self.first.items():
            share = self.shares[person]
            alike.setdefault((lesson.id, share["added"], share["changed"], share["withdrawn"]), []).append(person)
        for (_, added, changed, withdrawn), people in alike.items():
            lesson = self.first[people[0]]
            words = {"title": lesson.title, "starts_at": lesson.starts_at.isoformat()}
            counts = {"added": added, "changed": changed, "withdrawn": withdrawn}
            await notices.tell(session, scope, sorted(people), "replanned", words | counts, "/timetable", now, lesson)
