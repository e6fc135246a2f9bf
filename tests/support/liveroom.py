"""A live room without any world: effects are carried out at once and kept, the media plane always agrees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from media.parameters import MediaEvent, TransportConnected, TransportLost
from signaling.clock import RoomClock
from signaling.effects import (
    Append,
    Close,
    Count,
    Dispose,
    Effect,
    Negotiate,
    Record,
    RemoveTransport,
    Route,
    Seal,
    Send,
)
from signaling.facts import Fact
from signaling.live import LiveRoom
from signaling.log import RoomLog
from signaling.messages import Intent, Offer, RoomSpec
from signaling.ops import Entry
from signaling.seats import Role, Seat
from tests.support.signaling import make_seat, make_spec

START_MS = 1_790_000_000_000
"""Wall clock at ``now`` zero."""


@dataclass
class Bench:
    """``now`` is seconds since the room was opened; ``hold`` keeps ops from being durable."""

    spec: RoomSpec
    room: LiveRoom
    now: float = 0.0
    hold: bool = False
    held: list[Entry] = field(default_factory=list)
    journal: list[Entry] = field(default_factory=list)
    sent: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    routes: dict[tuple[str, str], str | None] = field(default_factory=dict)
    recorded: dict[str, str] = field(default_factory=dict)
    _numbers: int = 0

    @classmethod
    def make(cls, spec: RoomSpec | None = None, entries: Iterable[Entry] = (), **more: Any) -> Bench:
        spec = spec or make_spec(starts_at_ms=START_MS + 3_600_000, **more)
        entries = list(entries)
        if entries:
            zero = entries[0].op.body["zero_at_ms"]
            clock = RoomClock.continued(zero, max(entry.op.t for entry in entries), START_MS + 60_000, 0.0)
        else:
            clock = RoomClock.fresh(START_MS, 0.0)
        bench = cls(spec, LiveRoom(spec, clock, RoomLog.replay(spec.epoch, entries)))
        bench.do(bench.room.opened(max((entry.op.epoch for entry in entries), default=0), 0.0))
        return bench

    def do(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            self.effects.append(effect)
            self._one(effect)

    def _one(self, effect: Effect) -> None:
        match effect:
            case Send():
                for connection in effect.connections:
                    self.sent.setdefault(connection, []).append(effect.message.model_dump())
            case Close():
                self.closed.append(effect.connection)
            case Append():
                self.held += effect.entries
                if not self.hold:
                    self.flush()
            case Count():
                self.facts += effect.facts
            case Route():
                self.routes[(effect.transport, effect.mid)] = effect.track
            case Record():
                if effect.parameters is None:
                    self.recorded.pop(effect.track, None)
                else:
                    self.recorded[effect.track] = effect.source
            case Negotiate() | RemoveTransport() | Seal() | Dispose():
                pass

    def flush(self) -> None:
        batch, self.held = tuple(self.held), []
        if batch:
            self.journal += batch
            self.do(self.room.durable(batch, self.now))

    # --- people ---------------------------------------------------------------------------------------------------

    def join(self, role: Role, room: str | None = None, device: str | None = "d", **more: Any) -> str:
        """The connection's id."""
        self._numbers += 1
        connection = f"c{self._numbers}"
        last = more.pop("last", None)
        self.do(self.room.join(connection, self.seat(role, room, **more), device, last, "resume", self.now))
        return connection

    def seat(self, role: Role, room: str | None = None, **more: Any) -> Seat:
        return make_seat(role, room, epoch=self.spec.epoch, **more)

    def wish(self, connection: str, kind: str, _id: str | None = None, **body: Any) -> dict[str, Any] | None:
        """The answer: done, error, or None when it is still held."""
        self._numbers += 1
        wish = _id or f"w{self._numbers}"
        self.do(self.room.intent(connection, Intent(type="do", id=wish, kind=kind, body=body), self.now))
        return next((one for one in reversed(self.sent.get(connection, [])) if one.get("id") == wish), None)

    def code(self, connection: str, kind: str, **body: Any) -> str:
        """Its error's code, "" when it was done."""
        answer = self.wish(connection, kind, **body)
        assert answer is not None
        return str(answer.get("code", ""))

    def offer(self, connection: str, pc: Any, sdp: str, sources: Any = None) -> None:
        self._numbers += 1
        message = Offer(type="offer", id=f"o{self._numbers}", pc=pc, sdp=sdp, sources=sources or {})
        self.do(self.room.offer(connection, message, self.now))

    def event(self, event: MediaEvent) -> None:
        self.do(self.room.media(event, self.now))

    def transport(self, seat: str, pc: Any) -> str:
        return self.room.lobby.people[seat].legs[pc].transport

    def connect(self, seat: str, pc: Any) -> None:
        self.event(TransportConnected(self.room.lesson, self.transport(seat, pc), "udp"))

    def lose(self, seat: str, pc: Any, reason: str) -> None:
        self.event(TransportLost(self.room.lesson, self.transport(seat, pc), reason))

    def pass_time(self, seconds: float, step: float = 0.5) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + step)
            self.do(self.room.tick(self.now))

    # --- what was said --------------------------------------------------------------------------------------------

    def last(self, connection: str, type_: str) -> dict[str, Any]:
        return next(one for one in reversed(self.sent[connection]) if one["type"] == type_)

    def types(self, connection: str) -> list[str]:
        return [one["type"] for one in self.sent.get(connection, [])]

    def kinds(self) -> list[str]:
        return [entry.op.kind for entry in self.journal]

    def counted(self, kind: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.kind == kind]

    def shows(self, connection: str) -> dict[str, tuple[str, str]]:
        slots = self.last(connection, "slots")["slots"]
        return {slot["mid"]: (slot["seat"], slot["source"]) for slot in slots if slot["seat"]}
