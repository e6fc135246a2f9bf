"""SQL of uploads, and the whole of a register at once as far as a scope reaches: a file is compared, not asked row by
row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Select, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, lazyload, selectinload

from server.accounts.admin.store import POSTS
from server.accounts.admin.store import visible as visible_person
from server.accounts.models import Person, PostHeld
from server.accounts.store import held_on
from server.audit.models import AuditEntry, AuditWaiting
from server.classrooms.models import Classroom, Receiver
from server.classrooms.store import visible as visible_classroom
from server.database import Base
from server.errors import ForbiddenError
from server.exchange.models import Upload
from server.ordinary import store as ordinary
from server.ordinary.falls import Hour
from server.ordinary.models import OrdinarySlot
from server.schools.models import District, Enrolment, Pairing, Past, Room, School, SchoolClass
from server.schools.store import runs_on, visible
from server.scope import Part, Scope
from server.timetable.models import CalendarDay, Term, WeeklySlot

R = TypeVar("R")
Wrote = Callable[[int], Awaitable[None]]
"""Hears of every so many rows written."""
CHUNK = 1000
"""Rows a statement: PostgreSQL takes 65,535 parameters."""
STUCK = timedelta(minutes=15)
"""A worker that died over a file left it in this state; another takes it up again."""


PAGE = 1000
"""Rows of a register at a time: between two pages others are served."""


async def _all(session: AsyncSession, query: Select[R]) -> list[R]:
    """Rows of one kind, in pages."""
    found = await session.stream_scalars(query.execution_options(yield_per=PAGE))
    return [one async for page in found.partitions() for one in page]


# --- registers, whole -------------------------------------------------------------------------------------------------


async def districts(session: AsyncSession, scope: Scope) -> list[District]:
    return list(await session.scalars(select(District).order_by(District.id)))


async def schools(session: AsyncSession, scope: Scope) -> list[School]:
    query = select(School).options(selectinload(School.settlement)).where(visible(scope))
    return list(await session.scalars(query.order_by(School.code)))


async def all_schools(session: AsyncSession, scope: Scope) -> list[School]:
    """Names and codes of schools are public; only whoever may pair comes here."""
    return list(await session.scalars(select(School).order_by(School.code)))


async def school_codes(session: AsyncSession, scope: Scope) -> set[str]:
    """Codes are unique beyond every scope."""
    return set(await session.scalars(select(School.code)))


async def rooms(session: AsyncSession, scope: Scope) -> list[Room]:
    query = select(Room).join(School, School.id == Room.school_id).where(visible(scope))
    return await _all(session, query.order_by(School.code, Room.code))


async def room_codes(session: AsyncSession, scope: Scope) -> set[str]:
    return set(await session.scalars(select(Room.code)))


async def classes(session: AsyncSession, scope: Scope) -> list[SchoolClass]:
    query = select(SchoolClass).join(School, School.id == SchoolClass.school_id).where(visible(scope))
    order = (School.code, SchoolClass.phase.desc(), SchoolClass.entry_year, SchoolClass.number)
    return await _all(session, query.order_by(*order))


async def people(session: AsyncSession, scope: Scope) -> list[Person]:
    query = select(Person).options(POSTS).where(visible_person(scope))
    return await _all(session, query.order_by(Person.login))


class PostShown(NamedTuple):
    post: str
    school_id: str | None
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class PersonShown:
    """As much of ``Person`` as an export says."""

    login: str
    name: str
    school_id: str | None
    subject: str | None
    phone: str | None
    posts: list[PostShown]
    disabled_at: None = None


async def people_shown(session: AsyncSession, scope: Scope) -> list[PersonShown]:
    """Who may sign in, in columns: they are a hundred thousand."""
    here = visible_person(scope), Person.disabled_at.is_(None)
    held: dict[str, list[PostShown]] = defaultdict(list)
    post = aliased(PostHeld)  # who is seen is found by posts, too
    posts = select(post.person_id, post.post, post.school_id, post.ends_on).join(Person, Person.id == post.person_id)
    posts = posts.where(*here).execution_options(yield_per=PAGE)
    async for page in (await session.stream(posts)).partitions():
        for one in page:
            held[one.person_id].append(PostShown(one.post, one.school_id, one.ends_on))
    people = select(Person.id, Person.login, Person.name, Person.school_id, Person.subject, Person.phone)
    people = people.where(*here).order_by(Person.login).execution_options(yield_per=PAGE)
    pages = (await session.stream(people)).partitions()
    return [
        PersonShown(one.login, one.name, one.school_id, one.subject, one.phone, held[one.id])
        async for page in pages
        for one in page
    ]


async def logins(session: AsyncSession, scope: Scope) -> set[str]:
    return set(await session.scalars(select(Person.login)))


async def district_of_codes(session: AsyncSession, scope: Scope) -> dict[str, str | None]:
    """School codes and room codes -> the district that answers for the school; codes are no secret."""
    schools = await session.execute(select(School.code, School.supervised_by))
    rooms = await session.execute(select(Room.code, School.supervised_by).join(School, School.id == Room.school_id))
    return {row[0]: row[1] for row in (*rooms, *schools)}


async def pairings(session: AsyncSession, scope: Scope) -> list[Pairing]:
    seen = select(School.id).where(visible(scope))
    query = select(Pairing).where(or_(Pairing.lead_school_id.in_(seen), Pairing.village_school_id.in_(seen)))
    return list(await session.scalars(query.order_by(Pairing.starts_on, Pairing.id)))


async def calendar_days(session: AsyncSession, scope: Scope) -> list[CalendarDay]:
    return list(await session.scalars(select(CalendarDay).order_by(CalendarDay.day)))


async def enrolments(session: AsyncSession, scope: Scope) -> list[Enrolment]:
    query = select(Enrolment).join(School, School.id == Enrolment.school_id).where(visible(scope))
    return await _all(session, query.order_by(School.code, Enrolment.school_year, Enrolment.phase))


@dataclass(frozen=True, slots=True)
class Place:
    """A running classroom as a timetable sees it: what it is called, and whom and what it needs."""

    name: str
    term: str
    room_code: str
    part: Part
    needs: frozenset[str]


async def classroom_places(session: AsyncSession, scope: Scope, today: date) -> dict[str, Place]:
    """Of every school: a teacher who is taken elsewhere is taken. What the asker may change, the kind decides."""
    needs: dict[str, set[str]] = defaultdict(set)
    received = select(Receiver.classroom_id, Receiver.room_id, Receiver.assistant_id, Receiver.class_id)
    for row in await session.execute(received):
        needs[row.classroom_id] |= {
            f"room:{row.room_id}",
            *([f"person:{row.assistant_id}"] if row.assistant_id else []),
            *([f"class:{row.class_id}"] if row.class_id else []),
        }
    names = (Classroom.id, Classroom.name, Classroom.term)
    led = (Classroom.lead_room_id, Classroom.lead_teacher_id, Classroom.lead_class_id)
    query = select(*names, *led, Room.code, School.id.label("school"), School.supervised_by)
    query = query.join(Room, Room.id == Classroom.lead_room_id).join(School, School.id == Room.school_id)
    query = query.join(Term, Term.id == Classroom.term).where(Term.ends_on >= today, Classroom.archived_at.is_(None))
    return {
        row.id: Place(
            row.name,
            row.term,
            row.code,
            Part(row.school, row.supervised_by),
            frozenset(
                {
                    f"room:{row.lead_room_id}",
                    f"person:{row.lead_teacher_id}",
                    *([f"class:{row.lead_class_id}"] if row.lead_class_id else []),
                    *needs[row.id],
                }
            ),
        )
        for row in await session.execute(query.order_by(Classroom.term, Classroom.name, Classroom.id))
    }


async def terms_to_come(session: AsyncSession, scope: Scope, today: date) -> list[Term]:
    """Not over yet."""
    return list(await session.scalars(select(Term).where(Term.ends_on >= today).order_by(Term.starts_on)))


async def terms_ahead(session: AsyncSession, scope: Scope, today: date) -> set[str]:
    return set(await session.scalars(select(Term.id).where(Term.ends_on >= today)))


async def classrooms(session: AsyncSession, scope: Scope, today: date) -> list[Classroom]:
    """Running ones of terms that are not over."""
    query = select(Classroom).join(Term, Term.id == Classroom.term)
    query = query.where(visible_classroom(scope), Term.ends_on >= today, Classroom.archived_at.is_(None))
    return list((await session.scalars(query.order_by(Classroom.term, Classroom.name, Classroom.id))).unique())


def _reached(scope: Scope, today: date) -> Any:
    """Schools of the scope and those that they help: a classroom's receiving rooms may be theirs."""
    lead = select(School.id).where(visible(scope)).correlate(None)
    helped = select(Pairing.village_school_id).where(Pairing.lead_school_id.in_(lead), runs_on(today))
    return select(School.id).where(or_(visible(scope), School.id.in_(helped)), School.closed_on.is_(None))


async def rooms_reached(session: AsyncSession, scope: Scope, today: date) -> list[Room]:
    query = select(Room).where(Room.school_id.in_(_reached(scope, today)), Room.closed_on.is_(None))
    return list((await session.scalars(query)).unique())


async def staff_reached(
    session: AsyncSession, scope: Scope, today: date
) -> dict[tuple[str, str], tuple[str, str | None]]:
    """(sign-in name, post) -> (person, school): who may stand in a classroom. Columns, not rows: they are many."""
    query = select(Person.login, PostHeld.post, Person.id, Person.school_id)
    query = query.join(PostHeld, PostHeld.person_id == Person.id)
    query = query.where(PostHeld.post.in_(("teacher", "assistant")), held_on(today), Person.disabled_at.is_(None))
    rows = await session.execute(query.where(Person.school_id.in_(_reached(scope, today))))
    return {(login, post): (person, school) for login, post, person, school in rows}


async def classes_reached(session: AsyncSession, scope: Scope, today: date) -> list[SchoolClass]:
    """Open ones: who may sit in a classroom."""
    query = select(SchoolClass).where(SchoolClass.school_id.in_(_reached(scope, today)))
    return list((await session.scalars(query.where(SchoolClass.closed_on.is_(None)).options(lazyload("*")))).unique())


async def pairs(session: AsyncSession, scope: Scope, today: date) -> set[tuple[str, str]]:
    """(lead school, helped school) of today, where the scope sees the lead school."""
    query = select(Pairing.lead_school_id, Pairing.village_school_id).where(runs_on(today))
    query = query.join(School, School.id == Pairing.lead_school_id).where(visible(scope))
    return {(lead, helped) for lead, helped in await session.execute(query)}


async def classrooms_seen(session: AsyncSession, scope: Scope) -> set[str]:
    return set(await session.scalars(select(Classroom.id).where(visible_classroom(scope))))


async def weekly_slots(session: AsyncSession, scope: Scope, classrooms: Collection[str]) -> list[WeeklySlot]:
    query = select(WeeklySlot).order_by(WeeklySlot.classroom_id, WeeklySlot.weekday, WeeklySlot.starts)
    return [one for one in await _all(session, query) if one.classroom_id in classrooms]


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody of a school's staff. ``works``: today still."""

    id: str
    login: str
    name: str
    school_id: str
    works: bool


async def staff_with_posts(session: AsyncSession, scope: Scope, posts: Sequence[str], today: date) -> list[Worker]:
    """Whoever holds or held one of the posts. Columns, not rows: they are many."""
    post = (PostHeld.person_id == Person.id, PostHeld.post.in_(posts))
    works = exists().where(*post, held_on(today)) & Person.disabled_at.is_(None)
    query = select(Person.id, Person.login, Person.name, Person.school_id, works.label("works"))
    query = query.join(School, School.id == Person.school_id).where(visible(scope), exists().where(*post))
    rows = await session.execute(query.order_by(Person.login))
    return [Worker(row.id, row.login, row.name, row.school_id or "", bool(row.works)) for row in rows]


async def hours_beside(session: AsyncSession, scope: Scope, places: Iterable[Place]) -> list[tuple[str, Hour]]:
    """(term, ordinary hour) of whom and what these classrooms need."""
    needed: dict[str, set[str]] = defaultdict(set)
    for one in places:
        needed[one.term] |= one.needs
    found: dict[str, tuple[str, Hour]] = {}
    for term, needs in needed.items():
        rows = sorted(needs)
        for start in range(0, len(rows), CHUNK):
            wanted: dict[str, list[str]] = {"person": [], "room": [], "class": []}
            for kind, _, id_ in (need.partition(":") for need in rows[start : start + CHUNK]):
                wanted[kind].append(id_)
            hours = await ordinary.hours_beside(session, scope, term, wanted)
            found |= {hour.id: (term, hour) for hour in hours}
    return list(found.values())


async def count_ordinary(session: AsyncSession, scope: Scope, today: date) -> int:
    """Hours of terms that are not over."""
    query = select(func.count()).select_from(OrdinarySlot).join(School, School.id == OrdinarySlot.school_id)
    query = query.join(Term, Term.id == OrdinarySlot.term).where(visible(scope), Term.ends_on >= today)
    return await session.scalar(query) or 0


async def ordinary_slots(session: AsyncSession, scope: Scope, terms: Collection[str]) -> list[OrdinarySlot]:
    query = select(OrdinarySlot).join(School, School.id == OrdinarySlot.school_id)
    query = query.where(visible(scope), OrdinarySlot.term.in_(terms))
    order = (OrdinarySlot.term, School.code, OrdinarySlot.weekday, OrdinarySlot.period, OrdinarySlot.id)
    return await _all(session, query.order_by(*order))


async def kept_today(session: AsyncSession, scope: Scope, kind: str, until: datetime) -> set[str]:
    """Rows whose state before today is on record already, or which changed for a later day."""
    return set(await session.scalars(select(Past.row_id).where(Past.kind == kind, Past.until >= until)))


# --- writing ----------------------------------------------------------------------------------------------------------


async def insert_all(session: AsyncSession, scope: Scope, table: Any, rows: list[dict[str, Any]], wrote: Wrote) -> None:
    for start in range(0, len(rows), CHUNK):
        some = rows[start : start + CHUNK]
        await session.execute(insert(table), some)
        await wrote(len(some))


async def delete_all(session: AsyncSession, scope: Scope, table: Any, ids: list[str], wrote: Wrote) -> None:
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        gone = delete(table).where(table.id.in_(some))
        await session.execute(gone.execution_options(synchronize_session=False))
        await wrote(len(some))


async def update_all(session: AsyncSession, scope: Scope, table: Any, rows: list[dict[str, Any]], wrote: Wrote) -> None:
    """By primary key; rows that change the same columns go together."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(sorted(row)), []).append(row)
    for same in groups.values():
        for start in range(0, len(same), CHUNK):
            some = same[start : start + CHUNK]
            await session.execute(update(table), some)
            await wrote(len(some))


async def tell(session: AsyncSession, scope: Scope, entries: Iterable[AuditEntry], wrote: Wrote) -> None:
    """Thousands of entries at once, as ``audit.watch`` would have written them one by one."""
    names = [column.key for column in AuditEntry.__table__.columns]
    rows = [{name: getattr(entry, name) for name in names} for entry in entries]
    await insert_all(session, scope, AuditEntry, rows, wrote)
    await insert_all(session, scope, AuditWaiting, [{"entry_id": row["id"]} for row in rows], wrote)


# --- uploads ----------------------------------------------------------------------------------------------------------


async def upload(session: AsyncSession, scope: Scope, upload_id: str, *, lock: bool = False) -> Upload | None:
    """One's own; our jobs see all."""
    query = select(Upload).where(Upload.id == upload_id)
    if not scope.system:
        query = query.where(Upload.person_id == scope.person)
    return await session.scalar(query.with_for_update() if lock else query)


async def uploads(session: AsyncSession, scope: Scope, most: int) -> list[Upload]:
    query = select(Upload).where(Upload.person_id == scope.person).order_by(Upload.created_at.desc()).limit(most)
    return list(await session.scalars(query))


async def waiting(session: AsyncSession, scope: Scope, now: datetime) -> list[str]:
    if not scope.system:
        raise ForbiddenError
    stuck = Upload.state.in_(("checking", "writing")) & (Upload.created_at < now - STUCK)
    query = select(Upload.id).where(or_(Upload.state.in_(("waiting", "accepted")), stuck)).order_by(Upload.created_at)
    return list(await session.scalars(query))


async def progress(session: AsyncSession, scope: Scope, upload_id: str, **values: Any) -> None:
    await session.execute(update(Upload).where(Upload.id == upload_id).values(**values))


async def add(session: AsyncSession, scope: Scope, row: Base) -> None:
    session.add(row)
    await session.flush()
