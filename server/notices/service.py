"""Telling people: on the page, with 已读 / 未读, and from here on outwards (``outbox``): robots, telephones, webhooks.

Nobody is told of what they did themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person
from server.clock import city_date
from server.errors import NotFoundError
from server.ids import new_id
from server.lessons.models import Lesson
from server.notices import store
from server.notices.models import Notice
from server.outbox import service as outbox
from server.outbox.events import of_lesson
from server.schools.models import SchoolClass
from server.scope import SYSTEM, Part, Scope, allows
from server.templating import Texts, formats

URGENT = timedelta(days=1)
"""A lesson that begins so soon: also told by the ways that are for such notices only."""
RING = timedelta(minutes=30)
"""Whoever has not read of a change of their lesson so long before the bell is rung, however old the notice is."""

Bells = Mapping[str, Collection[store.Bell]]
"""By person: the bells before which they must have read what they are told."""

KEYS = (
    "invited",
    "invited_many",
    "published",
    "published_many",
    "replanned",
    "objected",
    "silent",
    "added",
    "moved",
    "cancelled",
    "cancelled_many",
    "order_left",
    "repaid",
    "teacher",
    "assistant",
    "room",
    "undone",
    "undone_many",
    "disputed",
    "settled",
    "span",
    "code",
    "mend_asked",
    "mend_approved",
    "mend_refused",
    "activity",
    "activity_moved",
    "activity_cancelled",
    "channel_off",
    "demand_posted",
    "demand_agreed",
    "demand_withdrawn",
    "offer_made",
    "offer_accepted",
    "offer_passed",
    "test",
)
"""notices.text.<key>"""


async def tell(
    session: AsyncSession,
    scope: Scope,
    people: Iterable[str | None],
    key: str,
    words: dict[str, Any],
    href: str,
    now: datetime,
    lesson: Lesson | None = None,
    bells: Bells | None = None,
) -> None:
    """``bells``: else who is of the lesson's class is to have read it before the lesson."""
    urgent = lesson is not None and lesson.starts_at - now < URGENT
    told = [one for one in dict.fromkeys(people) if one]
    rows = [
        Notice(
            id=new_id(),
            person_id=person,
            key=key,
            words=words,
            href=href,
            lesson_id=lesson.id if lesson else None,
            urgent=urgent,
            at=now,
        )
        for person in told
        if person != scope.person
    ]
    if bells is None:
        bells = bells_of(lesson, of_class(lesson)) if lesson is not None else {}
    await store.add(session, SYSTEM, *rows, bells=bells)
    await outbox.spread(session, scope, told, key, words, href, now, lesson=lesson, urgent=urgent)
    if lesson is not None:
        await outbox.announce(session, of_lesson(key, lesson, now), now)


async def tell_more(
    session: AsyncSession,
    scope: Scope,
    held: Notice,
    key: str,
    words: dict[str, Any],
    href: str,
    now: datetime,
    lesson: Lesson | None = None,
    bells: Iterable[store.Bell] = (),
) -> None:
    """More of what somebody has been told already: the same notice says all of it and is unread again. It goes outwards
    once more only where it has become urgent."""
    urgent = lesson is not None and lesson.starts_at - now < URGENT
    if urgent and not held.urgent:
        await outbox.spread(session, scope, [held.person_id], key, words, href, now, lesson=lesson, urgent=True)
    held.key, held.words, held.href, held.at, held.read_at = key, words, href, now, None
    held.urgent = held.urgent or urgent
    held.lesson_id = lesson.id if urgent and lesson else held.lesson_id
    await store.add_bells(session, SYSTEM, held.id, bells)


async def tell_school(
    session: AsyncSession,
    scope: Scope,
    schools: Collection[str],
    key: str,
    words: dict[str, Any],
    href: str,
    now: datetime,
) -> None:
    people = await store.holders(session, SYSTEM, schools, city_date(now))
    await tell(session, scope, people, key, words, href, now)


async def tell_districts(
    session: AsyncSession,
    scope: Scope,
    districts: Iterable[str | None],
    key: str,
    words: dict[str, Any],
    href: str,
    now: datetime,
) -> None:
    """The city's own schools have the city above them."""
    named = list(districts)
    people = await store.district_holders(session, SYSTEM, [one for one in named if one], city_date(now))
    if None in named:
        people += await store.city_holders(session, SYSTEM, city_date(now))
    await tell(session, scope, people, key, words, href, now)


def of_class(lesson: Lesson) -> list[str]:
    """Who comes to the lesson, and would come in vain: who teaches, who assists, and each class's 班主任."""
    aides = [one for held in lesson.receipts for one in (held.assistant_id, head_of(held.school_class))]
    return [one for one in (lesson.teacher_id, head_of(lesson.lead_class), *aides) if one]


def head_of(held: SchoolClass | None) -> str | None:
    """班主任 of the class that sits in a room."""
    return held.head_id if held else None


def bells_of(lesson: Lesson, people: Iterable[str | None], *old: datetime) -> Bells:
    """For these people the lesson's bell; ``old``: the bells it had."""
    held = {(lesson.id, at) for at in (lesson.starts_at, *old)}
    return {one: held for one in people if one}


async def concerned(session: AsyncSession, lesson: Lesson, now: datetime) -> list[str]:
    """Everybody whom a change of a lesson concerns: who comes to it, and who answers for the schools."""
    schools = {lesson.lead_room.school_id, *(receipt.room.school_id for receipt in lesson.receipts)}
    return [*of_class(lesson), *await store.holders(session, SYSTEM, schools, city_date(now))]


async def to_ring(session: AsyncSession, scope: Scope, now: datetime) -> list[tuple[Notice, Person, Lesson]]:
    """Of the asker's own schools' people, each once a lesson with the latest notice."""
    if not allows(scope, "lesson.ring"):
        return []
    rows = await store.to_ring(session, scope, now, now + RING)
    mine = [row for row in rows if allows(scope, "lesson.ring", Part(row[3].id, row[3].supervised_by))]
    return list({(person.id, lesson.id): (notice, person, lesson) for notice, person, lesson, _ in mine}.values())


async def read(session: AsyncSession, scope: Scope, notice_id: str, now: datetime) -> Notice:
    found = await store.notice(session, scope, notice_id)
    if found is None:
        raise NotFoundError
    found.read_at = found.read_at or now
    return found


def sentence(notice: Notice, t: Texts) -> str:
    """In the reader's language: "…_at" is a moment, "…_date" a day, "…_key" a text of its own."""
    shown = formats(t.locale)
    words: dict[str, Any] = {}
    for name, value in notice.words.items():
        if name.endswith("_at"):
            words[name] = shown["datetime"](datetime.fromisoformat(value))
        elif name.endswith("_date"):
            words[name] = shown["date"](date.fromisoformat(value))
        elif name.endswith("_key"):
            words[name] = t(value)
        else:
            words[name] = value
    return t(f"notices.text.{notice.key}", **words)
