"""Screens of the demo's receiving rooms and what they found out about themselves, told as they would have sent it.

Marked ``demo`` on every row; judged by the same table as any other. A made-up screen has nobody who keeps it on, so it
is taken as on until the day's end. Everything hangs on the room's id: the same room has the same troubles.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from server.clock import CITY, city_date
from server.demo.lessons import courses, special
from server.demo.participation import GOOD, WEAK, link_of
from server.ids import named_id
from server.schools.models import Device, Room
from server.selftests.models import SelfTest
from server.selftests.service import verdict_of
from server.timetable.terms import is_school_day

DAYS_BACK = 6
WELL: dict[str, Any] = {
    "camera": "good", "microphone": "good", "loudspeaker": "heard", "path": "all_good", "disk_mb": 9000,
    "chromium": 109, "clock_ms": 400,
}  # fmt: skip
TROUBLES: tuple[tuple[float, dict[str, Any] | None], ...] = (
    (0.05, None),  # not switched on
    (0.05, {"loudspeaker": "unheard"}),
    (0.04, {"camera": "dark"}),
    (0.05, {"path": "tcp_only"}),
    (0.04, {"clock_ms": -95_000}),
    (0.03, {"camera": "none"}),
    (0.03, {"loudspeaker": "faint"}),
)
FIRST: tuple[dict[str, Any] | None, ...] = ({}, {"loudspeaker": "unheard"}, {"path": "tcp_only"})
"""The demo teacher's three rooms: a green, a red and a yellow light on the first desk one sees."""


def rooms() -> list[Room]:
    return [room for course in courses() for room in course.receiving_rooms()]


def trouble(place: int, room: str) -> dict[str, Any] | None:
    """What is the matter in this room; None: nobody has switched it on today."""
    if place < len(FIRST):
        return FIRST[place]
    chance = random.Random(f"light {room}").random()
    for share, found in TROUBLES:
        if chance < share:
            return found
        chance -= share
    return {}


def device_id(room: str) -> str:
    return named_id("demo", "device", room)


def devices(now: datetime, since: date) -> Iterator[Device]:
    bound = datetime.combine(since, time(9), CITY).astimezone(UTC)
    for place, room in enumerate(rooms()):
        yield Device(
            id=device_id(room.id), room_id=room.id, bound_at=bound, created_at=bound, seen_at=seen(place, room.id, now)
        )


def seen(place: int, room: str, now: datetime) -> datetime:
    today = city_date(now)
    off = trouble(place, room) is None
    last = datetime.combine(today - timedelta(days=1), time(17), CITY) if off else _midnight(today + timedelta(days=1))
    return last.astimezone(UTC)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CITY)


def tests(now: datetime) -> Iterator[SelfTest]:
    """The mornings of the last school days, and today's."""
    today, days = city_date(now), special()
    for place, room in enumerate(rooms()):
        for back in range(DAYS_BACK, -1, -1):
            day = today - timedelta(days=back)
            if back and not is_school_day(day, days):
                continue
            found = trouble(place, room.id) if back == 0 else {}
            if found is not None:
                yield _test(room, day, min(_morning(room.id, day), now), found)


def _morning(room: str, day: date) -> datetime:
    wait = random.Random(f"wait {room} {day}").randint(0, 240)
    return (datetime.combine(day, time(7, 30), CITY) + timedelta(seconds=wait)).astimezone(UTC)


def _test(room: Room, day: date, at: datetime, found: dict[str, Any]) -> SelfTest:
    chance = random.Random(f"line {room.school_id} {day}")
    link = link_of(room.id)
    up, down = (4000, 20_000) if link is GOOD else (1200, 2600) if link is WEAK else (600, 1600)
    row = SelfTest(
        id=named_id("demo", "test", room.id, day),
        device_id=device_id(room.id),
        room_id=room.id,
        school_id=room.school_id,
        at=at,
        kind="loud",
        rtt_ms=chance.randint(12, 90),
        up_kbps=round(up * chance.uniform(0.85, 1.1)),
        down_kbps=round(down * chance.uniform(0.85, 1.1)),
        lacks=[],
        demo=True,
        **{**WELL, **found},
    )
    verdict = verdict_of([row])
    row.light, row.cause = verdict.light, verdict.cause
    return row
