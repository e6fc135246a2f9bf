"""Tells every change of every table to the audit log, in the transaction that makes it. Rule: nobody has to remember.

``watch(database, clock)`` listens to the sessions that may write; a new table is watched from its first day. What is
left out stands in ``UNTOLD`` with its reason. Who acts is put into the session by ``acting``; without it, our own jobs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, cast

from sqlalchemy import event, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper, ORMExecuteState, Session

from server.audit.models import AuditEntry, AuditWaiting
from server.clock import Clock
from server.database import Base, Database
from server.ids import new_id
from server.scope import Scope

UNTOLD = frozenset(
    {
        "audit_entries",
        "audit_seals",
        "audit_waiting",  # the log itself
        "facts",  # a ledger of its own, append-only as well
        "attendance",
        "ledger_marks",
        "roll_ups",
        "fill_states",  # computed from the ledger, computed again at will
        "recordings",
        "nodes",
        "placements",  # written by machines, every few seconds
        "self_tests",  # a history of its own, written by machines
        "sign_ins",  # told as sign-ins, not as rows
        "pasts",  # the change itself is told
        "uploads",  # what a file changed is told row by row when it is written
        "deliveries",  # the outbox is a log of its own
        "resource_days",  # locks
        "notice_bells",  # the notice is told
    }
)
UNTOLD_COLUMNS = frozenset(
    {
        "seen_at",
        "created_at",
        "at_row",
        "code_sha256",
        "code_expires_at",
        "problems",
        "failures",
        "failing_since",
        "last_at",
        "last_problem",
    }
)
"""Columns that change by themselves."""
SECRET = frozenset({"password_hash", "token_sha256", "secret", "endpoint"})
LONGEST = 500
"""Characters of one value; what is longer is cut: the log tells of a change, it is no copy of the database."""
PLACES = (
    "school_id",
    "village_school_id",
    "room_id",
    "lead_room_id",
    "lesson_id",
    "classroom_id",
    "studio_id",
    "group_id",
    "person_id",
)
"""Columns that lead to the school that a row concerns, the nearest first."""
DEEPEST = 4
"""Rows on the way: a change, its lesson, the lead room, the school."""


Place = tuple[str | None, str | None]
"""School and district that an entry concerns."""
TELLS_ITSELF = "tells"
"""Set in a session's ``info`` by who writes thousands of rows at once, and their entries with them."""


@dataclass(frozen=True, slots=True)
class Actor:
    person: str | None = None
    device: str | None = None
    address: str | None = None


def acting(session: AsyncSession, scope: Scope, address: str | None = None) -> None:
    """What this session writes from now on, it writes for this person or device."""
    session.info["actor"] = Actor(scope.person, scope.device, address)


def tell(
    session: AsyncSession, at: datetime, act: str, kind: str, row_id: str | None, told: dict[str, Any], place: Place
) -> None:
    """What no row tells of, in the transaction that does it."""
    _tell(session.sync_session, at, act, kind, row_id, told, place)


def watch(database: Database, clock: Clock) -> None:
    """Once for each ``Database``; the sessions of others are not touched."""

    def before_flush(session: Session, _context: Any, _rows: Any) -> None:
        for row, act, told in list(_changes(session)):
            if told:
                _tell(session, clock.now(), act, row.__tablename__, _id_of(row), told, _place(session, row))

    def on_execute(state: ORMExecuteState) -> None:
        writes = state.is_insert or state.is_update or state.is_delete
        if not writes or state.bind_mapper is None or state.session.info.get(TELLS_ITSELF):
            return
        table = str(cast(Any, state.bind_mapper.local_table).name)
        if table in UNTOLD:
            return
        if state.is_insert:
            for told, place in _sets(state.session, state.bind_mapper.class_, state.parameters):
                _tell(state.session, clock.now(), "create", table, None, told, place)
        else:
            told = {"statement": str(state.statement)[:LONGEST]}
            _tell(
                state.session, clock.now(), "delete" if state.is_delete else "change", table, None, told, (None, None)
            )

    event.listen(database.writers, "before_flush", before_flush)
    event.listen(database.writers, "do_orm_execute", on_execute)


def _tell(
    session: Session,
    at: datetime,
    act: str,
    kind: str,
    row_id: str | None,
    told: dict[str, Any],
    place: Place,
) -> None:
    actor = session.info.get("actor", Actor())
    entry = entry_of(actor, at, act, kind, row_id, told, place)
    session.add(entry)
    session.add(AuditWaiting(entry_id=entry.id))


def entry_of(
    actor: Actor,
    at: datetime,
    act: str,
    kind: str,
    row_id: str | None,
    told: dict[str, Any],
    place: Place,
) -> AuditEntry:
    return AuditEntry(
        id=new_id(),
        at=at,
        person_id=actor.person,
        device_id=actor.device,
        address=actor.address,
        act=act,
        kind=kind,
        row_id=row_id,
        school_id=place[0],
        district_id=place[1],
        told=told,
    )


def _changes(session: Session) -> Iterator[tuple[Any, str, dict[str, Any]]]:
    for row in session.new:
        if row.__tablename__ not in UNTOLD:
            yield row, "create", {name: [None, _said(name, value)] for name, value in _values(row) if value is not None}
    for row in session.deleted:
        if row.__tablename__ not in UNTOLD:
            yield row, "delete", {name: [_said(name, value), None] for name, value in _values(row) if value is not None}
    for row in session.dirty:
        if row.__tablename__ not in UNTOLD and row not in session.deleted and session.is_modified(row):
            yield row, "change", dict(_changed(row))


def _values(row: Any) -> Iterator[tuple[str, Any]]:
    """Columns as they stand in memory; what was not loaded is not loaded for this."""
    for attribute in cast(Mapper[Any], inspect(row).mapper).column_attrs:
        if attribute.key not in UNTOLD_COLUMNS:
            yield attribute.key, inspect(row).dict.get(attribute.key)


def _changed(row: Any) -> Iterator[tuple[str, list[Any]]]:
    state = inspect(row)
    for attribute in state.mapper.column_attrs:
        history = state.attrs[attribute.key].history
        if attribute.key in UNTOLD_COLUMNS or not history.has_changes():
            continue
        before = history.deleted[0] if history.deleted else None
        after = history.added[0] if history.added else None
        if before != after:
            yield attribute.key, [_said(attribute.key, before), _said(attribute.key, after)]


def _said(name: str, value: Any) -> Any:
    """A value as JSON can say it: what is read back must hash as what was written."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if name in SECRET:
        return "…"
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    return str(value)[:LONGEST]


def _sets(session: Session, table: Any, rows: Any) -> Iterator[tuple[dict[str, Any], Place]]:
    """Rows of one statement, told as one set for each district concerned, and for each school of the city's own (no
    district answers for it): how many, and what all of them share (the batch, by which each is found)."""
    rows = [rows] if isinstance(rows, dict) else list(rows or ())
    parts: dict[Place, list[tuple[dict[str, Any], str | None]]] = {}
    for row in rows:
        school, district = _place(session, table(**row))
        parts.setdefault((None if district else school, district), []).append((row, school))
    for (_, district), held in parts.items():
        first, schools = held[0][0], {school for _, school in held}
        shared = {
            name: value for name, value in first.items() if value and all(row.get(name) == value for row, _ in held)
        }
        told = {name: [None, _said(name, value)] for name, value in shared.items() if name not in UNTOLD_COLUMNS}
        yield {"rows": len(held), **told}, (schools.pop() if len(schools) == 1 else None, district)


def _id_of(row: Any) -> str:
    return "/".join(str(part) for part in inspect(row).mapper.primary_key_from_instance(row))[:80]


# --- the part of the city a row concerns ------------------------------------------------------------------------------


def _classes() -> dict[str, Any]:
    return {str(mapper.local_table.name): mapper.class_ for mapper in Base.registry.mappers}  # type: ignore[attr-defined]


def _place(session: Session, row: Any) -> Place:
    school = _school(session, row, DEEPEST)
    if school is not None:
        return school.id, school.supervised_by
    return getattr(row, "school_id", None), getattr(row, "district_id", None)


def _school(session: Session, row: Any, depth: int) -> Any:
    if row is None or depth == 0:
        return None
    if row.__tablename__ == "schools":
        return row
    columns = inspect(row).mapper.columns
    for name in PLACES:
        value = getattr(row, name, None)
        if value is None or name not in columns:
            continue
        for key in columns[name].foreign_keys:
            above = session.get(_classes()[key.column.table.name], value)
            found = _school(session, above, depth - 1)
            if found is not None:
                return found
    return None
