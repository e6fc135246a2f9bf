"""What a room's log means: one pure reducer, mirrored by ``frontend/modules/room/state.js``.

Both run on ``tests/vectors/*.json``; change both or neither. Rules: an op already applied (by seq), of an older
epoch, of an unknown kind or a newer version changes nothing but ``seq``; an op the state does not allow is ignored,
never an error: a golden log of any version must replay for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import TypeAdapter

from signaling.messages import Op
from signaling.ops import OPS_VERSION

REOPEN_WITHIN_MS = 5 * 60 * 1000
"""下课 can be undone for five minutes (experience.md)."""
CHAT_KEPT = 200
"""Lines in a snapshot; older ones are in the log and in the replay."""

Phase = Literal["waiting", "live", "closed"]


@dataclass(frozen=True, slots=True)
class Deck:
    id: str
    title: str
    pages: int


@dataclass(frozen=True, slots=True)
class Hand:
    seat: str
    pupil: int | None
    t: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of chat. ``erased`` lines keep their place and lose their text."""

    seq: int
    t: int
    by: str
    text: str
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Headcount:
    expected: int
    present: int
    absent_seats: tuple[int, ...]
    t: int


@dataclass(frozen=True, slots=True)
class Signin:
    person: str | None
    t: int


@dataclass(frozen=True, slots=True)
class Signal:
    what: str
    t: int


@dataclass(frozen=True, slots=True)
class Recording:
    on: bool = False
    reason: str | None = None
    t: int = 0


@dataclass(frozen=True, slots=True)
class RoomState:
    """Snapshot of a room after op ``seq``. Keys of the maps and members of ``floor`` are receiving room seats
    ("r-…").
    """

    seq: int = 0
    epoch: int = 0
    phase: Phase = "waiting"
    opened_ms: int | None = None
    closed_ms: int | None = None
    deck: Deck | None = None
    page: int = 0
    blank: bool = False
    hands: tuple[Hand, ...] = ()
    floor: tuple[str, ...] = ()
    chat: tuple[Line, ...] = ()
    headcounts: dict[str, Headcount] = field(default_factory=dict)
    signins: dict[str, Signin] = field(default_factory=dict)
    signals: dict[str, Signal] = field(default_factory=dict)
    recording: Recording = field(default_factory=Recording)


_STATE = TypeAdapter(RoomState)


def state_to_json(state: RoomState) -> dict[str, Any]:
    dumped: dict[str, Any] = _STATE.dump_python(state, mode="json")
    return dumped


def state_from_json(data: dict[str, Any]) -> RoomState:
    return _STATE.validate_python(data)


def reduce(state: RoomState, op: Op) -> RoomState:
    if op.seq <= state.seq or op.epoch < state.epoch:
        return state
    apply = _KINDS.get(op.kind) if op.v <= OPS_VERSION else None
    return replace(apply(state, op) if apply else state, seq=op.seq, epoch=op.epoch)


# --- lesson -----------------------------------------------------------------------------------------------------------


def _lesson_open(state: RoomState, op: Op) -> RoomState:
    return replace(state, phase="live", opened_ms=op.t) if state.phase == "waiting" else state


def _lesson_close(state: RoomState, op: Op) -> RoomState:
    if state.phase != "live":
        return state
    return replace(state, phase="closed", closed_ms=op.t, hands=(), floor=(), blank=False)


def _lesson_reopen(state: RoomState, op: Op) -> RoomState:
    if state.phase != "closed" or state.closed_ms is None or op.t - state.closed_ms > REOPEN_WITHIN_MS:
        return state
    return replace(state, phase="live", closed_ms=None)


# --- board ------------------------------------------------------------------------------------------------------------


def _deck_open(state: RoomState, op: Op) -> RoomState:
    deck = Deck(op.body["deck"], op.body["title"], op.body["pages"])
    return replace(state, deck=deck, page=1)


def _deck_close(state: RoomState, op: Op) -> RoomState:
    return replace(state, deck=None, page=0)


def _page_turn(state: RoomState, op: Op) -> RoomState:
    page = op.body["page"]
    return replace(state, page=page) if state.deck and 1 <= page <= state.deck.pages else state


def _stage_blank(state: RoomState, op: Op) -> RoomState:
    return replace(state, blank=op.body["on"])


# --- floor ------------------------------------------------------------------------------------------------------------


def _without_hand(state: RoomState, seat: str) -> tuple[Hand, ...]:
    return tuple(hand for hand in state.hands if hand.seat != seat)


def _hand_raise(state: RoomState, op: Op) -> RoomState:
    """A hand raised again keeps its place in the queue and its time; only the pupil changes."""
    seat, pupil = op.body["seat"], op.body["pupil"]
    if any(hand.seat == seat for hand in state.hands):
        hands = tuple(replace(hand, pupil=pupil) if hand.seat == seat else hand for hand in state.hands)
        return replace(state, hands=hands)
    return replace(state, hands=(*state.hands, Hand(seat, pupil, op.t)))


def _hand_lower(state: RoomState, op: Op) -> RoomState:
    return replace(state, hands=_without_hand(state, op.body["seat"]))


def _floor_give(state: RoomState, op: Op) -> RoomState:
    seat = op.body["seat"]
    floor = state.floor if seat in state.floor else (*state.floor, seat)
    return replace(state, floor=floor, hands=_without_hand(state, seat))


def _floor_take(state: RoomState, op: Op) -> RoomState:
    seat = op.body["seat"]
    return replace(state, floor=() if seat is None else tuple(one for one in state.floor if one != seat))


# --- chat and what the classrooms say ---------------------------------------------------------------------------------


def _chat_say(state: RoomState, op: Op) -> RoomState:
    line = Line(op.seq, op.t, op.by, op.body["text"])
    return replace(state, chat=(*state.chat, line)[-CHAT_KEPT:])


def _chat_erase(state: RoomState, op: Op) -> RoomState:
    seq = op.body["seq"]
    chat = tuple(replace(line, text="", erased=True) if line.seq == seq else line for line in state.chat)
    return replace(state, chat=chat)


def _headcount(state: RoomState, op: Op) -> RoomState:
    body = op.body
    count = Headcount(body["expected"], body["present"], tuple(body["absent_seats"]), op.t)
    return replace(state, headcounts={**state.headcounts, body["seat"]: count})


def _signal(state: RoomState, op: Op) -> RoomState:
    return replace(state, signals={**state.signals, op.body["seat"]: Signal(op.body["what"], op.t)})


def _signin(state: RoomState, op: Op) -> RoomState:
    return replace(state, signins={**state.signins, op.body["seat"]: Signin(op.body["person"], op.t)})


def _recording(state: RoomState, op: Op) -> RoomState:
    return replace(state, recording=Recording(op.body["on"], op.body.get("reason"), op.t))


_KINDS: dict[str, Callable[[RoomState, Op], RoomState]] = {
    "lesson.open": _lesson_open,
    "lesson.close": _lesson_close,
    "lesson.reopen": _lesson_reopen,
    "deck.open": _deck_open,
    "deck.close": _deck_close,
    "page.turn": _page_turn,
    "stage.blank": _stage_blank,
    "hand.raise": _hand_raise,
    "hand.lower": _hand_lower,
    "floor.give": _floor_give,
    "floor.take": _floor_take,
    "chat.say": _chat_say,
    "chat.erase": _chat_erase,
    "headcount": _headcount,
    "signal": _signal,
    "signin": _signin,
    "recording": _recording,
}
"""Kinds that change the state. "room" (the RoomSpec) and "epoch" (a new node) change only ``seq`` and ``epoch``."""
