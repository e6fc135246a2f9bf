"""SQL of lessons, receipts, decks, nodes, placements, devices. ``visible`` is the one rule of who sees which lesson."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, delete, exists, false, func, or_, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, selectinload

from server.accounts.models import Person
from server.classrooms.models import Classroom
from server.lessons.models import Deck, Lesson, Node, Placement, Receipt
from server.lessons.schemas import LessonFilter
from server.schools.models import Device, Room, School, SchoolClass
from server.scope import Scope


def _rooms(room_is: ColumnElement[bool]) -> Select[str]:
    return select(Room.id).join(School, Room.school_id == School.id).where(room_is)


def _touches(room_is: ColumnElement[bool]) -> ColumnElement[bool]:
    """Lessons whose lead room or one of whose receiving rooms is such a room."""
    rooms = _rooms(room_is)
    received = exists().where(Receipt.lesson_id == Lesson.id, Receipt.room_id.in_(rooms))
    return or_(Lesson.lead_room_id.in_(rooms), received)


def _taught_by(person: str) -> ColumnElement[bool]:
    received = exists().where(Receipt.lesson_id == Lesson.id, Receipt.assistant_id == person)
    return or_(Lesson.teacher_id == person, received)


def visible(scope: Scope) -> ColumnElement[bool]:
    """Its teacher and assistants; the schools and districts of its rooms; the devices of its rooms; its companions."""
    if scope.city or scope.system:
        return true()
    ways: list[ColumnElement[bool]] = []
    if scope.person:
        ways.append(_taught_by(scope.person))
    if (places := _places(scope)) is not None:
        ways.append(_touches(places))
    if scope.lesson:
        ways.append(Lesson.id == scope.lesson)
    return or_(*ways) if ways else false()


def among(scope: Scope) -> ColumnElement[bool]:
    """``visible`` for lists of all times: by index from the people and rooms concerned, not lesson by lesson."""
    if scope.city or scope.system:
        return true()
    held = aliased(Lesson)  # else it would be taken for the lesson outside
    ways: list[Select[str]] = []
    if scope.person:
        ways.append(select(held.id).where(held.teacher_id == scope.person))
        ways.append(select(Receipt.lesson_id).where(Receipt.assistant_id == scope.person))
    if (places := _places(scope)) is not None:
        rooms = _rooms(places)
        ways.append(select(held.id).where(held.lead_room_id.in_(rooms)))
        ways.append(select(Receipt.lesson_id).where(Receipt.room_id.in_(rooms)))
    if scope.lesson:
        ways.append(select(held.id).where(held.id == scope.lesson))
    return Lesson.id.in_(union_all(*ways)) if ways else false()


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


def _filtered(scope: Scope, wanted: LessonFilter) -> Select[Lesson]:
    some_days = wanted.starts_from is not None and wanted.starts_before is not None
    query = select(Lesson).where(visible(scope) if some_days else among(scope), Lesson.robots == 0)
    if wanted.starts_from is not None:
        query = query.where(Lesson.starts_at >= wanted.starts_from)
    if wanted.starts_before is not None:
        query = query.where(Lesson.starts_at < wanted.starts_before)
    if wanted.states:
        query = query.where(Lesson.state.in_(wanted.states))
    if wanted.kind is not None:
        query = query.where(Lesson.kind == wanted.kind)
    if wanted.subject is not None:
        query = query.where(Lesson.subject == wanted.subject)
    if wanted.classroom_id is not None:
        query = query.where(Lesson.classroom_id == wanted.classroom_id)
    if wanted.school_id is not None:
        query = query.where(_touches(School.id == wanted.school_id))
    if wanted.room_id is not None:
        query = query.where(_touches(Room.id == wanted.room_id))
    if wanted.person_id is not None:
        query = query.where(_taught_by(wanted.person_id))
    if wanted.district_id is not None:
        query = query.where(_touches(School.supervised_by == wanted.district_id))
    if wanted.words:
        like = wanted.words.strip()
        by_teacher = Lesson.teacher_id.in_(select(Person.id).where(Person.name.contains(like, autoescape=True)))
        query = query.where(or_(Lesson.title.contains(like, autoescape=True), by_teacher))
    return query


async def lessons(session: AsyncSession, scope: Scope, wanted: LessonFilter) -> list[Lesson]:
    start = Lesson.starts_at.desc() if wanted.descending else Lesson.starts_at
    query = _filtered(scope, wanted).order_by(start, Lesson.id).offset(wanted.offset).limit(wanted.limit)
    return list((await session.scalars(query)).unique())


async def count(session: AsyncSession, scope: Scope, wanted: LessonFilter) -> int:
    ids = _filtered(scope, wanted).with_only_columns(Lesson.id).subquery()
    return await session.scalar(select(func.count()).select_from(ids)) or 0


async def first_at_each_time(
    session: AsyncSession, scope: Scope, wanted: LessonFilter, each: int
) -> tuple[list[Lesson], dict[datetime, int]]:
    """The first ``each`` lessons of every starting time, and how many there are: a district's week has hundreds."""
    place = func.row_number().over(partition_by=Lesson.starts_at, order_by=Lesson.id).label("place")
    ranked = _filtered(scope, wanted).with_only_columns(Lesson.id, Lesson.starts_at, place).subquery()
    few = select(Lesson).where(Lesson.id.in_(select(ranked.c.id).where(ranked.c.place <= each)))
    rows = list((await session.scalars(few.order_by(Lesson.starts_at, Lesson.id))).unique())
    counts = select(ranked.c.starts_at, func.count()).group_by(ranked.c.starts_at)
    return rows, {row[0]: row[1] for row in await session.execute(counts)}


async def of_person(session: AsyncSession, scope: Scope, start: datetime, end: datetime) -> list[Lesson]:
    """Lessons the asker teaches or assists, starting in [start, end)."""
    if scope.person is None:
        return []  # "assistant is NULL" would be every lesson nobody assists
    mine = or_(
        Lesson.teacher_id == scope.person,
        exists().where(Receipt.lesson_id == Lesson.id, Receipt.assistant_id == scope.person),
    )
    query = select(Lesson).where(mine, Lesson.starts_at >= start, Lesson.starts_at < end, Lesson.robots == 0)
    return list((await session.scalars(query.order_by(Lesson.starts_at))).unique())


async def of_rooms(session: AsyncSession, scope: Scope, start: datetime, end: datetime) -> list[Lesson]:
    """Lessons of the asker's rooms that touch [start, end), cancelled ones left out."""
    query = (
        select(Lesson)
        .where(_touches(Room.id.in_(scope.rooms)), Lesson.ends_at > start, Lesson.starts_at < end)
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
