"""Nobody and nothing in two places at once: claims on people, rooms, classes and devices, and the clashes between them.

Pure. Spans are half-open: a lesson that begins when another ends does not clash with it, and no gap is asked for
(pains P15).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Kind = Literal["person", "room", "class", "device"]


@dataclass(frozen=True, slots=True, order=True)
class Resource:
    """What can be in one place at a time. A teacher who assists elsewhere is one person."""

    kind: Kind
    id: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A lesson as a timetable sees it: what it needs, and when. ``id`` stays through every move."""

    id: str
    starts_at: datetime
    ends_at: datetime
    needs: frozenset[Resource]

    def meets(self, other: Entry) -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(frozen=True, slots=True)
class Clash:
    """``wanted`` cannot be, because ``held`` already has ``resource`` then."""

    resource: Resource
    wanted: Entry
    held: Entry


def entry(
    id_: str,
    starts_at: datetime,
    ends_at: datetime,
    *,
    people: Iterable[str | None] = (),
    rooms: Iterable[str | None] = (),
    classes: Iterable[str | None] = (),
    devices: Iterable[str | None] = (),
) -> Entry:
    """Empty names are left out: an assistant who is not named yet claims nothing."""
    named: tuple[tuple[Kind, Iterable[str | None]], ...] = (
        ("person", people),
        ("room", rooms),
        ("class", classes),
        ("device", devices),
    )
    needs = frozenset(Resource(kind, one) for kind, ids in named for one in ids if one)
    return Entry(id_, starts_at, ends_at, needs)


def clashes(wanted: Iterable[Entry], held: Iterable[Entry] = ()) -> list[Clash]:
    """Every clash of the wanted entries with the held ones and among themselves. An entry replaces its own older self.

    By resource in order of time: the cost is that of sorting what the wanted ones need, plus the clashes found.
    """
    new = {one.id: one for one in wanted}
    claims: dict[Resource, list[tuple[Entry, bool]]] = defaultdict(list)
    for one in new.values():
        for resource in one.needs:
            claims[resource].append((one, True))
    for one in held:
        if one.id not in new:
            for resource in one.needs & claims.keys():
                claims[resource].append((one, False))
    found = [clash for resource in sorted(claims) for clash in _of_one(resource, claims[resource])]
    return sorted(found, key=lambda one: (one.wanted.starts_at, one.wanted.id, one.resource, one.held.id))


def _of_one(resource: Resource, claims: list[tuple[Entry, bool]]) -> Iterator[Clash]:
    running: list[tuple[Entry, bool]] = []
    for one, is_new in sorted(claims, key=lambda claim: (claim[0].starts_at, claim[0].id)):
        running = [held for held in running if held[0].ends_at > one.starts_at]
        for other, other_new in running:
            if is_new or other_new:
                yield Clash(resource, one, other) if is_new else Clash(resource, other, one)
        running.append((one, is_new))


def days_needed(entries: Iterable[Entry], zone_offset: timedelta) -> list[tuple[str, str]]:
    """(resource, date) pairs that hold the entries, sorted: what two administrators lock, in the same order."""
    found = set()
    for one in entries:
        day = (one.starts_at + zone_offset).date()
        last = (one.ends_at + zone_offset - timedelta(microseconds=1)).date()
        while day <= last:
            found |= {(resource.key, day.isoformat()) for resource in one.needs}
            day += timedelta(days=1)
    return sorted(found)
