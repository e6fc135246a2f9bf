"""Facts by the handful, and lessons with receipts, for tests of the ledger and the figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from server.accounts.models import Person
from server.clock import to_ms
from server.ids import new_id
from server.lessons.models import Lesson, Receipt
from server.schools.models import Room
from signaling.facts import Fact, FactKind
from tests.support.web import Web

MINUTE = 60_000
TEN = 10_000


class Story:
    """Tells what happened in one lesson; times are minutes after the planned start."""

    def __init__(self, lesson: Lesson, epoch: int = 1) -> None:
        self.lesson = lesson
        self.epoch = epoch
        self.start = to_ms(lesson.starts_at)
        self.opened_ms = self.start
        self.facts: list[Fact] = []

    def tell(self, kind: FactKind, minute: float, room: str | None = None, **data: Any) -> Fact:
        at = self.start + round(minute * MINUTE)
        if kind == "LessonOpened" and not self.facts:
            self.opened_ms = at
        fact = Fact(
            id=f"{self.lesson.id}:{self.epoch}:{len(self.facts)}",
            kind=kind,
            lesson=self.lesson.id,
            epoch=self.epoch,
            room_ms=max(0, at - self.opened_ms),
            at_ms=at,
            room=room,
            data=data,
        )
        self.facts.append(fact)
        return fact

    def open(self, minute: float = 0) -> Story:
        self.tell("LessonOpened", minute)
        return self

    def close(self, minute: float = 40) -> Story:
        self.tell("LessonClosed", minute)
        return self

    def reopen(self, minute: float) -> Story:
        self.tell("LessonReopened", minute)
        return self

    def sign_in(self, room: str, minute: float = -1) -> Story:
        self.tell("AssistantSignedIn", minute, room, seat=f"a-{room}", person="somebody")
        return self

    def hears(self, room: str, start: float, end: float, *, heard: bool = True, role: str = "class") -> Story:
        """Presence every ten seconds, as a node reports it."""
        first, last = self.start + round(start * MINUTE), self.start + round(end * MINUTE)
        for begin in range(first, last, TEN):
            until = min(begin + TEN, last)
            fact = self.tell(
                "Presence",
                (until - self.start) / MINUTE,
                room,
                role=role,
                seat=f"r-{room}",
                from_at=begin,
                to_at=until,
                connected=True,
                heard_ms=until - begin if heard else 0,
                saw_ms=until - begin,
            )
            assert fact.at_ms == until
        return self

    def skewed(self, by_ms: int, since_minute: float | None = None) -> list[Fact]:
        """The same facts from a node whose clock is wrong, all the time or since it was set."""
        since = self.start + round((since_minute or -1e6) * MINUTE)
        return [shifted(fact, by_ms) if fact.at_ms >= since else fact for fact in self.facts]


def shifted(fact: Fact, by_ms: int) -> Fact:
    data = {key: value + by_ms if key in ("from_at", "to_at") else value for key, value in fact.data.items()}
    return replace(fact, at_ms=fact.at_ms + by_ms, data=data)


async def lesson(
    web: Web,
    lead: Room,
    rooms: list[Room],
    teacher: Person,
    *,
    starts_at: datetime | None = None,
    minutes: int = 40,
    grade: int = 3,
    kind: str = "formal",
) -> Lesson:
    """A published lesson that starts now (the test's clock) unless said otherwise."""
    start = starts_at or web.clock.now()
    id_ = new_id()
    await web.add(
        Lesson(
            id=id_,
            title="《茉莉花》",
            subject="music",
            grade=grade,
            kind=kind,
            state="published",
            lead_room_id=lead.id,
            teacher_id=teacher.id,
            starts_at=start,
            ends_at=start + timedelta(minutes=minutes),
            created_at=web.clock.now(),
            receipts=[
                Receipt(
                    id=new_id(),
                    lesson_id=id_,
                    starts_at=start,
                    room_id=room.id,
                    position=seat + 1,
                    expected=room.pupils,
                )
                for seat, room in enumerate(rooms)
            ],
        )
    )
    async with web.database.reading() as session:
        return await session.get_one(Lesson, id_)
