"""JSON of the school register."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query

from server.clock import city_date
from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.errors import ForbiddenError, NotFoundError
from server.paging import MAX_PAGE, MOST, PAGE_ROWS, Words
from server.schools import service, store
from server.schools.models import School
from server.schools.schemas import (
    CloseBody,
    DeviceSeen,
    DistrictSeen,
    EndBody,
    EnrolmentBody,
    EnrolmentSeen,
    Id,
    PairingBody,
    PairingSeen,
    PastSeen,
    RoomBody,
    RoomSeen,
    RoomsSeen,
    SchoolBody,
    SchoolEdit,
    SchoolSeen,
    SchoolsSeen,
    SettlementBody,
    SettlementSeen,
)
from server.scope import Scope, allows

router = APIRouter(prefix="/api/v1", tags=["schools"])


def seen(school: School, code: str | None, pupils: int) -> SchoolSeen:
    return SchoolSeen(
        id=school.id,
        code=school.code,
        name=school.name,
        short_name=school.short_name,
        phase=school.phase,  # type: ignore[arg-type]
        located_in=school.located_in,
        supervised_by=school.supervised_by,
        key_school=school.key_school,
        weak=school.weak,
        phone=school.phone,
        settlement=service.settlement_of(code),
        pupils=pupils,
        closed_on=school.closed_on,
        demo=school.demo,
    )


def may_read(scope: SignedIn) -> Scope:
    if not allows(scope, "school.read"):
        raise ForbiddenError
    return scope


Reader = Annotated[Scope, Depends(may_read)]


def wanted(
    q: Words = "",
    district: Annotated[str, Query(pattern="^([0-9]{6}|city)?$")] = "",
    phase: Literal["", "primary", "junior", "nine_year"] = "",
    settlement: Literal["", "town", "township", "village"] = "",
    mark: Literal["", "key", "weak", "unpaired", "closed"] = "",
    sort: Annotated[str, Query(pattern=r"^-?(code|name|district|phase|settlement|pupils)$")] = "code",
) -> store.SchoolFilter:
    return store.SchoolFilter(q, district, phase, settlement, mark, sort)


Wanted = Annotated[store.SchoolFilter, Depends(wanted)]
PageNumber = Annotated[int, Query(ge=1, le=MAX_PAGE)]
DistrictCode = Annotated[str, Path(pattern="^[0-9]{6}$")]


@router.get("/districts")
async def get_districts(session: Reading, scope: SignedIn) -> list[DistrictSeen]:
    return [DistrictSeen.model_validate(row) for row in await store.districts(session, scope)]


@router.get("/districts/{district_id}")
async def get_district(session: Reading, scope: SignedIn, district_id: DistrictCode) -> DistrictSeen:
    """By its GB/T 2260 code."""
    row = await store.district(session, scope, district_id)
    if row is None:
        raise NotFoundError
    return DistrictSeen.model_validate(row)


@router.get("/schools")
async def get_schools(
    session: Reading,
    scope: Reader,
    clock: ClockDep,
    wanted: Wanted,
    page: PageNumber = 1,
    size: Annotated[int, Query(ge=1, le=MOST)] = PAGE_ROWS,
) -> SchoolsSeen:
    rows, paging = await store.list_schools(session, scope, wanted, city_date(clock.now()), page, size)
    return SchoolsSeen(items=[seen(*row) for row in rows], count=paging.count, page=paging.page, pages=paging.pages)


async def _seen(session: Reading, school: School, clock: ClockDep) -> SchoolSeen:
    held = service.settlement_now(school, city_date(clock.now()))
    latest = max((e.school_year for e in school.enrolment), default=0)
    pupils = sum(e.pupils for e in school.enrolment if e.school_year == latest)
    return seen(school, held.code if held else None, pupils)


@router.post("/schools", status_code=201)
async def post_school(session: Writing, scope: SignedIn, clock: ClockDep, body: SchoolBody) -> SchoolSeen:
    return seen(await service.create(session, scope, body, clock.now()), None, 0)


@router.get("/schools/{school_id}")
async def get_school(session: Reading, scope: Reader, clock: ClockDep, school_id: Id) -> SchoolSeen:
    return await _seen(session, await service.get(session, scope, school_id), clock)


@router.put("/schools/{school_id}")
async def put_school(session: Writing, scope: SignedIn, clock: ClockDep, school_id: Id, body: SchoolEdit) -> SchoolSeen:
    return await _seen(session, await service.edit(session, scope, school_id, body, clock.now()), clock)


@router.post("/schools/{school_id}/close", status_code=204)
async def post_close(
    session: Writing, scope: SignedIn, clock: ClockDep, school_id: Id, body: CloseBody | None = None
) -> None:
    await service.close(session, scope, school_id, body or CloseBody(), clock.now())


@router.post("/schools/{school_id}/reopen", status_code=204)
async def post_reopen(session: Writing, scope: SignedIn, clock: ClockDep, school_id: Id) -> None:
    await service.reopen(session, scope, school_id, clock.now())


@router.get("/schools/{school_id}/history")
async def get_history(session: Reading, scope: Reader, school_id: Id) -> list[PastSeen]:
    """What the school, its rooms, classes and enrolment were before, latest first."""
    school = await service.get(session, scope, school_id)
    return [PastSeen.model_validate(row) for row in await store.pasts_of(session, scope, school.id)]


@router.get("/schools/{school_id}/settlements")
async def get_settlements(session: Reading, scope: Reader, school_id: Id) -> list[SettlementSeen]:
    """城乡分类代码 with their validity, the oldest first."""
    school = await service.get(session, scope, school_id)
    return [SettlementSeen.model_validate(row) for row in school.settlement]


@router.get("/schools/{school_id}/enrolments")
async def get_enrolments(session: Reading, scope: Reader, school_id: Id) -> list[EnrolmentSeen]:
    """By school year, the oldest first."""
    school = await service.get(session, scope, school_id)
    return [EnrolmentSeen.model_validate(row) for row in school.enrolment]


@router.post("/schools/{school_id}/settlements", status_code=204)
async def post_settlement(
    session: Writing, scope: SignedIn, clock: ClockDep, school_id: Id, body: SettlementBody
) -> None:
    await service.set_settlement(session, scope, school_id, body, clock.now())


@router.post("/schools/{school_id}/enrolments", status_code=204)
async def post_enrolment(
    session: Writing, scope: SignedIn, clock: ClockDep, school_id: Id, body: EnrolmentBody
) -> None:
    await service.set_enrolment(session, scope, school_id, body, clock.now())


@router.get("/schools/{school_id}/rooms")
async def get_rooms(session: Reading, scope: Reader, school_id: Id) -> list[RoomSeen]:
    school = await service.get(session, scope, school_id)
    return [RoomSeen.model_validate(row) for row in await store.rooms(session, scope, school.id)]


@router.post("/schools/{school_id}/rooms", status_code=201)
async def post_room(session: Writing, scope: SignedIn, school_id: Id, body: RoomBody) -> RoomSeen:
    return RoomSeen.model_validate(await service.add_room(session, scope, school_id, body))


def rooms_wanted(
    q: Words = "",
    school: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
    district: Annotated[str, Query(pattern="^([0-9]{6})?$")] = "",
    kind: Literal["", "lead", "receiving"] = "",
    state: Literal["", "closed"] = "",
) -> store.RoomFilter:
    return store.RoomFilter(q, school, district, kind, state)


@router.get("/rooms")
async def get_all_rooms(
    session: Reading,
    scope: Reader,
    wanted: Annotated[store.RoomFilter, Depends(rooms_wanted)],
    page: PageNumber = 1,
    size: Annotated[int, Query(ge=1, le=MOST)] = PAGE_ROWS,
) -> RoomsSeen:
    """Rooms of every school the asker sees, by school and name; closed ones only when asked for."""
    rows, paging = await store.list_rooms(session, scope, wanted, page, size)
    items = [RoomSeen.model_validate(row) for row in rows]
    return RoomsSeen(items=items, count=paging.count, page=paging.page, pages=paging.pages)


@router.get("/rooms/{room_id}")
async def get_room(session: Reading, scope: Reader, room_id: Id) -> RoomSeen:
    return RoomSeen.model_validate(await service.get_room(session, scope, room_id, "school.read"))


@router.put("/rooms/{room_id}")
async def put_room(session: Writing, scope: SignedIn, clock: ClockDep, room_id: Id, body: RoomBody) -> RoomSeen:
    return RoomSeen.model_validate(await service.edit_room(session, scope, room_id, body, clock.now()))


@router.post("/rooms/{room_id}/close")
async def post_room_close(session: Writing, scope: SignedIn, clock: ClockDep, room_id: Id) -> RoomSeen:
    """Close it, or open it again."""
    return RoomSeen.model_validate(await service.close_room(session, scope, room_id, clock.now()))


@router.get("/schools/{school_id}/devices")
async def get_devices(session: Reading, scope: Reader, school_id: Id) -> list[DeviceSeen]:
    school = await service.get(session, scope, school_id)
    return [DeviceSeen.model_validate(row) for row in await store.devices(session, scope, school.id)]


@router.delete("/devices/{device_id}", status_code=204)
async def delete_device(session: Writing, scope: SignedIn, clock: ClockDep, device_id: Id) -> None:
    await service.revoke_device(session, scope, device_id, clock.now())


@router.get("/schools/{school_id}/pairings")
async def get_pairings(session: Reading, scope: Reader, school_id: Id) -> list[PairingSeen]:
    school = await service.get(session, scope, school_id)
    return [PairingSeen.model_validate(row) for row, _, _ in await store.pairings(session, scope, school.id)]


@router.post("/pairings", status_code=201)
async def post_pairing(session: Writing, scope: SignedIn, clock: ClockDep, body: PairingBody) -> PairingSeen:
    return PairingSeen.model_validate(await service.pair(session, scope, body, clock.now()))


@router.post("/pairings/{pairing_id}/end")
async def post_pairing_end(
    session: Writing, scope: SignedIn, clock: ClockDep, pairing_id: Id, body: EndBody
) -> PairingSeen:
    return PairingSeen.model_validate(await service.end_pairing(session, scope, pairing_id, body.ends_on, clock.now()))
