"""Seats: who may enter which lesson as what, on which node. The rule for each role is one function in ``SEATERS``.

The web signs, nodes check; nothing of a seat is kept here. A lesson's room is placed when its first seat is asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import Clock, to_ms
from server.database import Database
from server.encoders.housing import open_room
from server.errors import ConflictError, ForbiddenError, TongtangError, UnavailableError
from server.lessons import placement, service, store
from server.lessons.lifecycle import OPEN, after
from server.lessons.models import Lesson, Node, Placement
from server.live import NodeRefusedError, Nodes, NodeUnreachableError
from server.schools.models import Room
from server.scope import SYSTEM, Scope, allows
from server.selftests import store as selftests
from server.selftests.lines import RECENT, Line, measured
from signaling.messages import RoomPlace, RoomSpec
from signaling.seats import SEAT_SECONDS, Role, Seat, issue

EARLY = timedelta(minutes=30)
"""Before the bell: device checks, and the lights of the remote rooms."""
UNDO = timedelta(minutes=5)
"""A close can be undone that long (signaling/room.py keeps the same rule)."""
LATE = timedelta(hours=2)
"""A published lesson that was not opened until so long after its end never will be."""

log = logging.getLogger("tongtang.seating")


class TooEarlyError(TongtangError):
    """425: unlike the others, waiting mends it; pages ask again."""

    status = 425
    key = "lesson_not_today"


@dataclass(frozen=True, slots=True)
class Place:
    """Who somebody is inside a room, before a node and an epoch are known."""

    id: str
    name: str
    school: str
    room: str | None
    person: str | None


# --- who may sit where ------------------------------------------------------------------------------------------------


def _teacher(lesson: Lesson, scope: Scope, name: str) -> Place | None:
    if scope.person is None or not service.leads(scope, lesson):
        return None
    school = lesson.lead_room.school.short_name
    return Place(f"t-{scope.person}", lesson.teacher.name, school, lesson.lead_room_id, scope.person)


def _class(lesson: Lesson, scope: Scope, name: str) -> Place | None:
    if scope.device is None:
        return None
    for receipt in lesson.receipts:
        if receipt.room_id in scope.rooms:
            room = receipt.room
            return Place(f"r-{room.id}", room.name, room.school.short_name, room.id, None)
    return None


def _assistant(lesson: Lesson, scope: Scope, name: str) -> Place | None:
    """Whoever showed the code of the room's screen. Being named in the plan is not enough: this seat signs in (签到),
    and presence is proved, not claimed."""
    for receipt in lesson.receipts:
        if scope.lesson == lesson.id and receipt.room_id in scope.rooms:
            room = receipt.room
            who = scope.person or receipt.assistant_id
            called = name or (receipt.assistant.name if receipt.assistant else room.name)
            return Place(f"a-{room.id}", called, room.school.short_name, room.id, who)
    return None


def _watch(lesson: Lesson, scope: Scope, name: str) -> Place | None:
    if scope.person is None or not allows(scope, "lesson.watch"):
        return None
    return Place(f"w-{scope.person}", name, "", None, scope.person)


def _inspector(lesson: Lesson, scope: Scope, name: str) -> Place | None:
    inspects = scope.has("inspector", "evaluator", "school_admin", "district_admin", "city_admin")
    return Place(f"i-{scope.person}", name, "", None, scope.person) if scope.person and inspects else None


Seater = Callable[[Lesson, Scope, str], Place | None]
SEATERS: dict[Role, Seater] = {
    "teacher": _teacher,
    "class": _class,
    "assistant": _assistant,
    "watch": _watch,
    "inspector": _inspector,
}


def place_of(lesson: Lesson, scope: Scope, role: Role, name: str) -> Place:
    place = SEATERS[role](lesson, scope, name)
    if place is None or (scope.by_code and role != "teacher"):
        raise ForbiddenError("seat_role")
    return place


def check_time(lesson: Lesson, now: datetime) -> None:
    """From half an hour before the bell until five minutes after the close; trial lessons (试讲) at any time."""
    if lesson.state == "cancelled":
        raise ConflictError("lesson_cancelled")
    if lesson.state not in OPEN:
        if lesson.state == "closed" and lesson.closed_at is not None and now <= lesson.closed_at + UNDO:
            return
        raise ConflictError("lesson_over")
    if lesson.kind == "trial" or lesson.state == "live":
        return
    if now < lesson.starts_at - EARLY:
        seconds = min(600, max(5, int((lesson.starts_at - EARLY - now).total_seconds())))
        raise TooEarlyError(minutes=int(EARLY.total_seconds()) // 60, seconds=seconds)
    if now > lesson.ends_at + LATE:
        raise ConflictError("lesson_over")


# --- the room ---------------------------------------------------------------------------------------------------------


def _room_place(room: Room, seat: str, expected: int) -> RoomPlace:
    lead = not seat.startswith("r-")
    return RoomPlace(id=room.id, seat=seat, name=room.name, school=room.school.short_name, lead=lead, expected=expected)


def _robot_place(number: int) -> RoomPlace:
    """A classroom nobody sits in: the node sends a robot (signaling/robots.py)."""
    id_, name = f"robot{number}", f"机器人教室{number if number > 1 else ''}"
    return RoomPlace(id=id_, seat=f"r-{id_}", name=name, school="试讲陪练", lead=False, expected=0, robot=True)


def room_spec(lesson: Lesson, epoch: int) -> RoomSpec:
    teacher_seat = f"t-{lesson.teacher_id}"
    rooms = [_room_place(lesson.lead_room, teacher_seat, lesson.lead_room.pupils)]
    rooms += [_room_place(receipt.room, f"r-{receipt.room_id}", receipt.expected) for receipt in lesson.receipts]
    rooms += [_robot_place(number) for number in range(1, lesson.robots + 1)]
    return RoomSpec(
        lesson=lesson.id,
        epoch=epoch,
        title=lesson.title,
        subject=lesson.subject,
        grade=lesson.grade,
        kind=lesson.kind,  # type: ignore[arg-type]  # a check constraint of the table
        teacher=lesson.teacher.name,
        teacher_seat=teacher_seat,
        school=lesson.lead_room.school.short_name,
        starts_at_ms=to_ms(lesson.starts_at),
        ends_at_ms=to_ms(lesson.ends_at),
        rooms=rooms,
    )


async def _line_of(session: AsyncSession, lesson: Lesson, room: str | None, now: datetime) -> Line | None:
    """What the line of the receiving room's school was measured to carry."""
    school = next((receipt.room.school_id for receipt in lesson.receipts if receipt.room_id == room), None)
    rows = await selftests.measures(session, SYSTEM, [school], now - RECENT) if school else {}
    return measured(rows.get(school or "", ()))


@dataclass(frozen=True, slots=True)
class Housed:
    """A lesson, the node that holds its room, and the epoch."""

    lesson: Lesson
    node: Node
    epoch: int


class Seating:
    """Places rooms and issues seats. Holds no state: the database says where rooms are."""

    def __init__(self, database: Database, nodes: Nodes, clock: Clock, key: Ed25519PrivateKey, up_since: float) -> None:
        self._database = database
        self._nodes = nodes
        self._clock = clock
        self._key = key
        self._up_since = up_since

    async def seat(
        self, scope: Scope, lesson_id: str, role: Role, name: str, unreachable: int | None
    ) -> tuple[Seat, Housed]:
        now = self._clock.now()
        async with self._database.reading() as session:
            lesson = await service.get_lesson(session, scope, lesson_id)
            place = place_of(lesson, scope, role, name)
            check_time(lesson, now)
            line = await _line_of(session, lesson, place.room, now) if role == "class" else None
        housed = await self.house(lesson_id, unreachable)
        issued = int(now.timestamp())
        seat = Seat(
            lesson=lesson_id,
            epoch=housed.epoch,
            role=role,
            id=place.id,
            name=place.name,
            school=place.school,
            room=place.room,
            person=place.person,
            node=housed.node.id,
            issued_at=issued,
            expires_at=issued + SEAT_SECONDS,
            line_kbit=line.down if line else None,
        )
        return seat, housed

    def token(self, seat: Seat) -> str:
        return issue(seat, self._key)

    async def house(self, lesson_id: str, unreachable: int | None) -> Housed:
        """The room's node, told of the room. A node that does not answer on the very first placement is passed over;
        later the room stays where it is until ``placement.may_move``: those who are inside may be doing well."""
        tried: set[str] = set()
        while True:
            housed, fresh = await self._place(lesson_id, unreachable, frozenset(tried))
            try:
                await open_room(self._database, self._nodes, housed.node, room_spec(housed.lesson, housed.epoch))
            except NodeRefusedError as error:
                raise UnavailableError("node_refused", epoch=housed.epoch) from error
            except NodeUnreachableError:
                if fresh:
                    tried.add(housed.node.id)
                    continue
            return housed

    async def _place(self, lesson_id: str, unreachable: int | None, tried: frozenset[str]) -> tuple[Housed, bool]:
        """Where the room is; where it is from now on, when it is nowhere or may move. The flag: placed just now."""
        now = self._clock.now()
        async with self._database.reading() as session:
            lesson = await service.get_lesson(session, SYSTEM, lesson_id)
            held = await store.placement(session, SYSTEM, lesson_id)
            node = await store.node(session, SYSTEM, held.node_id) if held else None
        if held and node and node.id not in tried and not self._must_move(held, node, unreachable, now):
            return Housed(lesson, node, held.epoch), False
        async with self._database.transaction() as session:
            return await self._place_anew(session, lesson_id, unreachable, tried, now)

    async def _place_anew(
        self, session: AsyncSession, lesson_id: str, unreachable: int | None, tried: frozenset[str], now: datetime
    ) -> tuple[Housed, bool]:
        lesson = await store.lesson(session, SYSTEM, lesson_id, lock=True)
        if lesson is None or lesson.state == "cancelled":
            raise ConflictError("lesson_cancelled")
        held = await store.placement(session, SYSTEM, lesson_id)
        node = await store.node(session, SYSTEM, held.node_id) if held else None
        if held and node and node.id not in tried and not self._must_move(held, node, unreachable, now):
            return Housed(lesson, node, held.epoch), False  # somebody else was quicker
        near = await store.nodes_near(session, SYSTEM, lesson)
        chosen = placement.choose(await store.nodes(session, SYSTEM), now, tried, near)
        if chosen is None:
            raise UnavailableError("no_node", seconds=3)
        if held is None:
            held = Placement(lesson_id=lesson_id, epoch=1, node_id=chosen.id, placed_at=now)
            await store.add(session, SYSTEM, held)
        else:
            held.epoch, held.node_id, held.placed_at = held.epoch + 1, chosen.id, now
        lesson.state = after(lesson.state, "wait") or lesson.state
        return Housed(lesson, chosen, held.epoch), True

    async def follow(self, lesson_id: str, seat: str) -> None:
        """A lesson got another teacher, assistant or room: its room, if there is one already, hears of it, and the old
        seat is thrown out. A node that is away asks for nothing: seats it admits are signed for the new plan."""
        async with self._database.reading() as session:
            lesson = await store.lesson(session, SYSTEM, lesson_id)
            held = await store.placement(session, SYSTEM, lesson_id)
            node = await store.node(session, SYSTEM, held.node_id) if held else None
        if lesson is None or held is None or node is None or lesson.state not in OPEN:
            return
        try:
            await open_room(self._database, self._nodes, node, room_spec(lesson, held.epoch))
            await self._nodes.revoke(node, lesson_id, seat)
        except (NodeRefusedError, NodeUnreachableError) as error:
            log.warning("lesson %s: its node did not hear of the change: %s", lesson_id, error)

    def _must_move(self, held: Placement, node: Node, unreachable: int | None, now: datetime) -> bool:
        up = self._clock.monotonic() - self._up_since
        return placement.may_move(web_up=up, silent_for=now - node.seen_at, epoch=held.epoch, unreachable=unreachable)
