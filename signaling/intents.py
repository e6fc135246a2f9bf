"""What a person may want in a room, and how a wish becomes an op: role (``roles.py``), form, then the state.

One table; each rule takes (state, context, parsed body) and gives the op's body or raises IntentError with a code of
README.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from signaling.messages import RoomSpec
from signaling.roles import may
from signaling.room import REOPEN_WITHIN_MS, RoomState
from signaling.seats import Seat


class IntentError(Exception):
    """A wish that cannot be granted. ``code`` is one of signaling/README.md."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Empty(Body):
    pass


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, in which room, when. ``present`` are the seats that are here now."""

    seat: Seat
    spec: RoomSpec
    room_ms: int
    present: frozenset[str]

    def classroom(self) -> str:
        """The receiving room's seat that this person stands for; anybody else stands for himself."""
        return f"r-{self.seat.room}" if self.seat.role in ("class", "assistant") else self.seat.id

    def receiving(self, seat: str) -> str:
        """``seat`` if it is one of this lesson's receiving rooms."""
        if any(room.seat == seat and not room.lead for room in self.spec.rooms):
            return seat
        raise IntentError("seat_unknown", seat=seat)


Rule = Callable[[RoomState, Asker, Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Wish:
    """``live_only``: possible only between lesson.open and lesson.close."""

    form: type[Body]
    rule: Rule
    live_only: bool = True


def grant(wishes: dict[str, Wish], state: RoomState, asker: Asker, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """The op's body."""
    wish = wishes.get(kind)
    if wish is None:
        raise IntentError("intent_unknown", kind=kind)
    if not may(asker.seat.role, kind):
        raise IntentError("forbidden", kind=kind)
    try:
        form = wish.form.model_validate(body)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise IntentError("intent_body", field=where) from error
    if wish.live_only:
        require_phase(state, "live")
    return wish.rule(state, asker, form)


def require_phase(state: RoomState, phase: str) -> None:
    if state.phase != phase:
        raise IntentError(f"phase_{state.phase}")


# --- lesson -----------------------------------------------------------------------------------------------------------


def _open(state: RoomState, asker: Asker, form: Empty) -> dict[str, Any]:
    require_phase(state, "waiting")
    return {}


def _close(state: RoomState, asker: Asker, form: Empty) -> dict[str, Any]:
    return {}


def _reopen(state: RoomState, asker: Asker, form: Empty) -> dict[str, Any]:
    require_phase(state, "closed")
    if state.closed_ms is None or asker.room_ms - state.closed_ms > REOPEN_WITHIN_MS:
        raise IntentError("reopen_late")
    return {}


LESSON: dict[str, Wish] = {
    "lesson.open": Wish(Empty, _open, live_only=False),
    "lesson.close": Wish(Empty, _close),
    "lesson.reopen": Wish(Empty, _reopen, live_only=False),
}
