"""Robot classrooms of a rehearsal (试讲): which room needs them, as whom they come, and what one does when. Pure.

A robot comes in by the doors that everybody uses and knows only what a classroom is told, so that the teacher sees
every state before the real lesson: a hand, an answer in the chat, a voice on the floor, a line that breaks and is back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from signaling.intents import Asker, Body, IntentError, Wish
from signaling.messages import Id, Op, RoomPlace, RoomSpec
from signaling.room import RoomState
from signaling.seats import RESUME_AFTER_END_SECONDS, Seat

if TYPE_CHECKING:
    from signaling.live import LiveRoom

GREET_AFTER = 3.0
HAND_AFTER = 15.0
HAND_AGAIN = 120.0
ANSWER_AFTER = 2.0
DROP_AFTER = 90.0
"""Live for so long, its line breaks by itself for the first time."""
DROP_AGAIN = 300.0
AWAY = 14.0
"""Longer than a lost socket keeps its seat: the teacher sees the tile go dark, and come back."""
QUOTED = 60
"""Characters of a question that an answer repeats."""

GREETING = "机器人教室到了。请给我发言：两秒后您会听到自己的声音；在聊天里提问，我会回答。"
HEARD = ("听到了：“{text}”。这里是机器人教室。", "Heard: “{text}”. This is the robot classroom.")
BACK = "刚才断线了，现在回来了。"
_QUESTION = re.compile(r"[?？]\s*$|[吗呢么]\s*[。！!]*$|^(什么|谁|为什么|怎么|几)")


def places(spec: RoomSpec) -> list[RoomPlace]:
    return [room for room in spec.rooms if room.robot]


def needed(room: LiveRoom) -> bool:
    """While the teacher is there; a rehearsal that is over sends them home."""
    return not room.over and not room.held and room.log.state.phase != "closed" and present(room)


def present(room: LiveRoom) -> bool:
    return room.spec.kind == "trial" and room.spec.teacher_seat in room.lobby.people


def seat(spec: RoomSpec, epoch: int, place: RoomPlace, node: str, now_s: int) -> Seat:
    until = max(spec.ends_at_ms // 1000, now_s) + RESUME_AFTER_END_SECONDS
    return Seat(
        spec.lesson, epoch, "class", place.seat, place.name, place.school, place.id, None, node, now_s, until, "resume"
    )


# --- what a robot does ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Do:
    """A wish of its, as any classroom's page has them."""

    kind: str
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drop:
    """Cut the line, without a word."""


@dataclass(slots=True)
class Robot:
    """One robot classroom through all its lines. ``seat`` is its own, ``teacher`` whose questions it answers."""

    seat: str
    teacher: str
    live_since: float | None = None
    on_floor: bool = False
    _hand_at: float = 0.0
    _drop_at: float = 0.0
    _dropped: bool = False
    _says: list[tuple[float, str]] = field(default_factory=list)

    def welcomed(self, phase: str, floor: list[str], now: float) -> None:
        """In again, or for the first time: what was said meanwhile it has not heard."""
        self.on_floor = self.seat in floor
        if phase == "live" and self.live_since is None:
            self._begin(now)
        elif phase == "live" and self._dropped:
            self._says.append((now + ANSWER_AFTER, BACK))
        self._dropped = False

    def _begin(self, now: float) -> None:
        self.live_since = now
        self._hand_at, self._drop_at = now + HAND_AFTER, now + DROP_AFTER
        self._says.append((now + GREET_AFTER, GREETING))

    def heard(self, op: Op, now: float) -> None:
        """An op of the room's log."""
        if op.kind in ("lesson.open", "lesson.reopen") and self.live_since is None:
            self._begin(now)
        elif op.kind == "lesson.close":
            self.live_since, self.on_floor, self._says = None, False, []
        elif op.kind == "floor.give" and op.body["seat"] == self.seat:
            self.on_floor = True
        elif op.kind == "floor.take" and op.body["seat"] in (None, self.seat):
            self.on_floor, self._hand_at = False, now + HAND_AGAIN
        elif op.kind == "hand.lower" and op.body["seat"] == self.seat:
            self._hand_at = now + HAND_AGAIN
        elif op.kind == "robot.drill" and op.body["seat"] == self.seat:
            self._drop_at = now
        elif op.kind == "chat.say" and op.by == self.teacher and _QUESTION.search(op.body["text"]):
            self._says.append((now + ANSWER_AFTER, answer(op.body["text"])))

    def turn(self, now: float) -> list[Do | Drop]:
        """What it does now. Nothing before the lesson but to break when it is told to."""
        if self._drop_at and now >= self._drop_at:
            self._drop_at = 0.0 if self.live_since is None else now + DROP_AGAIN
            self._dropped = True
            return [Drop()]
        if self.live_since is None:
            return []
        due = [text for at, text in self._says if at <= now]
        self._says = [(at, text) for at, text in self._says if at > now]
        done: list[Do | Drop] = [Do("chat.say", {"text": text}) for text in due]
        if not self.on_floor and now >= self._hand_at:
            self._hand_at = now + HAND_AGAIN
            done.append(Do("hand.raise", {"pupil": None}))
        return done


def answer(text: str) -> str:
    """In the question's own language."""
    plain = " ".join(text.split())
    short = plain if len(plain) <= QUOTED else plain[:QUOTED] + "…"
    return HEARD[1 if plain.isascii() else 0].format(text=short)


# --- 断线演练 ---------------------------------------------------------------------------------------------------------


class Drill(Body):
    seat: Id


def _drill(state: RoomState, asker: Asker, form: Drill) -> dict[str, Any]:
    if not any(room.seat == form.seat for room in places(asker.spec)):
        raise IntentError("seat_unknown", seat=form.seat)
    if form.seat not in asker.present:
        raise IntentError("floor_absent", seat=form.seat)
    return {"seat": form.seat}


WISHES: dict[str, Wish] = {"robot.drill": Wish(Drill, _drill, live_only=False)}
"""The op changes nothing that people see: the robot hears it and cuts its line."""
