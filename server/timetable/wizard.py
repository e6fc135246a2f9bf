"""开学向导: a new term from an old one. Copies classrooms with their slots, promotes them a grade where a school year
begins, and lists what has lapsed since: posts, rooms, pairings, classes, consents, and days the calendar does not know.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person
from server.classes.grades import grade_on
from server.classrooms.models import Classroom, Receiver
from server.errors import ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.lessons.service import lead_part
from server.schools import store as schools
from server.schools.models import SchoolClass, consent_now
from server.scope import SYSTEM, Scope, allows
from server.timetable import service, store
from server.timetable.models import Term, WeeklySlot
from server.timetable.schemas import WizardBody

GRADES = "一二三四五六七八九"
PHASE_ENDS = (6, 9)
"""Grades after which a class leaves its phase: such a classroom begins anew, it is not promoted."""


@dataclass(slots=True)
class Candidate:
    """One classroom of the old term: what it would become, and what stands in its way."""

    classroom: Classroom
    grade: int
    lapsed: list[tuple[str, str]] = field(default_factory=list)
    """(text key below timetable.lapsed, name)"""
    copied: bool = False
    """There is one like it in the new term already."""
    leaves: bool = False
    """Its class leaves the school."""

    @property
    def ready(self) -> bool:
        return not self.copied and not self.leaves


@dataclass(slots=True)
class Draft:
    old: Term
    new: Term
    candidates: list[Candidate]
    known_until: date | None
    promoted: bool

    @property
    def unknown(self) -> bool:
        """Whether the new term lasts past the calendar that is known."""
        return self.known_until is None or self.known_until < self.new.ends_on


async def mine(session: AsyncSession, scope: Scope, term_id: str) -> list[str]:
    """Ids of a term's classrooms that are the asker's to copy."""
    return await service.mine(session, scope, "classroom.write", term_id)


async def draft(
    session: AsyncSession, scope: Scope, body: WizardBody, now: datetime, among: Sequence[str] | None = None
) -> Draft:
    """``among``: ids, of which those are looked at that are the asker's; None: all of theirs."""
    if not allows(scope, "classroom.write"):
        raise ForbiddenError
    old, new = await store.term(session, scope, body.old), await store.term(session, scope, body.new)
    if old is None or new is None:
        raise NotFoundError
    if old.id == new.id or new.starts_on <= old.starts_on:
        raise InvalidError("wizard_terms", field="new")
    promoted = body.promote and old.id[:4] != new.id[:4]
    ids = set(await mine(session, scope, old.id) if among is None else among)
    held = await store.classrooms_beside(session, scope, old.id, ids)
    grades = {one.id: _grade(one, promoted) for one in held}
    there = _there(held, grades, await store.classrooms_beside(session, scope, new.id, ids))
    shown = [one for one in held if one.id in ids and allows(scope, "classroom.write", lead_part(one.lead_room))]
    standing = await _standing(session, shown, new.starts_on)
    found = [_candidate(one, grades[one.id], new, promoted, there, standing) for one in shown]
    horizon = await store.horizon(session, scope)
    return Draft(old, new, found, horizon.known_until if horizon else None, promoted)


def _grade(classroom: Classroom, promoted: bool) -> int:
    return classroom.grade + (promoted and classroom.grade not in PHASE_ENDS)


def _called(classroom: Classroom, grade: int) -> str:
    return classroom.name.replace(f"{GRADES[classroom.grade - 1]}年级", f"{GRADES[grade - 1]}年级")


def _by_rooms(classroom: Classroom, grade: int) -> tuple[Any, ...]:
    received = frozenset(held.room_id for held in classroom.receivers)
    return classroom.lead_room_id, classroom.subject, grade, received


def _by_name(classroom: Classroom, grade: int) -> tuple[Any, ...]:
    return classroom.lead_room_id, classroom.subject, grade, _called(classroom, grade)


def _there(old: Sequence[Classroom], grades: dict[str, int], new: Sequence[Classroom]) -> set[str]:
    """Old classrooms that the new term has already: in the same rooms, or of the same name where the rooms were changed
    since. One of the new term answers for one of the old: parallel classes are several."""
    found: set[str] = set()
    used: set[str] = set()
    for key in (_by_rooms, _by_name):
        free: dict[tuple[Any, ...], list[str]] = defaultdict(list)
        for one in new:
            if one.id not in used:
                free[key(one, one.grade)].append(one.id)
        for one in old:
            held = free[key(one, grades[one.id])] if one.id not in found else []
            if held:
                used.add(held.pop())
                found.add(one.id)
    return found


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds on the new term's first day: (person, post), (lead school, helped school)."""

    posts: frozenset[tuple[str, str]]
    pairs: frozenset[tuple[str, str]]

    def holds(self, person: Person, post: str, school: str) -> bool:
        """At this school: who moved on takes the post along."""
        return (person.id, post) in self.posts and person.school_id == school


async def _standing(session: AsyncSession, classrooms: Sequence[Classroom], day: date) -> Standing:
    people = {one.lead_teacher_id for one in classrooms}
    people |= {held.assistant_id for one in classrooms for held in one.receivers if held.assistant_id}
    posts = await store.posts_on(session, SYSTEM, sorted(people), day)
    leads = sorted({one.lead_room.school_id for one in classrooms})
    return Standing(frozenset(posts), frozenset(await schools.pairs_on(session, SYSTEM, leads, day)))


def _candidate(
    classroom: Classroom, grade: int, new: Term, promoted: bool, there: set[str], standing: Standing
) -> Candidate:
    leaves = promoted and classroom.grade in PHASE_ENDS
    made = Candidate(classroom, grade, copied=classroom.id in there, leaves=leaves)
    lead = classroom.lead_room.school_id
    if not standing.holds(classroom.lead_teacher, "teacher", lead):
        made.lapsed.append(("teacher", classroom.lead_teacher.name))
    if classroom.lead_class is not None and not _fits(classroom.lead_class, grade, new.starts_on):
        made.lapsed.append(("class", f"{classroom.lead_room.school.short_name} {classroom.lead_class.called}"))
    for held in classroom.receivers:
        if held.assistant and not standing.holds(held.assistant, "assistant", held.room.school_id):
            made.lapsed.append(("assistant", held.assistant.name))
        if held.room.school_id != lead and (lead, held.room.school_id) not in standing.pairs:
            made.lapsed.append(("pairing", held.room.school.short_name))
        if held.room.closed_on is not None and held.room.closed_on <= new.starts_on:
            made.lapsed.append(("room", held.room.called))
        made.lapsed += _of_class(held, grade, new.starts_on)
    return made


def _fits(one: SchoolClass | None, grade: int, day: date) -> bool:
    """Whether the class still sits there: it is open, and in the grade that is taught (it goes up by itself)."""
    return one is not None and one.closed_on is None and grade_on(one.phase, one.entry_year, day) == grade


def _of_class(held: Receiver, grade: int, day: date) -> list[tuple[str, str]]:
    one = held.school_class
    name = f"{held.room.school.short_name} {one.called if one else held.room.name}"
    if one is None or not _fits(one, grade, day):
        return [("class", name)]
    consent = consent_now(one, day)
    return [] if consent == "held" else [("consent" if consent == "none" else f"consent_{consent}", name)]


async def copy(session: AsyncSession, scope: Scope, body: WizardBody, now: datetime) -> list[Classroom]:
    """Of what is ready, what is named. People whose posts lapsed are copied too: the page lists them again."""
    drawn = await draft(session, scope, body, now, body.classrooms)
    wanted = [one for one in drawn.candidates if one.ready]
    slots = await _slots(session, [one.classroom.id for one in wanted])
    made = []
    for one in wanted:
        made.append(await _copied(session, scope, one, drawn.new, slots, now))
    return made


async def _slots(session: AsyncSession, classrooms: list[str]) -> dict[str, list[WeeklySlot]]:
    found: dict[str, list[WeeklySlot]] = {}
    for slot in await session.scalars(select(WeeklySlot).where(WeeklySlot.classroom_id.in_(classrooms))):
        found.setdefault(slot.classroom_id, []).append(slot)
    return found


async def _copied(
    session: AsyncSession,
    scope: Scope,
    one: Candidate,
    new: Term,
    slots: dict[str, list[WeeklySlot]],
    now: datetime,
) -> Classroom:
    old = one.classroom
    row = Classroom(
        id=new_id(),
        name=_called(old, one.grade),
        subject=old.subject,
        grade=one.grade,
        lead_room_id=old.lead_room_id,
        lead_teacher_id=old.lead_teacher_id,
        lead_class_id=old.lead_class_id if _fits(old.lead_class, one.grade, new.starts_on) else None,
        term=new.id,
        form=old.form,
        accepted_on=old.accepted_on,
        created_at=now,
        demo=old.demo,
    )
    await store.add(session, scope, row)
    receivers = [
        Receiver(
            id=new_id(),
            classroom_id=row.id,
            position=held.position,
            room_id=held.room_id,
            assistant_id=held.assistant_id,
            class_id=held.class_id if _fits(held.school_class, one.grade, new.starts_on) else None,
        )
        for held in old.receivers
    ]
    names = ("weekday", "period", "starts", "minutes", "weeks", "follows_bell")
    times = [
        WeeklySlot(id=new_id(), classroom_id=row.id, **{name: getattr(slot, name) for name in names})
        for slot in slots.get(old.id, [])
    ]
    await store.add(session, scope, *receivers, *times)
    return row
