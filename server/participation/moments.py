"""Sets wrong node clocks right, so that a clock moves no figure. Pure.

A node stamps facts with its wall clock (``at_ms``) and with room time, which is monotonic. Two faults can be proved
and are mended: a clock that is ahead (a fact cannot have been received before it happened) and a clock that was set
while the lesson ran (room time and wall time drift apart). A clock that is steadily behind cannot be told from facts
that came late.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median_low

from signaling.facts import Fact

TOLERANCE_MS = 2_000
"""Below this a clock is right: NTP keeps machines well within it, and batches are stamped a moment before they
leave.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact as the ledger holds it."""

    fact: Fact
    received_ms: int


def corrected(entries: Iterable[Entry]) -> list[Fact]:
    """The facts with ``at_ms`` (and a presence's ``from_at`` and ``to_at``) on the web's clock, in order of room
    time.
    """
    by_epoch: dict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_epoch[entry.fact.epoch].append(entry)
    facts = [fact for epoch in sorted(by_epoch) for fact in _mend(by_epoch[epoch])]
    return sorted(facts, key=lambda fact: (fact.at_ms, fact.epoch, fact.room_ms, fact.id))


def _mend(entries: list[Entry]) -> list[Fact]:
    origin = _origin(entries)
    stepped = [_shifted(entry, _step(entry.fact, origin)) for entry in entries]
    lead = max(entry.fact.at_ms - entry.received_ms for entry in stepped)
    return [_shifted(entry, -lead if lead > TOLERANCE_MS else 0).fact for entry in stepped]


def _origin(entries: list[Entry]) -> int | None:
    """Wall time of room time zero as most facts have it; facts from before the opening carry no room time."""
    origins = [entry.fact.at_ms - entry.fact.room_ms for entry in entries if entry.fact.room_ms > 0]
    return median_low(origins) if origins else None


def _step(fact: Fact, origin: int | None) -> int:
    if origin is None or fact.room_ms <= 0:
        return 0
    drift = origin + fact.room_ms - fact.at_ms
    return drift if abs(drift) > TOLERANCE_MS else 0


def _shifted(entry: Entry, by: int) -> Entry:
    if by == 0:
        return entry
    fact = entry.fact
    data = {key: value + by if key in ("from_at", "to_at") else value for key, value in fact.data.items()}
    return replace(entry, fact=replace(fact, at_ms=fact.at_ms + by, data=data))
