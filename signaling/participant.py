"""One seat that is taken: its socket, its two peer connections, how well it receives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from media.parameters import TransportStats
from signaling.messages import Report
from signaling.negotiation import Leg, Pc
from signaling.presence import Presence
from signaling.reception import Reception
from signaling.seats import Seat

Light = Literal["green", "yellow", "red"]

# Conversation suffers from 250 ms round trip and 3 % loss on, and is hopeless beyond 600 ms and 10 %.
YELLOW_RTT_MS, RED_RTT_MS = 250.0, 600.0
YELLOW_LOSS, RED_LOSS = 0.03, 0.10
HEARD_FOR = 25.0
"""A report (every 10 s) older than two of its periods says nothing of now."""
HALF = 0.5


@dataclass(slots=True)
class Participant:
    seat: Seat
    joined: float
    presence: Presence
    connection: str | None = None
    """The WebSocket; None while away (for a few seconds) or for WHIP / WHEP clients."""
    device: str | None = None
    path: str = "ws"
    spoke: float = 0.0
    """When its socket last said anything."""
    away_since: float | None = None
    legs: dict[Pc, Leg] = field(default_factory=dict)
    reception: Reception = field(default_factory=Reception)
    rtt_ms: float | None = None
    loss: float | None = None
    jitter_ms: float | None = None
    freezes: int = 0
    """Of its picture, since it came, as its page counts them."""
    up_loss: float | None = None
    """Of what it sends itself, as the media plane counts it."""
    heard: bool = False
    heard_at: float = -1e9

    def measure(self, report: Report, now: float) -> None:
        self.rtt_ms, self.loss, self.jitter_ms = report.rtt_ms, report.loss, report.jitter_ms
        self.freezes += report.freezes
        self.heard = report.connected_ms > 0 and report.heard_ms >= HALF * report.connected_ms
        self.heard_at = now

    def observe(self, stats: TransportStats) -> None:
        """What the media plane measured, for endpoints that do not report."""
        self.rtt_ms, self.loss = stats.rtt_ms, stats.loss

    def hears(self, now: float) -> bool:
        return self.heard and now - self.heard_at < HEARD_FOR

    def light(self, now: float, live: bool) -> Light:
        rtt, loss = self.rtt_ms or 0.0, self.loss or 0.0
        sub = self.legs.get("sub")
        receives = self.seat.role not in ("assistant", "encoder")
        if (
            self.away_since is not None
            or rtt > RED_RTT_MS
            or loss > RED_LOSS
            or (receives and not (sub and sub.connected))
        ):
            return "red"
        deaf = live and self.seat.role == "class" and not self.hears(now)
        return "yellow" if rtt > YELLOW_RTT_MS or loss > YELLOW_LOSS or deaf else "green"

    def published(self) -> list[str]:
        pub = self.legs.get("pub")
        return sorted(parameters.source for _, parameters in pub.tracks.values()) if pub and pub.connected else []

    def card(self, now: float, live: bool) -> dict[str, Any]:
        """As in messages.People; rounded, so that noise does not make news every second."""
        return {
            "seat": self.seat.id,
            "role": self.seat.role,
            "name": self.seat.name,
            "school": self.seat.school,
            "room": self.seat.room,
            "light": self.light(now, live),
            "rtt_ms": round(self.rtt_ms, -1) if self.rtt_ms is not None else None,
            "loss": round(self.loss, 2) if self.loss is not None else None,
            "up_loss": round(self.up_loss, 2) if self.up_loss is not None else None,
            "heard": self.hears(now),
            "publishing": self.published(),
            "gets": self.reception.gets,
        }
