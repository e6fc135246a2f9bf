"""One WebSocket: text + now -> effects. Everything a stranger may send ends here as an error code, never as an
exception.

Order of doors: size, rate, form, join with a valid token, then the room.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError

from signaling.effects import Close, Effect, Send
from signaling.limits import Bucket
from signaling.live import LiveRoom
from signaling.messages import (
    MAX_MESSAGE_BYTES,
    PROTOCOL_VERSION,
    Error,
    Intent,
    Join,
    Leave,
    Offer,
    Ping,
    Pong,
    Report,
    client_message,
)
from signaling.seats import RESUME_AFTER_END_SECONDS, Seat, SeatError, admit, issue

JOIN_SECONDS = 10.0
MESSAGES_PER_SECOND, MESSAGES_BURST = 20.0, 60.0
"""A teacher who leafs through slides makes five a second; a page that reconnects asks some at once."""
CHAT_PER_SECOND, CHAT_BURST = 0.5, 5.0
OFFERS_PER_SECOND, OFFERS_BURST = 0.5, 10.0
"""Each costs a handshake: two connections, a screen, and some attempts on a bad line."""
REFUSED_MAX = 100
"""So many refusals in a row are no impatience but a loop: the socket closes."""
POLICY_VIOLATION = 1008


@dataclass(frozen=True, slots=True)
class Keys:
    """Admission: the web's public key and the node's own pair, which signs resume tokens for itself."""

    web: Ed25519PublicKey
    own: Ed25519PrivateKey
    node: str

    def public(self) -> list[Ed25519PublicKey]:
        return [self.web, self.own.public_key()]

    def admit(self, token: str, room: LiveRoom, at_ms: int) -> Seat:
        return admit(token, self.public(), lesson=room.lesson, epoch=room.epoch, now=at_ms / 1000)

    def resume(self, seat: Seat, room: LiveRoom, at_ms: int) -> str:
        """Holds until the lesson's end + 30 minutes: a web outage locks nobody out."""
        until = max(room.spec.ends_at_ms, at_ms) // 1000 + RESUME_AFTER_END_SECONDS
        token = replace(seat, purpose="resume", node=self.node, issued_at=at_ms // 1000, expires_at=until)
        return issue(token, self.own)


@dataclass(slots=True)
class Session:
    connection: str
    rooms: Mapping[str, LiveRoom]
    keys: Keys
    opened: float
    messages: Bucket
    chats: Bucket
    offers: Bucket
    room: LiveRoom | None = None
    ended: bool = False

    @classmethod
    def open(cls, connection: str, rooms: Mapping[str, LiveRoom], keys: Keys, now: float) -> Session:
        messages = Bucket.full(MESSAGES_PER_SECOND, MESSAGES_BURST, now)
        chats = Bucket.full(CHAT_PER_SECOND, CHAT_BURST, now)
        offers = Bucket.full(OFFERS_PER_SECOND, OFFERS_BURST, now)
        return cls(connection, rooms, keys, now, messages, chats, offers)

    def receive(self, text: str, at_ms: int, now: float) -> list[Effect]:
        """``at_ms`` is the wall clock, which only tokens need."""
        if self.ended:
            return []
        if len(text.encode()) > MAX_MESSAGE_BYTES:
            return self._fail("message")
        if wait := self.messages.take(now):
            return self._slow(wait, None, self.messages)
        try:
            message = client_message.validate_json(text)
        except ValidationError:
            return self._fail("message")
        if isinstance(message, Join):
            return self._join(message, at_ms, now)
        if self.room is None:
            return self._fail("join_first")
        self.room.heard_from(self.connection, now)
        return self._dispatch(self.room, message, now)

    def _dispatch(self, room: LiveRoom, message: Intent | Offer | Report | Ping | Leave, now: float) -> list[Effect]:
        match message:
            case Intent():
                if message.kind == "chat.say" and (wait := self.chats.take(now)):
                    return self._slow(wait, message.id, self.chats)
                return room.intent(self.connection, message, now)
            case Offer():
                if wait := self.offers.take(now):
                    return self._slow(wait, message.id, self.offers)
                return room.offer(self.connection, message, now)
            case Report():
                return room.report(self.connection, message, now)
            case Ping():
                pong = Pong(t=message.t, room_ms=room.clock.room_ms(now), at_ms=room.clock.at_ms(now))
                return [Send((self.connection,), pong)]
            case Leave():
                self.ended = True
                return room.leave(self.connection, now)

    def _join(self, join: Join, at_ms: int, now: float) -> list[Effect]:
        if self.room is not None:
            return self._fail("message")
        if join.v != PROTOCOL_VERSION:
            return self._fail("version")
        room = self.rooms.get(join.lesson)
        if room is None:
            return self._fail("room_unknown")
        try:
            seat = self.keys.admit(join.token, room, at_ms)
        except SeatError as error:
            return self._fail(f"seat_{error.code}")
        self.room = room
        return room.join(self.connection, seat, join.device, join.last, self.keys.resume(seat, room, at_ms), now)

    def tick(self, now: float) -> list[Effect]:
        """Nobody sits in the door: ten seconds to say who you are."""
        if self.room is None and not self.ended and now - self.opened > JOIN_SECONDS:
            return self._fail("join_timeout")
        return []

    def lost(self, now: float) -> list[Effect]:
        self.ended = True
        return self.room.lost(self.connection, now) if self.room else []

    def binary(self) -> list[Effect]:
        """Only text frames are ours."""
        return self._fail("message")

    def _slow(self, wait_ms: int, request: str | None, bucket: Bucket) -> list[Effect]:
        if bucket.refused > REFUSED_MAX:
            return self._fail("rate")
        return [Send((self.connection,), Error(code="rate", id=request, retry_ms=wait_ms))]

    def _fail(self, code: str) -> list[Effect]:
        self.ended = True
        return [Send((self.connection,), Error(code=code)), Close(self.connection, POLICY_VIOLATION)]
