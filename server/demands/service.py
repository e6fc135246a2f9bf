"""Rules of the exchange: the needing school posts, accepts, withdraws; lead schools and studios offer and take back.

An offer is a time the slot finder proposes. Accepting makes a classroom of it and publishes its lessons through the
same services as everybody's: clashes are found again there, the receiving school has said yes by accepting.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.service import held_posts
from server.classes.grades import FIRST, LAST
from server.classrooms import service as classrooms
from server.classrooms import store as classroom_store
from server.classrooms.schemas import ClassroomBody, ReceiverBody, SlotBody
from server.clock import city_date
from server.demands import store
from server.demands.lifecycle import DEMAND, OFFER, after
from server.demands.models import Demand, Offer
from server.demands.schemas import AcceptBody, DemandBody, DemandSeen, OfferBody, OfferSeen, WishBody
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.gaps import store as gaps
from server.ids import new_id
from server.notices import service as notices
from server.schools.models import Room, School
from server.schools.service import part_of
from server.scope import SYSTEM, Part, Scope, allows
from server.templating import texts
from server.timetable import finding, publishing
from server.timetable import store as timetable
from server.timetable.schemas import FindBody, FoundOut, ProposalOut

MOST_OPEN = 20
"""Of one school."""
MOST_OFFERS = 30
"""Standing for one need."""
MOST_PROPOSALS = 12


# --- who sees and may what --------------------------------------------------------------------------------------------


async def get(session: AsyncSession, scope: Scope, demand_id: str, *, lock: bool = False) -> Demand:
    if not allows(scope, "demand.read"):
        raise ForbiddenError
    found = await store.demand(session, scope, demand_id, lock=lock)
    if found is None:
        raise NotFoundError
    return found


def may_decide(scope: Scope, demand: Demand) -> bool:
    return allows(scope, "demand.write", part_of(demand.school))


def may_offer(scope: Scope, school: School, studio: str | None = None) -> bool:
    return allows(scope, "offer.write", Part(school.id, school.supervised_by, studio=studio))


def sees_offer(scope: Scope, demand: Demand, offer: Offer) -> bool:
    """The school that needs and those above it see all; who offered sees their own."""
    reading = scope.readonly and (scope.city or demand.school.supervised_by in scope.districts)
    reading = reading or (scope.readonly and demand.school_id in scope.schools)
    return reading or may_decide(scope, demand) or may_offer(scope, offer.school, offer.studio_id)


def seen(scope: Scope, row: Demand) -> DemandSeen:
    plain = {name: getattr(row, name) for name in DemandSeen.model_fields if name not in ("school", "offers")}
    offers = [OfferSeen.model_validate(one) for one in row.offers if sees_offer(scope, row, one)]
    return DemandSeen(**plain, school=row.school.short_name, offers=offers)


# --- needs ------------------------------------------------------------------------------------------------------------


async def post(
    session: AsyncSession, scope: Scope, body: DemandBody, now: datetime, gap_id: str | None = None
) -> Demand:
    room = await store.room(session, scope, body.room_id)
    if room is None or room.kind != "receiving":
        raise InvalidError("demand_room", field="room_id")
    if not allows(scope, "demand.write", part_of(room.school)):
        raise ForbiddenError
    term = await timetable.term(session, scope, body.term)
    if term is None or term.ends_on <= city_date(now):
        raise InvalidError("classroom_term", field="term")
    if await store.count_open(session, scope, room.school_id) >= MOST_OPEN:
        raise ConflictError("demand_many", most=MOST_OPEN)
    row = Demand(
        id=new_id(), school_id=room.school_id, gap_id=gap_id, posted_at=now, posted_by=scope.person, **body.model_dump()
    )
    await store.add(session, scope, row)
    await session.refresh(row, ["school", "room", "offers"])
    await _tell_of_need(session, scope, row, now)
    return row


async def post_gap(session: AsyncSession, scope: Scope, gap_id: str, now: datetime) -> Demand:
    """A declared gap with one press: for the school's first receiving room, at any time. Pressed twice: one need."""
    found = await gaps.one(session, scope, gap_id)
    if found is None:
        raise NotFoundError
    gap, school = found
    if not allows(scope, "demand.write", part_of(school)):
        raise ForbiddenError
    held = await store.open_of_gap(session, scope, gap.id)
    if held is not None:
        return held
    if gap.withdrawn_on is not None:
        raise ConflictError("demand_gap")
    room = await store.receiving_room(session, scope, school.id)
    if room is None:
        raise InvalidError("demand_no_room")
    body = DemandBody(room_id=room.id, term=gap.term, grade=gap.grade, subject=gap.subject, note=gap.note)
    return await post(session, scope, body, now, gap.id)


async def wish(session: AsyncSession, scope: Scope, demand_id: str, body: WishBody) -> Demand:
    row = await _deciding(session, scope, demand_id)
    if row.state != "open":
        raise ConflictError("demand_state", state=row.state)
    row.weekday, row.half, row.note = body.weekday, body.half, body.note
    return row


async def withdraw(session: AsyncSession, scope: Scope, demand_id: str, now: datetime) -> Demand:
    row = await _deciding(session, scope, demand_id)
    row.state, row.ended_at = after(DEMAND, row.state, "withdraw"), now
    await _tell_offering(session, scope, row, _pass(row, now), "demand_withdrawn", now)
    return row


async def _deciding(session: AsyncSession, scope: Scope, demand_id: str) -> Demand:
    row = await get(session, scope, demand_id, lock=True)
    if not may_decide(scope, row):
        raise ForbiddenError
    return row


# --- offers -----------------------------------------------------------------------------------------------------------


async def proposals(session: AsyncSession, demand: Demand, room: Room, teacher_id: str, now: datetime) -> FoundOut:
    """Common times of both schools for this teacher; those of the half day that was asked for first."""
    body = FindBody(
        term=demand.term,
        grade=demand.grade,
        teacher_id=teacher_id,
        lead_room_id=room.id,
        receivers=[demand.room_id],
        prefer=[demand.weekday] if demand.weekday else [],
    )
    found = await finding.ask(session, SYSTEM, body, now)
    wanted = sorted(found.proposals, key=lambda one: not in_half(demand.half, one))
    if demand.weekday:
        wanted.sort(key=lambda one: one.weekday != demand.weekday)
    return found.model_copy(update={"proposals": wanted[:MOST_PROPOSALS]})


def in_half(half: str, one: ProposalOut) -> bool:
    return not half or (one.starts.hour < 12) == (half == "am")


async def offering_room(session: AsyncSession, scope: Scope, room_id: str, studio_id: str | None = None) -> Room:
    """A lead room that the asker may offer; a studio offers rooms of its own school."""
    room = await store.room(session, scope, room_id)
    if room is None or room.kind != "lead":
        raise InvalidError("classroom_lead_room", field="lead_room_id")
    studio = await store.studio(session, scope, studio_id) if studio_id else None
    if studio_id and (studio is None or studio.school_id != room.school_id):
        raise InvalidError("demand_studio", field="studio_id")
    if not may_offer(scope, room.school, studio_id):
        raise ForbiddenError
    return room


async def offer(session: AsyncSession, scope: Scope, demand_id: str, body: OfferBody, now: datetime) -> Offer:
    demand = await get(session, scope, demand_id, lock=True)
    room = await offering_room(session, scope, body.lead_room_id, body.studio_id)
    if demand.state != "open":
        raise ConflictError("demand_state", state=demand.state)
    if room.school_id == demand.school_id:
        raise InvalidError("demand_own", field="lead_room_id")
    teacher = await classroom_store.person(session, SYSTEM, body.teacher_id)
    good = teacher is not None and teacher.disabled_at is None and teacher.school_id == room.school_id
    if teacher is None or not good or not any(p.post == "teacher" for p in held_posts(teacher, city_date(now))):
        raise InvalidError("classroom_teacher", field="teacher_id", school=room.school.short_name)
    standing = [one for one in demand.offers if one.state == "standing"]
    if len(standing) >= MOST_OFFERS:
        raise ConflictError("demand_offers", most=MOST_OFFERS)
    if any((one.lead_room_id, one.weekday, one.starts) == (room.id, body.weekday, body.starts) for one in standing):
        raise ConflictError("demand_twice")
    found = await proposals(session, demand, room, teacher.id, now)
    fits = next((one for one in found.proposals if (one.weekday, one.starts) == (body.weekday, body.starts)), None)
    if fits is None:
        raise InvalidError("demand_slot", field="starts")
    row = Offer(
        id=new_id(),
        demand_id=demand.id,
        school_id=room.school_id,
        period=fits.fits[0].period,
        minutes=fits.minutes,
        offered_at=now,
        offered_by=scope.person,
        **body.model_dump(),
    )
    await store.add(session, scope, row)
    await session.refresh(row, ["school", "lead_room", "teacher"])
    await session.refresh(demand, ["offers"])
    words = {**_words(demand), "school": room.school.short_name}
    await notices.tell_school(session, scope, [demand.school_id], "offer_made", words, _href(demand), now)
    return row


async def take_back(session: AsyncSession, scope: Scope, demand_id: str, offer_id: str, now: datetime) -> Offer:
    demand = await get(session, scope, demand_id, lock=True)
    row = _one(demand, offer_id)
    if not may_offer(scope, row.school, row.studio_id):
        raise ForbiddenError
    row.state, row.ended_at = after(OFFER, row.state, "withdraw"), now
    return row


def _one(demand: Demand, offer_id: str) -> Offer:
    found = next((one for one in demand.offers if one.id == offer_id), None)
    if found is None:
        raise NotFoundError
    return found


# --- accepting --------------------------------------------------------------------------------------------------------


async def accept(
    session: AsyncSession, scope: Scope, demand_id: str, offer_id: str, body: AcceptBody, now: datetime
) -> Demand:
    """Both schools have agreed: a classroom with its slot, its lessons published. All of it or nothing."""
    demand = await _deciding(session, scope, demand_id)
    chosen = _one(demand, offer_id)
    demand.state, demand.ended_at = after(DEMAND, demand.state, "accept"), now
    chosen.state, chosen.ended_at = after(OFFER, chosen.state, "accept"), now
    made = await classrooms.create(session, SYSTEM, _classroom(demand, chosen, body), now)
    demand.classroom_id = made.id
    await publishing.publish(session, SYSTEM, demand.term, [made.id], now, agreed={demand.school_id: scope.person})
    others = _pass(demand, now)
    href = f"/timetable?of=classroom&id={made.id}"
    words = {**_words(demand), "school": demand.school.short_name}
    people = [chosen.offered_by, chosen.teacher_id]
    await notices.tell(session, scope, people, "offer_accepted", words, href, now)
    await notices.tell_school(session, scope, [chosen.school_id], "offer_accepted", words, href, now)
    above = {demand.school.supervised_by, chosen.school.supervised_by}
    told = {**words, "lead": chosen.school.short_name}
    await notices.tell_districts(session, scope, above, "demand_agreed", told, href, now)
    await _tell_offering(session, scope, demand, others, "offer_passed", now)
    await session.flush()
    return demand


def _classroom(demand: Demand, chosen: Offer, body: AcceptBody) -> ClassroomBody:
    t = texts("zh-CN")
    what = f"{t(f'common.grade.{demand.grade}')}{t(f'common.subject.{demand.subject}')}"
    slot = SlotBody(
        weekday=chosen.weekday, period=chosen.period, starts=chosen.starts, minutes=chosen.minutes, follows_bell=False
    )
    return ClassroomBody(
        name=f"{chosen.school.short_name}—{demand.school.short_name} {what}",
        subject=demand.subject,
        grade=demand.grade,
        term=demand.term,
        lead_room_id=chosen.lead_room_id,
        lead_teacher_id=chosen.teacher_id,
        receivers=[ReceiverBody(room_id=demand.room_id, **body.model_dump())],
        slots=[slot],
    )


def _pass(demand: Demand, now: datetime) -> list[Offer]:
    """The offers that nobody needs any more."""
    standing = [one for one in demand.offers if one.state == "standing"]
    for one in standing:
        one.state, one.ended_at = after(OFFER, one.state, "pass"), now
    return standing


# --- telling ----------------------------------------------------------------------------------------------------------


def _words(demand: Demand) -> dict[str, str]:
    return {"grade_key": f"common.grade.{demand.grade}", "subject_key": f"common.subject.{demand.subject}"}


def _href(demand: Demand) -> str:
    return f"/demands/{demand.id}"


async def _tell_of_need(session: AsyncSession, scope: Scope, demand: Demand, now: datetime) -> None:
    """The lead schools that help this one, the hosts of studios of this subject, and the district above; everybody else
    finds it in the list."""
    words = {**_words(demand), "school": demand.school.short_name}
    lead = await store.lead_schools(session, scope, demand.school_id, city_date(now))
    await notices.tell_school(session, scope, lead, "demand_posted", words, _href(demand), now)
    phase = next(one for one in FIRST if FIRST[one] <= demand.grade <= LAST[one])
    hosts = await store.studio_hosts(session, SYSTEM, demand.subject, phase, city_date(now))
    await notices.tell(session, scope, hosts, "demand_posted", words, _href(demand), now)
    district = [demand.school.supervised_by]
    await notices.tell_districts(session, scope, district, "demand_posted", words, _href(demand), now)


async def _tell_offering(
    session: AsyncSession, scope: Scope, demand: Demand, offers: Collection[Offer], key: str, now: datetime
) -> None:
    words = {**_words(demand), "school": demand.school.short_name}
    await notices.tell(session, scope, [one.offered_by for one in offers], key, words, _href(demand), now)
