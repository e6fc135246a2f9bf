"""SQL of lessons, receipts, decks, nodes, placements, devices. ``visible`` is the one rule of who sees which lesson."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, selectinload

from server.accounts.models import Person
from server.classrooms.models import Classroom
from server.lessons.lifecycle import OPEN
from server.lessons.models import Deck, Lesson, Node, Placement, Receipt
from server.lessons.schemas import LessonFilter
from server.lessons.whose import ALWAYS, Span, led_or_received, one_of, taught_or_assisted
from server.paging import found_by
from server.schools.models import Device, Room, School, SchoolClass
from server.scope import Scope


def _rooms(room_is: ColumnElement[bool]) -> Select[str]:
    return select(Room.id).join(School, Room.school_id == School.id).where(room_is)


def visible(scope: Scope) -> ColumnElement[bool]:
    """Its teacher and assistants; the schools and districts of its rooms; the devices of its rooms; its companions."""
    if scope.city or scope.system:
        return true()
    ways: list[ColumnElement[bool]] = []
    received: list[ColumnElement[bool]] = []
    if scope.person:
        ways.append(Lesson.teacher_id == scope.person)
        received.append(Receipt.assistant_id == scope.person)
    if (places := _places(scope)) is not None:
        ways.append(Lesson.lead_room_id.in_(_rooms(places)))
        received.append(Receipt.room_id.in_(_rooms(places)))
    if received:
        ways.append(exists().where(Receipt.lesson_id == Lesson.id, or_(*received)))
    if scope.lesson:
        ways.append(Lesson.id == scope.lesson)
    return or_(*ways) if ways else false()


def among(scope: Scope, span: Span = ALWAYS) -> ColumnElement[bool]:
    """``visible`` for lists: by index from the people and rooms concerned, not lesson by lesson."""
    if scope.city or scope.system:
        return true()
    ways: list[Select[str]] = []
    if scope.person:
        ways += taught_or_assisted([scope.person], span)
    if (places := _places(scope)) is not None:
        ways += led_or_received(_rooms(places), span)
    if scope.lesson:
        named = aliased(Lesson)
        ways.append(select(named.id).where(named.id == scope.lesson))
    return one_of(ways)


def _places(scope: Scope) -> ColumnElement[bool] | None:
    """Rooms by which a lesson is the asker's: of schools, of districts, a device's own."""
    places: list[ColumnElement[bool]] = []
    if schools := scope.schools | ({scope.school} if scope.school else frozenset()):
        places.append(School.id.in_(schools))
    if scope.districts:
        places.append(School.supervised_by.in_(scope.districts))
    if scope.device and scope.rooms:
        places.append(Room.id.in_(scope.rooms))
    return or_(*places) if places else None


async def lesson(session: AsyncSession, scope: Scope, lesson_id: str, *, lock: bool = False) -> Lesson | None:
    """``lock``: hold the row until the transaction ends (PostgreSQL; SQLite has one writer anyway)."""
    query = select(Lesson).where(Lesson.id == lesson_id, visible(scope))
    return await session.scalar(query.with_for_update(of=Lesson) if lock else query)


def _own(scope: Scope, wanted: LessonFilter) -> bool:
    """Whether nothing is asked for but what the asker sees anyway: then it is not asked twice of each lesson."""
    return (
        wanted.district_id in scope.districts
        or wanted.school_id in scope.schools
        or (wanted.person_id is not None and wanted.person_id == scope.person)
    )


def _filtered(scope: Scope, wanted: LessonFilter) -> Select[Lesson]:
    span = Span(wanted.starts_from, wanted.starts_before)
    query = select(Lesson).where(Lesson.robots == 0, *span.holds(Lesson.starts_at))
    if not _own(scope, wanted):
        query = query.where(among(scope, span))
    if wanted.ends_after is not None:
        query = query.where(Lesson.ends_at > wanted.ends_after)
    if wanted.states:
        query = query.where(Lesson.state.in_(wanted.states))
    if wanted.kind is not None:
        query = query.where(Lesson.kind == wanted.kind)
    if wanted.subject is not None:
        query = query.where(Lesson.subject == wanted.subject)
    if wanted.classroom_id is not None:
        query = query.where(Lesson.classroom_id == wanted.classroom_id)
    if wanted.room_id is not None:
        query = query.where(one_of(led_or_received([wanted.room_id], span)))
    if wanted.person_id is not None:
        query = query.where(one_of(taught_or_assisted([wanted.person_id], span)))
    for column, value in ((School.id, wanted.school_id), (School.supervised_by, wanted.district_id)):
        if value is not None:
            query = query.where(one_of(led_or_received(_rooms(column == value), span)))
    if wanted.words:
        like = wanted.words.strip()
        by_teacher = Lesson.teacher_id.in_(select(Person.id).where(Person.name.contains(like, autoescape=True)))
        query = query.where(or_(Lesson.title.contains(like, autoescape=True), by_teacher))
    return query


async def lessons(session: AsyncSession, scope: Scope, wanted: LessonFilter) -> list[Lesson]:
    query = _ids(scope, wanted).offset(wanted.offset).limit(wanted.limit)
    return await _rows(session, list(await session.scalars(query)), wanted)


async def page(session: AsyncSession, scope: Scope, wanted: LessonFilter) -> tuple[list[Lesson], int]:
    """A part of a list, and how many there are in all."""
    if wanted.starts_from is None or wanted.starts_before is None:  # of all times: the first are found at once
        return await lessons(session, scope, wanted), await count(session, scope, wanted)
    ids, length = await found_by(session, _ids(scope, wanted), wanted.offset, wanted.limit)
    return await _rows(session, ids, wanted), length


def _order(wanted: LessonFilter) -> tuple[ColumnElement[Any], ...]:
    return Lesson.starts_at.desc() if wanted.descending else Lesson.starts_at.asc(), Lesson.id.asc()


def _ids(scope: Scope, wanted: LessonFilter) -> Select[str]:
    """Which ones first: rooms, schools and teachers are fetched only of those that are shown."""
    return _filtered(scope, wanted).with_only_columns(Lesson.id).order_by(*_order(wanted))


async def _rows(session: AsyncSession, ids: Sequence[str], wanted: LessonFilter) -> list[Lesson]:
    if not ids:
        return []
    query = select(Lesson).where(Lesson.id.in_(ids)).order_by(*_order(wanted))
    return list((await session.scalars(query)).unique())


async def count(session: AsyncSession, scope: Scope, wanted: LessonFilter) -> int:
    ids = _filtered(scope, wanted).with_only_columns(Lesson.id).subquery()
    return await session.scalar(select(func.count()).select_from(ids)) or 0


async def first_at_each_time(
    session: AsyncSession, scope: Scope, wanted: LessonFilter, each: int
) -> tuple[list[Lesson], dict[datetime, int]]:
    """The first ``each`` lessons of every starting time, and how many there are: a district's week has hundreds."""
    place = func.row_number().over(partition_by=Lesson.starts_at, order_by=Lesson.id).label("place")
    of_all = func.count().over(partition_by=Lesson.starts_at).label("of_all")
    ranked = _filtered(scope, wanted).with_only_columns(Lesson.id, Lesson.starts_at, place, of_all).subquery()
    few = (await session.execute(select(ranked).where(ranked.c.place <= each))).all()
    query = select(Lesson).where(Lesson.id.in_([one.id for one in few])).order_by(Lesson.starts_at, Lesson.id)
    return list((await session.scalars(query)).unique()), {one.starts_at: one.of_all for one in few}


async def of_person(session: AsyncSession, scope: Scope, start: datetime, end: datetime) -> list[Lesson]:
    """Lessons the asker teaches or assists, starting in [start, end)."""
    if scope.person is None:
        return []  # "assistant is NULL" would be every lesson nobody assists
    span = Span(start, end)
    mine = one_of(taught_or_assisted([scope.person], span))
    query = select(Lesson).where(mine, *span.holds(Lesson.starts_at), Lesson.robots == 0)
    return list((await session.scalars(query.order_by(Lesson.starts_at))).unique())


async def of_rooms(session: AsyncSession, scope: Scope, start: datetime, end: datetime) -> list[Lesson]:
    """Lessons of the asker's rooms that touch [start, end), cancelled ones left out."""
    query = (
        select(Lesson)
        .where(one_of(led_or_received(scope.rooms, Span.touching(start, end))))
        .where(Lesson.ends_at > start, Lesson.starts_at < end)
        .where(Lesson.state != "cancelled", Lesson.robots == 0)
        .order_by(Lesson.starts_at)
        .limit(50)
    )
    return list((await session.scalars(query)).unique())


# --- rehearsals with robots: on nobody's list but their teacher's desk ------------------------------------------------


async def rehearsal_of(session: AsyncSession, scope: Scope, now: datetime) -> Lesson | None:
    """The asker's own that is still open."""
    query = select(Lesson).where(Lesson.teacher_id == (scope.person or ""), Lesson.robots > 0, Lesson.ends_at > now)
    query = query.where(Lesson.state.in_(("published", "waiting", "live"))).order_by(Lesson.starts_at.desc())
    return await session.scalar(query.limit(1))


async def last_taught(session: AsyncSession, scope: Scope) -> Lesson | None:
    query = select(Lesson).where(Lesson.teacher_id == (scope.person or ""), Lesson.robots == 0)
    return await session.scalar(query.order_by(Lesson.starts_at.desc()).limit(1))


async def any_room(session: AsyncSession, scope: Scope, school: str) -> Room | None:
    """A lead room of the school, where it has one."""
    query = select(Room).where(Room.school_id == school, Room.closed_on.is_(None))
    return await session.scalar(query.order_by(Room.kind, Room.name).limit(1))


async def add(session: AsyncSession, scope: Scope, *rows: Lesson | Receipt | Deck | Placement | Device) -> None:
    session.add_all(rows)
    await session.flush()


async def classroom(session: AsyncSession, scope: Scope, classroom_id: str) -> Classroom | None:
    return await session.get(Classroom, classroom_id)


async def rooms(session: AsyncSession, scope: Scope, ids: Sequence[str]) -> dict[str, Room]:
    found = await session.scalars(select(Room).where(Room.id.in_(ids)))
    return {room.id: room for room in found.unique()}


async def classes(session: AsyncSession, scope: Scope, ids: Sequence[str]) -> dict[str, SchoolClass]:
    """Any class: a lesson crosses districts; the service checks whose it is."""
    found = await session.scalars(select(SchoolClass).where(SchoolClass.id.in_(ids)))
    return {one.id: one for one in found.unique()}


async def person(session: AsyncSession, scope: Scope, person_id: str) -> Person | None:
    """With their posts: who teaches must be a teacher on the day."""
    query = select(Person).options(selectinload(Person.posts)).where(Person.id == person_id)
    return await session.scalar(query)


# --- decks ------------------------------------------------------------------------------------------------------------


async def decks(session: AsyncSession, scope: Scope, lesson_id: str) -> list[Deck]:
    query = select(Deck).join(Lesson, Deck.lesson_id == Lesson.id).where(Deck.lesson_id == lesson_id, visible(scope))
    return list(await session.scalars(query.order_by(Deck.created_at, Deck.id)))


async def deck(session: AsyncSession, scope: Scope, lesson_id: str, deck_id: str) -> Deck | None:
    query = select(Deck).join(Lesson, Deck.lesson_id == Lesson.id).where(Deck.id == deck_id, visible(scope))
    return await session.scalar(query.where(Deck.lesson_id == lesson_id))


async def rendering(session: AsyncSession, scope: Scope) -> list[Deck]:
    """Decks whose pages are still to be drawn, oldest first, whoever they belong to (our own jobs)."""
    if not scope.system:
        return []
    return list(await session.scalars(select(Deck).where(Deck.state == "rendering").order_by(Deck.created_at)))


async def drop_deck(session: AsyncSession, scope: Scope, deck_id: str) -> None:
    await session.execute(delete(Deck).where(Deck.id == deck_id))


# --- nodes and placements ---------------------------------------------------------------------------------------------


async def node(session: AsyncSession, scope: Scope, node_id: str) -> Node | None:
    return await session.get(Node, node_id)


async def nodes(session: AsyncSession, scope: Scope) -> list[Node]:
    """City administrators and our own jobs see machines; nobody else."""
    if not (scope.system or scope.has("city_admin")):
        return []
    return list(await session.scalars(select(Node).order_by(Node.id)))


async def keep_node(session: AsyncSession, scope: Scope, row: Node) -> None:
    """A node that was emptied on command takes no rooms until its process is another one."""
    held = await session.get(Node, row.id)
    if held is not None and held.draining and held.started_at == row.started_at:
        row.draining = True
    await session.merge(row)
    await session.flush()


async def drain_node(session: AsyncSession, scope: Scope, node_id: str) -> None:
    """No room comes here until the node's own heartbeats say otherwise."""
    if (node := await session.get(Node, node_id)) is not None:
        node.draining = True


async def lessons_on(session: AsyncSession, scope: Scope, node_id: str) -> list[str]:
    """Lessons whose rooms may be open on a node: those that people can still enter."""
    if not scope.system:
        return []
    query = select(Placement.lesson_id).join(Lesson, Lesson.id == Placement.lesson_id)
    query = query.where(Placement.node_id == node_id, Lesson.state.in_(("published", "waiting", "live")))
    return list(await session.scalars(query.order_by(Placement.placed_at)))


async def placement(session: AsyncSession, scope: Scope, lesson_id: str) -> Placement | None:
    return await session.get(Placement, lesson_id)


async def nodes_near(session: AsyncSession, scope: Scope, lesson: Lesson) -> frozenset[str]:
    """Nodes that hold the rooms of other lessons which some school of this one is in at the same time."""
    schools = {lesson.lead_room.school_id, *(receipt.room.school_id for receipt in lesson.receipts)}
    rooms = select(Room.id).where(Room.school_id.in_(schools))
    near = one_of(led_or_received(rooms, Span.touching(lesson.starts_at, lesson.ends_at)))
    query = (
        select(Placement.node_id)
        .join(Lesson, Lesson.id == Placement.lesson_id)
        .where(Lesson.id != lesson.id, Lesson.state.in_(OPEN), near)
        .where(Lesson.starts_at < lesson.ends_at, Lesson.ends_at > lesson.starts_at)
    )
    return frozenset(await session.scalars(query.distinct()))


async def placements(session: AsyncSession, scope: Scope, lesson_ids: Sequence[str]) -> dict[str, Placement]:
    found = await session.scalars(select(Placement).where(Placement.lesson_id.in_(lesson_ids)))
    return {row.lesson_id: row for row in found}


async def states(session: AsyncSession, scope: Scope, lesson_ids: Sequence[str]) -> dict[str, str]:
    found = await session.execute(select(Lesson.id, Lesson.state).where(Lesson.id.in_(lesson_ids)))
    return {row.id: row.state for row in found}


async def count_live(session: AsyncSession, scope: Scope) -> int:
    query = select(func.count()).select_from(Lesson).where(Lesson.state == "live", visible(scope))
    return await session.scalar(query) or 0


# --- devices ----------------------------------------------------------------------------------------------------------


async def device(session: AsyncSession, scope: Scope, device_id: str) -> Device | None:
    return await session.get(Device, device_id)


async def device_by_code(session: AsyncSession, scope: Scope, code_sha256: str, now: datetime) -> Device | None:
    query = select(Device).where(Device.code_sha256 == code_sha256, Device.code_expires_at > now)
    return await session.scalar(query.where(Device.revoked_at.is_(None), Device.room_id.is_(None)))


async def forget_unbound(session: AsyncSession, scope: Scope, now: datetime) -> None:
    """Devices that asked for a code a day ago and were never bound; their sign-ins go with them."""
    from server.accounts.models import SignIn

    old = select(Device.id).where(Device.room_id.is_(None), Device.created_at < now - timedelta(days=1))
    await session.execute(delete(SignIn).where(SignIn.device_id.in_(old)).execution_options(synchronize_session=False))
    await session.execute(delete(Device).where(Device.id.in_(old)).execution_options(synchronize_session=False))
