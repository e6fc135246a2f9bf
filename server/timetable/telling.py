"""Telling of a timetable that was published anew: each person once, however many of their lessons it changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from server.classrooms.models import Classroom
from server.clock import city_date
from server.lessons.models import Lesson
from server.notices import service as notices
from server.notices import store
from server.notices.models import Notice
from server.schools.models import Room
from server.scope import SYSTEM, Scope

Kind = Literal["added", "changed", "withdrawn"]
Words = dict[str, Any]
Keys = tuple[str, ...]
ABOUT: Keys = ("published", "published_many", "replanned")
ASKED: Keys = ("invited", "invited_many")
"""Sentences: of one classroom, of several, and where older lessons are touched."""
COUNTS = ("added", "changed", "withdrawn", "count")
A_SITTING = timedelta(hours=12)
"""So long the parts of one publishing belong together."""


@dataclass(frozen=True, slots=True)
class Concerned:
    """Who teaches and assists, each class's 班主任, and the schools that answer for the rooms."""

    people: frozenset[str]
    schools: frozenset[str]

    @staticmethod
    def _of(people: Iterable[str | None], rooms: Iterable[Room]) -> Concerned:
        return Concerned(frozenset(one for one in people if one), frozenset(room.school_id for room in rooms))

    @classmethod
    def of(cls, lesson: Lesson) -> Concerned:
        rooms = [lesson.lead_room, *(one.room for one in lesson.receipts)]
        return cls._of(notices.of_class(lesson), rooms)

    @classmethod
    def by(cls, classroom: Classroom) -> Concerned:
        """As the classroom wants it now."""
        held = classroom.receivers
        aides = [person for one in held for person in (one.assistant_id, notices.head_of(one.school_class))]
        leads = [classroom.lead_teacher_id, notices.head_of(classroom.lead_class)]
        return cls._of([*leads, *aides], [classroom.lead_room, *(one.room for one in held)])


@dataclass(slots=True)
class Told:
    """What one person hears of one publishing."""

    added: int = 0
    changed: int = 0
    withdrawn: int = 0
    names: list[str] = field(default_factory=list)
    """Classrooms: those that are newly published for them, or that ask them."""
    href: str = "/timetable"
    lesson: Lesson | None = None
    """The next one that is changed or withdrawn."""
    bells: set[store.Bell] = field(default_factory=set)
    """Of all of them, for who comes to them."""

    def meet(self, lesson: Lesson) -> None:
        self.lesson = min(self.lesson or lesson, lesson, key=lambda one: (one.starts_at, one.id))


@dataclass(slots=True)
class Telling:
    """Who hears what, gathered while a timetable is published and told at its end: of the timetable once, and once more
    whose answer is asked. ``run``: parts that are one publishing; who has heard of an earlier part finds the later one
    in the same notice."""

    run: str = ""
    shares: dict[str, Told] = field(default_factory=dict)
    asked: dict[str, Told] = field(default_factory=dict)
    _holders: dict[str, list[str]] = field(default_factory=dict)

    async def count(
        self,
        session: AsyncSession,
        kind: Kind,
        concerned: Sequence[Concerned],
        lesson: Lesson | None,
        now: datetime,
        *other: datetime,
    ) -> None:
        """``other``: bells that the lesson had or gets, beside the one it has."""
        come = {person for one in concerned for person in one.people}
        people = set(come)
        for school in {school for one in concerned for school in one.schools}:
            people.update(await self._of(session, school, now))
        for person in people:
            share = self.shares.setdefault(person, Told())
            setattr(share, kind, getattr(share, kind) + 1)
            if lesson is not None:
                share.meet(lesson)
                if person in come:
                    share.bells.update((lesson.id, at) for at in (lesson.starts_at, *other))

    async def _of(self, session: AsyncSession, school: str, now: datetime) -> list[str]:
        if school not in self._holders:
            self._holders[school] = await store.holders(session, SYSTEM, [school], city_date(now))
        return self._holders[school]

    def publish(self, classroom: Classroom) -> None:
        """Who teaches and assists there hears of it, though none of their older lessons is touched."""
        for person in Concerned.by(classroom).people:
            share = self.shares.setdefault(person, Told())
            share.names.append(classroom.name)
            alone = len(share.names) == 1 and share.lesson is None
            share.href = f"/timetable?of=classroom&id={classroom.id}" if alone else "/timetable"

    async def ask(self, session: AsyncSession, school: str, name: str, now: datetime) -> None:
        for person in await self._of(session, school, now):
            self.asked.setdefault(person, Told(href="/invitations")).names.append(name)

    async def tell(self, session: AsyncSession, scope: Scope, now: datetime, due: date | None = None) -> None:
        heard = {person: share for person, share in self.shares.items() if share.names or share.lesson}
        await self._tell(session, scope, heard, ABOUT, {}, now)
        if due is not None:
            await self._tell(session, scope, self.asked, ASKED, {"due_date": due.isoformat()}, now)

    async def _tell(
        self, session: AsyncSession, scope: Scope, shares: Mapping[str, Told], keys: Keys, more: Words, now: datetime
    ) -> None:
        earlier = await self._earlier(session, shares, keys, now)
        alike: dict[str, tuple[Words, Told, list[str]]] = {}
        for person, share in shares.items():
            words = {**_words(share), **more, **({"run": self.run} if self.run else {})}
            if held := earlier.get(person):
                both = _both(held.words, words)
                href = share.href if keys is ASKED else "/timetable"
                await notices.tell_more(
                    session, scope, held, _key(both, keys), both, href, now, share.lesson, share.bells
                )
            else:
                same = repr((share.href, sorted(words.items())))
                alike.setdefault(same, (words, share, []))[2].append(person)
        for words, share, people in alike.values():
            key = _key(words, keys)
            bells = {person: shares[person].bells for person in people}
            await notices.tell(session, scope, sorted(people), key, words, share.href, now, share.lesson, bells)

    async def _earlier(
        self, session: AsyncSession, shares: Mapping[str, Told], keys: Keys, now: datetime
    ) -> dict[str, Notice]:
        if not self.run:
            return {}
        rows = await store.since(session, SYSTEM, list(shares), keys, now - A_SITTING)
        return {row.person_id: row for row in rows if row.words.get("run") == self.run}


def _words(share: Told) -> Words:
    words: Words = {"added": share.added, "changed": share.changed, "withdrawn": share.withdrawn}
    if share.names:
        words |= {"name": share.names[0], "count": len(share.names)}
    if share.lesson is not None:
        words |= {"title": share.lesson.title, "starts_at": share.lesson.starts_at.isoformat()}
    return words


def _both(old: Words, new: Words) -> Words:
    """Of two parts: numbers add up, the first name stands, the next lesson is the earlier one, the answer is due by the
    earlier day."""
    added = {name: old.get(name, 0) + new.get(name, 0) for name in COUNTS}
    next_ = min((one for one in (old, new) if "starts_at" in one), key=lambda one: _moment(one), default=new)
    due = {"due_date": min(one["due_date"] for one in (old, new))} if "due_date" in new else {}
    return {**new, **old, **{name: next_[name] for name in ("title", "starts_at") if name in next_}, **added, **due}


def _moment(words: Words) -> datetime:
    return datetime.fromisoformat(words["starts_at"])


def _key(words: Words, keys: Keys) -> str:
    if words["changed"] or words["withdrawn"]:
        return keys[-1]
    return keys[1] if words.get("count", 0) > 1 else keys[0]
