"""How everybody in a room fared in the last minutes: what the media plane measured and what pages reported, as rows.

Pure; kept in memory only, for the page on which an administrator looks for the weak line while the lesson runs. What
must last is a fact (``reception.py``, ``presence.py``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from media.parameters import TransportStats
from signaling.negotiation import Pc
from signaling.participant import Participant

EVERY = 5.0
"""Seconds between two rows: two reports of a page, a hundred of its pictures."""
KEPT = 120
"""Ten minutes: what somebody on the telephone calls "just now"."""


@dataclass(frozen=True, slots=True)
class Row:
    """One peer at ``at_ms`` (node's wall clock). Rates and counts are of the time since the row before."""

    at_ms: int
    rtt_ms: float | None
    loss: float | None
    jitter_ms: float | None
    up_loss: float | None
    """Of what the peer sends."""
    up_jitter_ms: float | None
    estimate: int | None
    """What the line to this peer is believed to carry, bit/s."""
    down: int
    """Sent to the peer, bit/s."""
    up: int
    freezes: int
    resent: int
    gets: str | None
    """The lesson's picture as it arrives: high, mid, low, stills, sound."""


@dataclass(slots=True)
class _Peer:
    card: dict[str, Any]
    rows: deque[Row] = field(default_factory=lambda: deque(maxlen=KEPT))
    counted: tuple[int, int, int, int] = (0, 0, 0, 0)
    """(bytes to it, bytes from it, freezes, resent) at the last row."""


@dataclass(slots=True)
class Seen:
    _peers: dict[str, _Peer] = field(default_factory=dict)
    _looked: float = -1e9

    def look(self, people: Mapping[str, Participant], stats: Sequence[TransportStats], at_ms: int, now: float) -> None:
        """Called every second; every fifth makes rows."""
        if now - self._looked < EVERY:
            return
        passed = min(now - self._looked, 2 * EVERY)
        self._looked = now
        by_name = {one.transport: one for one in stats}
        for seat, person in people.items():
            legs = {pc: by_name[leg.transport] for pc, leg in person.legs.items() if leg.transport in by_name}
            peer = self._peers.setdefault(seat, _Peer({}))
            peer.card = _card(person, legs)
            peer.rows.append(_row(peer, person, legs, at_ms, passed))
        for seat in [seat for seat in self._peers if seat not in people]:
            if at_ms - self._peers[seat].rows[-1].at_ms > KEPT * EVERY * 1000:
                del self._peers[seat]

    def to_json(self) -> dict[str, Any]:
        """Peers in the order they came; rows oldest first."""
        peers = [
            {**peer.card, "seat": seat, "rows": [asdict(row) for row in peer.rows]}
            for seat, peer in self._peers.items()
        ]
        return {"every_ms": int(EVERY * 1000), "peers": peers}


def _card(person: Participant, legs: Mapping[Pc, TransportStats]) -> dict[str, Any]:
    seat = person.seat
    return {
        "role": seat.role,
        "name": seat.name,
        "school": seat.school,
        "room": seat.room,
        "here": person.away_since is None,
        "paths": sorted({one.path for one in legs.values() if one.path}),
        "sends": person.published(),
    }


def _row(peer: _Peer, person: Participant, legs: Mapping[Pc, TransportStats], at_ms: int, passed: float) -> Row:
    sub, pub = legs.get("sub"), legs.get("pub")
    held = (sub.sent_bytes if sub else 0, pub.received_bytes if pub else 0)
    counted = (*held, person.freezes, sub.retransmitted if sub else 0)
    down, up, freezes, resent = (_rise(a, b) for a, b in zip(peer.counted, counted, strict=True))
    first = not peer.rows
    peer.counted = counted
    return Row(
        at_ms,
        _worst(person.rtt_ms, sub.rtt_ms if sub else None, pub.rtt_ms if pub else None),
        _worst(person.loss, sub.loss if sub else None),
        _worst(person.jitter_ms, sub.jitter_ms if sub else None),
        _worst(pub.up_loss if pub else None),
        _worst(pub.up_jitter_ms if pub else None),
        sub.estimate if sub else None,
        0 if first else int(8 * down / passed),
        0 if first else int(8 * up / passed),
        0 if first else freezes,
        0 if first else resent,
        person.reception.gets,
    )


def _rise(before: int, after: int) -> int:
    """Counters begin anew with a new connection."""
    return after - before if after >= before else after


def _worst(*figures: float | None) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return round(max(known), 4) if known else None
