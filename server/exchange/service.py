"""A workbook's way through: taken in, checked as a whole, shown, and written only when its owner says so.

Rule: what is written is planned anew in the transaction that writes it: between the check and the word the register
may have changed, and a file is never half applied.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.service import scope_of
from server.accounts.store import person as load_person
from server.audit.watch import TELLS_ITSELF, Actor, acting, entry_of
from server.clock import city_date
from server.database import Base
from server.errors import ConflictError, ForbiddenError, NotFoundError
from server.exchange import store, workbook
from server.exchange.classrooms import Classrooms
from server.exchange.models import Upload
from server.exchange.ordinary import Ordinary
from server.exchange.pairings import Pairings
from server.exchange.people import People
from server.exchange.plans import Calendar, Enrolments, Slots
from server.exchange.progress import Progress
from server.exchange.register import Classes, Kind, Plan, Rooms, Schools, Whole
from server.exchange.sheets import SHEETS, Fault, Reader, match
from server.ids import new_id
from server.scope import SYSTEM, Action, Part, Scope, allows
from server.templating import Texts
from signaling.ports import ObjectStore

KINDS: dict[str, Callable[[], Kind]] = {
    "schools": Schools,
    "rooms": Rooms,
    "classes": Classes,
    "people": People,
    "pairings": Pairings,
    "enrolment": Enrolments,
    "calendar": Calendar,
    "classrooms": Classrooms,
    "slots": Slots,
    "ordinary": Ordinary,
}
ACTIONS: dict[str, Action] = {
    "schools": "school.write",
    "rooms": "room.write",
    "classes": "class.write",
    "people": "person.write",
    "pairings": "pairing.write",
    "enrolment": "school.write",
    "calendar": "calendar.write",
    "classrooms": "classroom.write",
    "slots": "classroom.write",
    "ordinary": "ordinary.write",
}
OF_THE_CITY = frozenset({"calendar"})
"""Kinds that belong to no school: a school keeps its own bells, not the holidays."""
SHOWN_PROBLEMS = 500
MOST_PROBLEMS = 2_000
"""A file with more is another kind of file: checking stops."""


def key_of(upload_id: str) -> str:
    return f"uploads/{upload_id}.xlsx"


def kinds_for(scope: Scope) -> list[str]:
    return [kind for kind in KINDS if _allowed(scope, kind)]


def _allowed(scope: Scope, kind: str) -> bool:
    return allows(scope, ACTIONS[kind], Part() if kind in OF_THE_CITY else None)


def may(scope: Scope, kind: str) -> None:
    if kind not in KINDS:
        raise NotFoundError
    if not _allowed(scope, kind):
        raise ForbiddenError


# --- in ---------------------------------------------------------------------------------------------------------------


async def take(
    session: AsyncSession, scope: Scope, objects: ObjectStore, kind: str, name: str, data: bytes, now: datetime
) -> Upload:
    may(scope, kind)
    if scope.person is None:
        raise ForbiddenError
    workbook.inspect(data)
    row = Upload(
        id=new_id(),
        kind=kind,
        state="waiting",
        name=name[-120:],
        sha256=hashlib.sha256(data).hexdigest(),
        person_id=scope.person,
        created_at=now,
        problems=[],
    )
    await objects.put(key_of(row.id), data, content_type=workbook.MEDIA_TYPE)
    await store.add(session, scope, row)
    return row


async def get(session: AsyncSession, scope: Scope, upload_id: str, *, lock: bool = False) -> Upload:
    row = await store.upload(session, scope, upload_id, lock=lock)
    if row is None:
        raise NotFoundError
    return row


async def accept(session: AsyncSession, scope: Scope, upload_id: str) -> Upload:
    row = await get(session, scope, upload_id, lock=True)
    may(scope, row.kind)
    if row.state != "ready":
        raise ConflictError("upload_state")
    row.state, row.at_row = "accepted", 0
    await session.flush()
    return row


async def drop(session: AsyncSession, scope: Scope, objects: ObjectStore, upload_id: str, now: datetime) -> Upload:
    row = await get(session, scope, upload_id, lock=True)
    if row.state not in ("waiting", "wrong", "ready"):
        raise ConflictError("upload_state")
    row.state, row.ended_at = "dropped", now
    await session.flush()
    await objects.delete(key_of(row.id))
    return row


# --- checking and writing: our own job --------------------------------------------------------------------------------


async def scope_for(session: AsyncSession, upload: Upload, now: datetime) -> Scope:
    """What the file's owner may do now, not when it was sent."""
    person = await load_person(session, SYSTEM, upload.person_id)
    if person is None or person.disabled_at is not None:
        return Scope()
    return scope_of(person, city_date(now))


class Step(NamedTuple):
    """How far a file has been looked at, what it would do so far, and what is wrong with it so far."""

    at: int
    work: Plan
    problems: list[dict[str, Any]]


async def plan(session: AsyncSession, scope: Scope, kind: str, data: bytes, now: datetime) -> AsyncIterator[Step]:
    """Row by row; the last step counts."""
    held, reader, work = KINDS[kind](), Reader(SHEETS[kind]), Plan(now)
    await held.load(session, scope, now)
    problems: list[dict[str, Any]] = []
    count, places = 0, None
    for number, cells in workbook.rows(data):
        if places is None:
            try:
                places = match(cells, SHEETS[kind])
            except Fault as fault:
                problems.append(_problem(number, fault, None))
                break
            continue
        count, work.row = count + 1, number
        try:
            values = {column.key: reader.value(column, cells[place]) for place, column in places.items()}
            work.effects[held.plan(values, work)] += 1
        except Fault as fault:
            problems.append(_problem(number, fault, _cell(places, cells, fault)))
        if len(problems) >= MOST_PROBLEMS:
            break
        if count % 500 == 0:
            yield Step(count, work, problems)
    if isinstance(held, Whole):
        problems += [_problem(row, fault, value) for row, fault, value in held.late()]
        problems.sort(key=lambda one: int(one["row"]))
    if places is None and not problems:
        problems.append(_problem(1, Fault("", "empty"), None))
    yield Step(count, work, problems)


def _cell(places: dict[int, Any], cells: tuple[Any, ...], fault: Fault) -> str | None:
    found = next((cells[place] for place, column in places.items() if column.key == fault.column), None)
    return None if found is None else str(found)[:80]


def _problem(row: int, fault: Fault, value: str | None) -> dict[str, Any]:
    params = {name: str(one) for name, one in fault.params.items() if name != "field"}
    return {"row": row, "column": fault.column, "value": value, "key": fault.key, "params": params}


def sentence(problem: dict[str, Any], t: Texts) -> str:
    """A problem in the reader's language; keys of other areas name them."""
    key = problem["key"] if "." in problem["key"] else f"exchange.wrong.{problem['key']}"
    try:
        return t.filled(key, **problem["params"])
    except (KeyError, IndexError):
        return t(key)


async def write(
    session: AsyncSession, scope: Scope, upload: Upload, data: bytes, now: datetime, progress: Progress
) -> Plan | None:
    """All of it, in the caller's transaction; None when the register has changed so that it cannot be."""
    session.info[TELLS_ITSELF] = True
    acting(session, scope)
    step = Step(0, Plan(now), [])
    async for step in plan(session, scope, upload.kind, data, now):
        if step.problems:
            upload.problems, upload.wrong, upload.state = step.problems[:SHOWN_PROBLEMS], len(step.problems), "wrong"
            return None
        await progress.checked(step.at)
    work = step.work
    changed = sum(len(rows) for kind in (work.removals, work.inserts, work.updates) for rows in kind.values())
    progress.to_write(changed + 2 * len(work.told))
    wrote = progress.wrote
    for table, ids in work.removals.items():
        await store.delete_all(session, scope, table, ids, wrote)
    order: list[str] = [str(table.name) for table in Base.metadata.sorted_tables]
    for table in sorted(work.inserts, key=lambda one: order.index(one.__tablename__)):
        await store.insert_all(session, scope, table, work.inserts[table], wrote)
    for table, rows in work.updates.items():
        await store.update_all(session, scope, table, rows, wrote)
    actor = Actor(scope.person)
    told = [entry_of(actor, now, act, kind, row, said, place) for act, kind, row, said, place in work.told]
    summary: dict[str, Any] = {"file": upload.name, "sha256": upload.sha256, "kind": upload.kind}
    summary.update({str(effect): rows for effect, rows in work.effects.items()})
    told.append(entry_of(actor, now, "import", "uploads", upload.id, summary, (scope.school, None)))
    await store.tell(session, scope, told, wrote)
    return work
