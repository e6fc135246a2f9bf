"""The monthly report (月报) of a school, a district or the city: figures from roll-ups, and the lessons they came
from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import NotFoundError
from server.indicators import formulas, service, store
from server.indicators.models import FillState
from server.indicators.registry import Level
from server.indicators.rollup import month_of
from server.indicators.service import Figure
from server.indicators.store import CountedReceipt, PartName
from server.scope import Scope


@dataclass(frozen=True, slots=True)
class RoomLine:
    """One receiving room in the month."""

    room: str
    name: str
    school: str
    planned: int
    """Receipts not excused."""
    effective: int
    hours: float
    online: float | None

    @property
    def rate(self) -> float | None:
        return formulas.value(self.effective, self.planned)


@dataclass(frozen=True, slots=True)
class CauseLine:
    """停课 by cause; exempt ones left the denominators."""

    reason: str
    lessons: int
    receipts: int
    exempt: bool


@dataclass(frozen=True, slots=True)
class LessonLine:
    """One lesson with the receipts that belong to the report."""

    id: str
    title: str
    subject: str
    starts_at: datetime
    lead_school: str
    teacher: str
    receipts: list[CountedReceipt]

    @property
    def effective(self) -> int:
        return sum(receipt.figures.effective for receipt in self.receipts)

    @property
    def cancel_reason(self) -> str | None:
        return self.receipts[0].figures.cancel_reason


@dataclass(frozen=True, slots=True)
class Section:
    """A part in one role: a school may receive and lead."""

    level: Level
    part: PartName
    figures: Mapping[str, Figure]
    rooms: list[RoomLine]
    causes: list[CauseLine]
    lessons: list[LessonLine]


@dataclass(frozen=True, slots=True)
class Report:
    period: str
    scope: str
    part: PartName
    state: FillState
    sections: list[Section]


LEVELS: Mapping[str, tuple[Level, ...]] = {"school": ("school", "lead"), "district": ("district",), "city": ("city",)}


def parsed(key: str) -> tuple[tuple[Level, ...], str]:
    """ "school-<id>", "district-<code>", "city" -> levels and part."""
    kind, _, part = key.partition("-")
    if kind not in LEVELS or (kind == "city") == bool(part):
        raise NotFoundError
    return LEVELS[kind], part or "city"


async def report(session: AsyncSession, scope: Scope, period: str, key: str, now: datetime) -> Report:
    service.ask(scope)
    levels, part = parsed(key)
    await service.period_asked(session, scope, period, now)
    state = await store.fill_state(session, scope, period)
    sections = [section for level in levels if (section := await _section(session, scope, period, level, part, state))]
    if not sections or state is None:
        raise NotFoundError
    return Report(period, key, sections[0].part, state, sections)


async def _section(
    session: AsyncSession, scope: Scope, period: str, level: Level, part: str, state: FillState | None
) -> Section | None:
    name = (await store.names(session, scope, level)).get(part)
    figures = await service.figures_of(session, scope, period, level, part)
    if name is None or not figures or state is None or state.computed_at is None:
        return None
    receipts = await store.receipts_of(session, scope, month_of(period), state.computed_at, level, part)
    return Section(level, name, figures, rooms(receipts), causes(receipts), lessons(receipts))


def rooms(receipts: Iterable[CountedReceipt]) -> list[RoomLine]:
    by_room: dict[str, list[CountedReceipt]] = defaultdict(list)
    for receipt in receipts:
        by_room[receipt.figures.room].append(receipt)
    lines = [_room_line(room, of_room) for room, of_room in by_room.items()]
    return sorted(lines, key=lambda line: (line.school, line.name))


def _room_line(room: str, receipts: list[CountedReceipt]) -> RoomLine:
    figures = [receipt.figures for receipt in receipts]
    effective, planned = formulas.delivery_rate(figures)
    online = formulas.online_rate(figures)
    return RoomLine(
        room=room,
        name=receipts[0].room_name,
        school=receipts[0].school_name,
        planned=int(planned),
        effective=int(effective),
        hours=float(formulas.received_hours(figures)[0]),
        online=formulas.value(float(online[0]), float(online[1])),
    )


def causes(receipts: Iterable[CountedReceipt]) -> list[CauseLine]:
    by_reason: dict[str, list[CountedReceipt]] = defaultdict(list)
    for receipt in receipts:
        if receipt.figures.cancel_reason is not None:
            by_reason[receipt.figures.cancel_reason].append(receipt)
    return [
        CauseLine(reason, len({one.figures.lesson for one in held}), len(held), held[0].figures.excused)
        for reason, held in sorted(by_reason.items())
    ]


def lessons(receipts: Iterable[CountedReceipt]) -> list[LessonLine]:
    by_lesson: dict[str, list[CountedReceipt]] = defaultdict(list)
    for receipt in receipts:
        by_lesson[receipt.figures.lesson].append(receipt)
    return [
        LessonLine(lesson, of[0].title, of[0].subject, of[0].starts_at, of[0].lead_school_name, of[0].teacher, of)
        for lesson, of in by_lesson.items()
    ]
