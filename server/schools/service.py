"""Rules of the school register. Rule: who may write is decided here, by the school's own part of the city."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts import store as accounts
from server.clock import city_date
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.schools import history, store
from server.schools.models import Enrolment, Pairing, Room, School, SettlementCode
from server.schools.schemas import (
    CloseBody,
    EnrolmentBody,
    PairingBody,
    RoomBody,
    SchoolBody,
    SchoolEdit,
    Settlement,
    SettlementBody,
)
from server.scope import SYSTEM, Action, Part, Scope, allows

PROVINCE = "12"  # BB of the 学校标识码: Tianjin
KINDS_OF_CODE = {"primary": ("21",), "junior": ("31",), "nine_year": ("21", "31")}
"""AA by phase (教育部 2010). A nine-year school holds whichever its founding gave it."""


def part_of(school: School) -> Part:
    return Part(school=school.id, district=school.supervised_by)


def settlement_of(code: str | None) -> Settlement:
    """城区 / 镇区 / 乡村 by the first two digits (国函〔2008〕60号)."""
    if code is None:
        return "unknown"
    return {"11": "town", "12": "township"}.get(code[:2], "village")  # type: ignore[return-value]


def settlement_now(school: School, day: date) -> SettlementCode | None:
    held = [s for s in school.settlement if s.starts_on <= day and (s.ends_on is None or day < s.ends_on)]
    return held[-1] if held else None


async def get(session: AsyncSession, scope: Scope, school_id: str, action: Action = "school.read") -> School:
    """A school inside the scope; ``action`` beyond reading is checked against the school's own part."""
    school = await store.school(session, scope, school_id)
    if school is None:
        raise NotFoundError
    if not allows(scope, action, part_of(school)):
        raise ForbiddenError
    return school


def check_code(body: SchoolBody) -> None:
    if body.code[:2] not in KINDS_OF_CODE[body.phase]:
        raise InvalidError("school_code_kind", field="code", kinds=" / ".join(KINDS_OF_CODE[body.phase]))
    if body.code[2:4] != PROVINCE:
        raise InvalidError("school_code_province", field="code", province=PROVINCE)


async def _check(session: AsyncSession, scope: Scope, body: SchoolBody, but: str | None = None) -> None:
    check_code(body)
    if body.key_school and body.weak:
        raise InvalidError("school_marks", field="weak")
    known = {district.id for district in await store.districts(session, scope)}
    if body.located_in not in known:
        raise InvalidError("school_district", field="located_in")
    if body.supervised_by is not None and body.supervised_by not in known:
        raise InvalidError("school_district", field="supervised_by")
    if await store.code_taken(session, scope, body.code, but):
        raise InvalidError("school_code_taken", field="code")


async def create(session: AsyncSession, scope: Scope, body: SchoolBody, now: datetime) -> School:
    if not allows(scope, "school.write", Part(district=body.supervised_by)):
        raise ForbiddenError
    await _check(session, scope, body)
    school = School(id=new_id(), created_at=now, settlement=[], enrolment=[], **body.model_dump())
    await store.add(session, scope, school)
    return school


async def edit(session: AsyncSession, scope: Scope, school_id: str, body: SchoolEdit, now: datetime) -> School:
    """The new accountable district must be inside the scope, too: nobody gives a school away. What counts in reports
    changes from a day of this month on; what it was before is kept."""
    school = await get(session, scope, school_id, "school.write")
    if not allows(scope, "school.write", Part(district=body.supervised_by)):
        raise ForbiddenError("school_district_foreign")
    await _check(session, scope, body, school.id)
    day = history.effective(body.effective_on, city_date(now))
    new = body.model_dump(exclude={"effective_on"})
    if any(getattr(school, name) != new[name] for name in history.SCHOOL):
        await history.keep_school(session, scope, school, day, now)
    for name, value in new.items():
        setattr(school, name, value)
    await session.flush()
    return school


async def close(session: AsyncSession, scope: Scope, school_id: str, body: CloseBody, now: datetime) -> None:
    """撤并: the school keeps its code for ever and leaves the lists; its pairings end and its screens are out."""
    school = await get(session, scope, school_id, "school.write")
    if school.closed_on is not None:
        return
    into = await store.school_of_city(session, scope, body.merged_into) if body.merged_into else None
    if body.merged_into and (into is None or into.id == school.id or into.closed_on is not None):
        raise InvalidError("school_merged", field="merged_into")
    day = history.effective(body.closes_on, city_date(now))
    await history.keep_school(session, scope, school, day, now)
    school.closed_on, school.merged_into = day, into.id if into else None
    for row, _, _ in await store.pairings(session, scope, school.id):
        if row.ends_on is None or row.ends_on > day:
            row.ends_on = max(day, row.starts_on)
    for device in await store.devices(session, scope, school.id):
        device.revoked_at = now
        await accounts.revoke_of(session, SYSTEM, now, device_id=device.id)
    await session.flush()


async def reopen(session: AsyncSession, scope: Scope, school_id: str, now: datetime) -> None:
    school = await get(session, scope, school_id, "school.write")
    if school.closed_on is None:
        return
    day = city_date(now)
    if school.closed_on < day:
        await history.keep_school(session, scope, school, day, now)
    school.closed_on = school.merged_into = None
    await session.flush()


async def set_settlement(
    session: AsyncSession, scope: Scope, school_id: str, body: SettlementBody, now: datetime
) -> None:
    """A new 城乡 code from a day on; the one before ends there. The past is not rewritten."""
    school = await get(session, scope, school_id, "school.write")
    if school.settlement and body.starts_on <= school.settlement[-1].starts_on:
        raise InvalidError("settlement_order", field="starts_on", date=school.settlement[-1].starts_on.isoformat())
    history.not_closed(body.starts_on, city_date(now), entered=school.created_at)
    if school.settlement:
        school.settlement[-1].ends_on = body.starts_on
    school.settlement.append(SettlementCode(id=new_id(), school_id=school.id, code=body.code, starts_on=body.starts_on))
    await session.flush()


async def set_enrolment(
    session: AsyncSession, scope: Scope, school_id: str, body: EnrolmentBody, now: datetime
) -> None:
    """One row a school year and phase: said again, it holds from today on."""
    school = await get(session, scope, school_id, "school.write")
    if school.phase != "nine_year" and body.phase != school.phase:
        raise InvalidError("enrolment_phase", field="phase")
    same = [e for e in school.enrolment if (e.school_year, e.phase) == (body.school_year, body.phase)]
    if same:
        row, names = same[0], ("school_year", "phase", "pupils", "teachers")
        await history.keep(session, scope, "enrolment", row, names, city_date(now), now, school_id=school.id)
        row.pupils, row.teachers = body.pupils, body.teachers
    else:
        school.enrolment.append(Enrolment(id=new_id(), school_id=school.id, **body.model_dump()))
    await session.flush()


# --- rooms and devices ------------------------------------------------------------------------------------------------


async def add_room(session: AsyncSession, scope: Scope, school_id: str, body: RoomBody) -> Room:
    school = await get(session, scope, school_id, "room.write")
    await _check_room(session, scope, school.id, body)
    room = Room(id=new_id(), school_id=school.id, **body.model_dump(exclude_none=True))
    await store.add(session, scope, room)
    return room


async def edit_room(session: AsyncSession, scope: Scope, room_id: str, body: RoomBody, now: datetime) -> Room:
    room = await get_room(session, scope, room_id, "room.write")
    if body.kind != room.kind:
        raise InvalidError("room_kind", field="kind")  # lessons and classrooms stand on it
    await _check_room(session, scope, room.school_id, body, room.id)
    if (room.name, room.pupils, room.equipment) != (body.name, body.pupils, list(body.equipment)):
        names = ("name", "pupils", "equipment")
        await history.keep(session, scope, "room", room, names, city_date(now), now, school_id=room.school_id)
    room.name, room.pupils, room.equipment = body.name, body.pupils, list(body.equipment)
    room.code = body.code or room.code
    await session.flush()
    return room


async def close_room(session: AsyncSession, scope: Scope, room_id: str, now: datetime) -> Room:
    """停用: no more lessons are planned there; its screens are out. Opened again by closing it once more."""
    room = await get_room(session, scope, room_id, "room.write")
    today = city_date(now)
    await history.keep(
        session, scope, "room", room, ("closed_on",), today, now, school_id=room.school_id, is_open=not room.closed_on
    )
    room.closed_on = None if room.closed_on else today
    for device in await store.devices(session, scope, room.school_id) if room.closed_on else ():
        if device.room_id == room.id:
            await revoke_device(session, scope, device.id, now)
    await session.flush()
    return room


async def get_room(session: AsyncSession, scope: Scope, room_id: str, action: Action) -> Room:
    room = await store.room(session, scope, room_id)
    if room is None:
        raise NotFoundError
    if not allows(scope, action, part_of(room.school)):
        raise ForbiddenError
    return room


async def _check_room(session: AsyncSession, scope: Scope, school_id: str, body: RoomBody, but: str = "") -> None:
    if any(room.name == body.name and room.id != but for room in await store.rooms(session, scope, school_id)):
        raise InvalidError("room_name_taken", field="name")
    if body.code is not None and await store.room_code_taken(session, scope, body.code, but):
        raise InvalidError("room_code_taken", field="code")


async def revoke_device(session: AsyncSession, scope: Scope, device_id: str, now: datetime) -> str:
    """The kiosk is out at once, with all its sign-ins; its page asks to be bound anew. Returns its school's id."""
    found = await store.device(session, scope, device_id)
    if found is None:
        raise NotFoundError
    device, room = found
    if not allows(scope, "device.bind", part_of(room.school)):
        raise ForbiddenError
    device.revoked_at = device.revoked_at or now
    await accounts.revoke_of(session, SYSTEM, now, device_id=device.id)
    return room.school_id


# --- pairings ---------------------------------------------------------------------------------------------------------


async def pair(session: AsyncSession, scope: Scope, body: PairingBody, now: datetime) -> Pairing:
    """结对. Whoever administers one of the two schools may pair it; the other may lie in another district."""
    lead = await store.school_of_city(session, scope, body.lead_school)
    village = await store.school_of_city(session, scope, body.village_school)
    if lead is None or village is None or lead.id == village.id:
        raise InvalidError("pairing_schools", field="lead_school")
    if not any(allows(scope, "pairing.write", part_of(school)) for school in (lead, village)):
        raise ForbiddenError
    for held, one, other in await store.pairings(session, SYSTEM, village.id):
        if (one.id, other.id) == (lead.id, village.id) and (held.ends_on is None or held.ends_on > body.starts_on):
            raise ConflictError("pairing_twice", field="lead_school")
    for held, one, other in await store.pairings(session, SYSTEM, lead.id):
        alone = one.id == lead.id and "one_to_one" in (held.kind, body.kind)
        if alone and (held.ends_on is None or held.ends_on > body.starts_on):
            raise ConflictError("pairing_one", field="kind", school=other.short_name)
    history.not_closed(body.starts_on, city_date(now), entered=max(lead.created_at, village.created_at))
    row = Pairing(
        id=new_id(), lead_school_id=lead.id, village_school_id=village.id, kind=body.kind, starts_on=body.starts_on
    )
    await store.add(session, scope, row)
    return row


async def pairing_for(session: AsyncSession, scope: Scope, pairing_id: str) -> Pairing:
    """A pairing that the asker may change: they administer one of its two schools."""
    row = await store.pairing(session, scope, pairing_id)
    if row is None:
        raise NotFoundError
    ends = [await store.school_of_city(session, scope, one) for one in (row.lead_school_id, row.village_school_id)]
    if not any(school and allows(scope, "pairing.write", part_of(school)) for school in ends):
        raise ForbiddenError
    return row


async def end_pairing(session: AsyncSession, scope: Scope, pairing_id: str, ends_on: date, now: datetime) -> Pairing:
    """A month that is over keeps the pairings it had: neither an end in it, nor another one than it has."""
    row = await pairing_for(session, scope, pairing_id)
    closed = city_date(now).replace(day=1)
    if ends_on <= row.starts_on:
        raise InvalidError("pairing_dates", field="ends_on")
    if ends_on < closed or (row.ends_on is not None and row.ends_on < closed):
        raise InvalidError("effective_closed", field="ends_on", date=closed.isoformat())
    row.ends_on = ends_on
    await session.flush()
    return row
