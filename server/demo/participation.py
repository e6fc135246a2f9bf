"""What happened in the demo's past lessons, told as the facts a node would have sent: drops, late joins, mute
screens, absences.

Everything hangs on the lesson's id and its rooms, so that the same lesson has the same past for ever.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from server.clock import to_ms
from server.lessons.models import Lesson, Receipt
from server.participation.intervals import Intervals, gaps, union, within
from signaling.facts import Fact, FactKind

SECOND = 1000
MINUTE = 60 * SECOND
SLICE = MINUTE
"""A node reports presence every 10 s; a minute tells the same story with a sixth of the rows."""
PICTURE_SLICE = 5 * MINUTE
"""A node reports the picture every minute; so much is the longest that counts (``picture.py``)."""

Fate = Literal["held", "missed", "power", "network", "teacher_ill", "school_event", "weather"]
FATES: tuple[tuple[float, Fate], ...] = (
    (0.006, "missed"),
    (0.004, "power"),
    (0.005, "network"),
    (0.006, "teacher_ill"),
    (0.005, "school_event"),
    (0.010, "weather"),
)


@dataclass(frozen=True, slots=True)
class Link:
    """How well a school's line and habits serve it; chances are a lesson's."""

    absent: float
    late: float
    drops: tuple[int, ...]
    drop_minutes: tuple[float, float]
    mute: float
    unsigned: float
    picture: Literal["high", "mid", "low"]
    """What it carries most of the time."""
    poorer: float
    """That for some minutes it carried stills or sound alone."""


GOOD = Link(0.002, 0.02, (0, 0, 0, 0, 0, 0, 1), (0.4, 1.5), 0.003, 0.006, "high", 0.01)
WEAK = Link(0.010, 0.05, (0, 0, 1, 2), (0.8, 2.4), 0.060, 0.025, "mid", 0.20)
POOR = Link(0.030, 0.10, (0, 1, 2, 3, 4), (1.0, 3.5), 0.100, 0.040, "low", 0.55)


def link_of(room: str) -> Link:
    chance = random.Random(f"link {room}").random()
    return GOOD if chance < 0.78 else WEAK if chance < 0.95 else POOR


def fate(lesson: str) -> Fate:
    chance = random.Random(f"fate {lesson}").random()
    for share, what in FATES:
        if chance < share:
            return what
        chance -= share
    return "held"


def facts(lesson: Lesson) -> list[Fact]:
    """Everything a node would have reported of a lesson that was held."""
    chance = random.Random(f"facts {lesson.id}")
    opened = to_ms(lesson.starts_at) + chance.randint(-50, 60) * SECOND
    closed = to_ms(lesson.ends_at) + chance.randint(-20, 100) * SECOND
    told = [
        _fact(lesson, "LessonOpened", opened),
        *(fact for receipt in lesson.receipts for fact in _room(lesson, receipt, opened, closed)),
        *_teacher(lesson, opened, closed),
        _fact(lesson, "LessonClosed", closed),
    ]
    return _numbered(sorted(told, key=lambda fact: fact.at_ms), opened)


def received_after(told: list[Fact]) -> timedelta:
    """When the last of them reached the web, after the Unix epoch."""
    return timedelta(milliseconds=max(fact.at_ms for fact in told) + 5 * SECOND)


def _fact(lesson: Lesson, kind: FactKind, at_ms: int, room: str | None = None, **data: Any) -> Fact:
    return Fact("", kind, lesson.id, 1, 0, at_ms, room, data.pop("person", None), data)


COUNTED = ("Presence", "Spoke", "Quality", "EndpointJoined", "EndpointLeft")
"""Counted by the node itself, not made from an op."""


def _numbered(told: list[Fact], opened: int) -> list[Fact]:
    """Ids as nodes make them: op sequence numbers, and "p" numbers for the node's own counts."""
    numbered = []
    for number, fact in enumerate(told):
        label = f"p{number}" if fact.kind in COUNTED else str(number)
        numbered.append(replace(fact, id=f"{fact.lesson}:1:{label}", room_ms=max(0, fact.at_ms - opened)))
    return numbered


def _room(lesson: Lesson, receipt: Receipt, opened: int, closed: int) -> Iterator[Fact]:
    link, room, seat = link_of(receipt.room_id), receipt.room_id, f"r-{receipt.room_id}"
    chance = random.Random(f"room {lesson.id} {room}")
    if chance.random() < link.absent:
        return
    late = chance.random() < link.late
    joined = opened + (chance.randint(150, 620) if late else chance.randint(-110, -20)) * SECOND
    connected = _connected(chance, link, joined, closed)
    mute = _mute(chance, link, opened, closed)
    for start, end in connected:
        yield _fact(lesson, "EndpointJoined", start, room, role="class", seat=seat, path="udp")
        yield from _presences(lesson, room, seat, start, end, mute, opened)
        yield _fact(lesson, "EndpointLeft", end, room, role="class", seat=seat, reason="closed")
    yield from _pictures(link, lesson, room, seat, connected, opened)
    yield from _assistant(chance, link, lesson, receipt, joined, opened)
    yield from _pupils(chance, lesson, receipt, opened, closed)


def _connected(chance: random.Random, link: Link, joined: int, closed: int) -> Intervals:
    drops = []
    for _ in range(chance.choice(link.drops)):
        start = chance.randint(joined, closed)
        drops.append((start, start + round(chance.uniform(*link.drop_minutes) * MINUTE)))
    return gaps(union(drops), (joined, closed))


def _mute(chance: random.Random, link: Link, opened: int, closed: int) -> Intervals:
    """Picture without sound, until somebody noticed."""
    if chance.random() >= link.mute:
        return ()
    start = chance.randint(opened, closed - 5 * MINUTE)
    return ((start, start + chance.randint(3, 14) * MINUTE),)


def _presences(
    lesson: Lesson, room: str, seat: str, start: int, end: int, mute: Intervals, opened: int
) -> Iterator[Fact]:
    silent = union([*mute, (start, max(start, opened))])
    for begin in range(start, end, SLICE):
        until = min(begin + SLICE, end)
        heard = until - begin - sum(b - a for a, b in within(silent, (begin, until)))
        yield _fact(
            lesson,
            "Presence",
            until,
            room,
            role="class",
            seat=seat,
            from_at=begin,
            to_at=until,
            connected=True,
            heard_ms=heard,
            saw_ms=until - begin,
        )


def _pictures(link: Link, lesson: Lesson, room: str, seat: str, connected: Intervals, opened: int) -> Iterator[Fact]:
    """What the room got of the teacher's picture while it was there."""
    chance = random.Random(f"picture {lesson.id} {room}")
    poorer: Intervals = ()
    if chance.random() < link.poorer:
        start = opened + chance.randint(2, 30) * MINUTE
        poorer = ((start, start + chance.randint(20, 420) * SECOND),)
    worse = "sound" if chance.random() < 0.25 else "stills"
    for window in connected:
        for gets, spans in ((link.picture, gaps(poorer, window)), (worse, within(poorer, window))):
            for start, end in spans:
                for at in range(start, end, PICTURE_SLICE):
                    until = min(at + PICTURE_SLICE, end)
                    told = {"role": "class", "seat": seat, "from_at": at, "to_at": until, "gets": gets}
                    yield _fact(lesson, "Quality", until, room, **told)


def _assistant(
    chance: random.Random, link: Link, lesson: Lesson, receipt: Receipt, joined: int, opened: int
) -> Iterator[Fact]:
    if chance.random() < link.unsigned:
        return
    room, signed = receipt.room_id, joined + chance.randint(15, 75) * SECOND
    seat = f"a-{room}"
    yield _fact(lesson, "AssistantSignedIn", signed, room, seat=seat, person=receipt.assistant_id)
    absent = sorted(chance.sample(range(1, receipt.expected + 1), k=chance.choice((0, 0, 0, 0, 1, 1, 2))))
    yield _fact(
        lesson,
        "Headcount",
        max(signed, opened) + chance.randint(20, 120) * SECOND,
        room,
        expected=receipt.expected,
        present=receipt.expected - len(absent),
        absent_seats=absent,
    )


def _pupils(chance: random.Random, lesson: Lesson, receipt: Receipt, opened: int, closed: int) -> Iterator[Fact]:
    room, seat = receipt.room_id, f"r-{receipt.room_id}"
    for _ in range(chance.randint(0, 6)):
        at = chance.randint(opened + 3 * MINUTE, closed - 3 * MINUTE)
        yield _fact(lesson, "Hand", at, room, seat=seat, up=True, pupil=chance.randint(1, receipt.expected))
        if chance.random() < 0.6:
            yield _fact(lesson, "Floor", at + 20 * SECOND, room, seat=seat, given=True)
            yield _fact(lesson, "Floor", at + 70 * SECOND, room, seat=seat, given=False)
            span = {"from_at": at + 24 * SECOND, "to_at": at + 64 * SECOND}
            yield _fact(lesson, "Spoke", at + 64 * SECOND, room, role="class", seat=seat, **span)


def _teacher(lesson: Lesson, opened: int, closed: int) -> Iterator[Fact]:
    """Explains, lets the class work, explains again."""
    chance = random.Random(f"talk {lesson.id}")
    at = opened
    while at < closed - MINUTE:
        until = min(closed, at + chance.randint(60, 240) * SECOND)
        seat = f"t-{lesson.teacher_id}"
        yield _fact(lesson, "Spoke", until, role="teacher", seat=seat, from_at=at, to_at=until)
        at = until + chance.randint(10, 150) * SECOND
