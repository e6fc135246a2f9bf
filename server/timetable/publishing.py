"""Publishing (发布): a classroom's weekly slots become dated lessons. Shown before it is done, and safe to do again.

A lesson that came from a slot is known by its ``origin``: publishing again adds what is missing, renews what nobody has
touched, withdraws what the timetable no longer holds, and leaves alone what was moved, called off or staffed by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.classrooms.models import Classroom
from server.clock import city_date
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.lessons import store as lesson_store
from server.lessons.changes import service as changes
from server.lessons.changes.record import snapshot
from server.lessons.invitations import service as invitations
from server.lessons.lifecycle import AHEAD, REPLANNED, after
from server.lessons.models import Lesson
from server.lessons.schemas import LessonFilter
from server.lessons.service import may
from server.outbox import service as outbox
from server.outbox.events import of_lesson
from server.scope import SYSTEM, Scope
from server.selftests import planning
from server.selftests.planning import Planned
from server.selftests.schemas import LineWarning
from server.timetable import lessons_made, occupancy, service, store
from server.timetable.conflicts import Clash, Entry, entry
from server.timetable.models import SchoolSpan, Term
from server.timetable.service import Dated, Fill
from server.timetable.telling import Concerned, Telling

MOST_CLASSROOMS = 60


@dataclass(frozen=True, slots=True)
class Slotted:
    """A lesson that the timetable wants: where it comes from and when."""

    classroom: Classroom
    origin: str
    when: Dated

    def needs(self, id_: str) -> Entry:
        held = self.classroom.receivers
        return entry(
            id_,
            self.when.starts_at,
            self.when.ends_at,
            people=[self.classroom.lead_teacher_id, *(one.assistant_id for one in held)],
            rooms=[self.classroom.lead_room_id, *(one.room_id for one in held)],
            classes=[self.classroom.lead_class_id, *(one.class_id for one in held)],
        )

    def planned(self, id_: str) -> Planned:
        rooms = tuple(one.room_id for one in self.classroom.receivers)
        when, lead = self.when, self.classroom.lead_room_id
        return Planned(id_, self.classroom.name, when.starts_at, when.ends_at, lead, rooms)


@dataclass(slots=True)
class Plan:
    """What publishing would do."""

    term: Term
    classrooms: list[Classroom]
    add: list[Slotted] = field(default_factory=list)
    renew: list[tuple[Lesson, Slotted]] = field(default_factory=list)
    restore: list[tuple[Lesson, Slotted]] = field(default_factory=list)
    withdraw: list[Lesson] = field(default_factory=list)
    kept: int = 0
    away: list[tuple[Slotted, SchoolSpan]] = field(default_factory=list)
    """Left out, because a school is away that day."""
    clashes: list[Clash] = field(default_factory=list)
    named: list[dict[str, str]] = field(default_factory=list)
    by_hand: set[str] = field(default_factory=set)
    """Lessons that were changed by hand: left alone."""
    crowds: list[LineWarning] = field(default_factory=list)
    """Schools whose measured line carries fewer lessons at once: told, nothing is refused."""
    asked: set[str] = field(default_factory=set)
    """Classrooms whose schools are asked again: not for a new name, nor for what is withdrawn."""
    beyond: date | None = None
    """The day after which the calendar is not known, where lessons lie beyond it."""

    def entries(self) -> list[Entry]:
        """Everything that will newly stand somewhere, under the ids it will have."""
        held = [one.needs(f"new {one.origin}") for one in self.add]
        return held + [one.needs(lesson.id) for lesson, one in [*self.renew, *self.restore]]

    def stood(self) -> list[Entry]:
        """What is renewed, as it stands."""
        return [occupancy.entry_of(lesson) for lesson, _ in self.renew]

    def planned(self) -> list[Planned]:
        """The same as lines see it."""
        held = [one.planned(f"new {one.origin}") for one in self.add]
        return held + [one.planned(lesson.id) for lesson, one in [*self.renew, *self.restore]]

    @property
    def gone(self) -> frozenset[str]:
        return frozenset(lesson.id for lesson in self.withdraw)


def origin_of(when: Dated) -> str:
    return f"{when.classroom}/{when.day:%Y%m%d}/{when.period}"


async def plan(session: AsyncSession, scope: Scope, term_id: str, classroom_ids: Sequence[str], now: datetime) -> Plan:
    """From now (or the term's first day) to the term's end; no classroom named: every one the asker may publish."""
    term = await store.term(session, scope, term_id)
    if term is None:
        raise NotFoundError
    mine = await _mine(session, scope, term_id)
    if not set(classroom_ids).issubset(mine):
        raise ForbiddenError
    chosen = set(classroom_ids or mine)
    if not chosen:
        raise InvalidError("publish_nothing")
    if len(chosen) > MOST_CLASSROOMS:
        raise InvalidError("publish_many", most=MOST_CLASSROOMS)
    made = Plan(term, await store.classrooms_of(session, scope, term_id, chosen))
    await _sort(session, made, now)
    made.clashes = await occupancy.look(session, SYSTEM, made.entries(), made.gone, made.stood())
    made.named = await occupancy.named_clashes(session, scope, made.clashes)
    made.crowds = await planning.warnings(session, SYSTEM, made.planned(), now, made.gone)
    return made


async def parts(session: AsyncSession, scope: Scope, term_id: str) -> list[list[str]]:
    """All the asker may publish, by ids, in parts that one transaction carries: a district has hundreds."""
    ids = await _mine(session, scope, term_id)
    return [ids[start : start + MOST_CLASSROOMS] for start in range(0, len(ids), MOST_CLASSROOMS)]


async def _mine(session: AsyncSession, scope: Scope, term_id: str) -> list[str]:
    """Classrooms the asker may publish."""
    return await service.mine(session, scope, "lesson.create", term_id)


async def _sort(session: AsyncSession, made: Plan, now: datetime) -> None:
    """Every time the slots give, against every lesson that is there."""
    first = max(made.term.starts_on, city_date(now))
    ids = [one.id for one in made.classrooms]
    by_id = {one.id: one for one in made.classrooms}
    bells = await service.lead_bells(session, SYSTEM, made.classrooms)
    fill = Fill(made.term.starts_on, first, made.term.ends_on)
    falls = await service.dated(session, SYSTEM, ids, fill.first, fill.last, fill.starts_on, bells)
    there = await lessons_made.by_origin(session, SYSTEM, ids, now)
    made.by_hand = await lessons_made.by_hand(session, SYSTEM, ids)
    spans = await _spans(session, made, fill)
    wanted: set[str] = set()
    for when in falls:
        slotted = Slotted(by_id[when.classroom], origin_of(when), when)
        if slotted.origin in wanted:  # neither form nor file lets it in any more
            raise InvalidError(
                "publish_period_twice", name=slotted.classroom.name, day=f"{when.day}", period=when.period
            )
        wanted.add(slotted.origin)
        if when.starts_at > now:
            _place(made, slotted, there.get(slotted.origin), spans)
    left = [one for key, one in there.items() if key not in wanted and one.starts_at > now]
    made.withdraw = [one for one in left if _untouched(made, one)]
    horizon = await store.horizon(session, SYSTEM)
    last = max((one.when.day for one in made.add), default=None)
    if last is not None and (horizon is None or last > horizon.known_until):
        made.beyond = horizon.known_until if horizon else made.term.starts_on


def _place(made: Plan, slotted: Slotted, held: Lesson | None, spans: dict[str, list[SchoolSpan]]) -> None:
    away = _away(slotted, spans)
    if held is None and away is not None:
        made.away.append((slotted, away))
    elif held is None:
        made.add.append(slotted)
    elif held.state == "cancelled" and held.cancel_reason == REPLANNED:
        made.restore.append((held, slotted))
    elif _untouched(made, held) and lessons_made.differs(held, slotted.classroom, slotted.when):
        made.renew.append((held, slotted))
    else:
        made.kept += 1


def _untouched(made: Plan, lesson: Lesson) -> bool:
    """Still as it was published: only such a lesson follows its timetable by itself."""
    return lesson.id not in made.by_hand and lesson.state in ("planned", "published")


async def _spans(session: AsyncSession, made: Plan, fill: Fill) -> dict[str, list[SchoolSpan]]:
    schools = {one.lead_room.school_id for one in made.classrooms}
    schools |= {held.room.school_id for one in made.classrooms for held in one.receivers}
    found: dict[str, list[SchoolSpan]] = {}
    for span in await store.spans(session, SYSTEM, sorted(schools), fill.first, fill.last):
        found.setdefault(span.school_id, []).append(span)
    return found


def _away(slotted: Slotted, spans: dict[str, list[SchoolSpan]]) -> SchoolSpan | None:
    rooms = [slotted.classroom.lead_room, *(one.room for one in slotted.classroom.receivers)]
    for room in rooms:
        for span in spans.get(room.school_id, ()):
            if span.first_on <= slotted.when.day <= span.last_on:
                return span
    return None


# --- doing it ---------------------------------------------------------------------------------------------------------


async def publish(
    session: AsyncSession,
    scope: Scope,
    term_id: str,
    classroom_ids: Sequence[str],
    now: datetime,
    *,
    without_clashing: bool = False,
    agreed: Mapping[str, str | None] | None = None,
    run: str = "",
) -> Plan:
    """All of it or, ``without_clashing``, all but what clashes. Receiving schools are invited, everybody is told.
    ``agreed``: schools that have said yes already, and who said it. ``run``: the same for all parts of what is too much
    for one transaction, so that nobody hears of each part."""
    made = await plan(session, scope, term_id, classroom_ids, now)
    await occupancy.lock(session, SYSTEM, made.entries())
    made.clashes = await occupancy.look(session, SYSTEM, made.entries(), made.gone, made.stood())
    if made.clashes and not without_clashing:
        raise await _refusal(session, scope, made)
    _leave_out(made)
    await lessons_made.whole(session, SYSTEM, [*made.withdraw, *(lesson for lesson, _ in [*made.renew, *made.restore])])
    told = await _count(session, made, run, now)
    batch = new_id()
    for lesson in made.withdraw:
        await _withdraw(session, scope, lesson, batch, now)
    await session.flush()
    for lesson, slotted in [*made.renew, *made.restore]:
        await _follow(session, scope, lesson, slotted, now)
    new = [lessons_made.make(one.classroom, one.when, one.origin, scope.person, now) for one in made.add]
    await lessons_made.add(session, scope, new, now)
    again = [one for one in made.classrooms if one.id in made.asked]
    asked, due = await invitations.invite_for(session, scope, again, now, agreed)
    for classroom in again:
        told.publish(classroom)
    for school, classroom in asked:
        await told.ask(session, school, classroom.name, now)
    await told.tell(session, scope, now, due)
    return made


def still_ahead(classroom_id: str, now: datetime) -> LessonFilter:
    """A classroom's lessons that will be held unless somebody calls them off."""
    return LessonFilter(classroom_id=classroom_id, starts_from=now, states=tuple(sorted(AHEAD)), limit=500)


async def withdraw_all(session: AsyncSession, scope: Scope, classroom: Classroom, now: datetime) -> int:
    """Of an archived classroom: its lessons to come, those changed by hand as well; each person is told once. Taken up
    and published again, it gets back those of its timetable."""
    if classroom.archived_at is None:
        raise ConflictError("classroom_running")
    found = await lesson_store.lessons(session, scope, still_ahead(classroom.id, now))
    if not all(may(scope, "lesson.cancel", one) for one in found):
        raise ForbiddenError
    told, batch = Telling(), new_id()
    for lesson in found:
        await told.count(session, "withdrawn", [Concerned.of(lesson)], lesson, now)
        await _withdraw(session, scope, lesson, batch, now)
    await told.tell(session, scope, now)
    return len(found)


async def _refusal(session: AsyncSession, scope: Scope, made: Plan) -> ConflictError:
    named = await occupancy.named_clashes(session, scope, made.clashes)
    return ConflictError("publish_clashes", count=len({one.wanted.id for one in made.clashes}), clashes=named)


def _leave_out(made: Plan) -> None:
    """Lessons of a clash among new ones all go: which of them is right, the clerk says."""
    clashing = {clash.wanted.id for clash in made.clashes} | {clash.held.id for clash in made.clashes}
    made.add = [one for one in made.add if f"new {one.origin}" not in clashing]
    made.renew = [(lesson, one) for lesson, one in made.renew if lesson.id not in clashing]
    made.restore = [(lesson, one) for lesson, one in made.restore if lesson.id not in clashing]


async def _withdraw(session: AsyncSession, scope: Scope, lesson: Lesson, batch: str, now: datetime) -> None:
    before = snapshot(lesson)
    lesson.state = after(lesson.state, "cancel") or lesson.state
    lesson.cancelled_at, lesson.cancelled_by, lesson.cancel_reason = now, scope.person, REPLANNED
    await changes.keep(session, scope, lesson, "cancel", before, now, reason=REPLANNED, batch=batch)
    await outbox.announce(session, of_lesson("cancelled", lesson, now), now)


async def _follow(session: AsyncSession, scope: Scope, lesson: Lesson, slotted: Slotted, now: datetime) -> None:
    """Renewed or restored; either way the lesson goes on following its timetable."""
    before, kind = snapshot(lesson), "renew"
    if lesson.state == "cancelled":
        lesson.state, kind = after(lesson.state, "restore") or lesson.state, "restore"
        lesson.cancelled_at = lesson.cancelled_by = lesson.cancel_reason = None
    await lessons_made.follow(session, SYSTEM, lesson, slotted.classroom, slotted.when)
    await changes.keep(session, scope, lesson, kind, before, now)


async def _count(session: AsyncSession, made: Plan, run: str, now: datetime) -> Telling:
    """Whom it touches, before anything is changed: who loses a lesson by it must know as well."""
    told = Telling(run)
    for lesson in made.withdraw:
        await told.count(session, "withdrawn", [Concerned.of(lesson)], lesson, now)
    for lesson, slotted in made.renew:
        if lessons_made.replanned(lesson, slotted.classroom, slotted.when):
            made.asked.add(slotted.classroom.id)
            both = [Concerned.of(lesson), Concerned.by(slotted.classroom)]
            await told.count(session, "changed", both, lesson, now, slotted.when.starts_at)
    for slotted in [*made.add, *(one for _, one in made.restore)]:
        made.asked.add(slotted.classroom.id)
        await told.count(session, "added", [Concerned.by(slotted.classroom)], None, now)
    return told
