"""JSON: lessons, seats, slides, kiosks, companions."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Annotated, cast

from fastapi import APIRouter, Depends, File, Path, Query, Request, Response, UploadFile
from pydantic import AwareDatetime

from server.audit.service import looked
from server.dependencies import AnyScope, ClockDep, Objects, Reading, SignedIn, Writing
from server.errors import NotFoundError
from server.lessons import companion, decks, devices, rehearsal, relays, service, store
from server.lessons.lifecycle import State
from server.lessons.models import Deck
from server.lessons.qr import svg
from server.lessons.schemas import (
    BindBody,
    CancelBody,
    CompanionBody,
    CompanionOut,
    DeckOut,
    Kind,
    KioskOut,
    KioskRoom,
    LessonDraft,
    LessonFilter,
    LessonOut,
    SeatBody,
    SeatOut,
    SlideDeck,
)
from server.lessons.seating import Seating
from server.scope import Scope
from server.security import own_origin, page_host, set_cookie
from server.templating import texts
from signaling.seats import as_seen_from, over_http

router = APIRouter(prefix="/api/v1", tags=["lessons"])

Id = Annotated[str, Path(max_length=24)]


def wanted(
    starts_from: AwareDatetime | None = None,
    starts_before: AwareDatetime | None = None,
    school: Annotated[str | None, Query(max_length=24)] = None,
    district: Annotated[str | None, Query(max_length=6)] = None,
    room: Annotated[str | None, Query(max_length=24)] = None,
    classroom: Annotated[str | None, Query(max_length=24)] = None,
    subject: Annotated[str | None, Query(max_length=32)] = None,
    kind: Kind | None = None,
    state: Annotated[list[State] | None, Query(max_length=9)] = None,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> LessonFilter:
    return LessonFilter(
        starts_from=starts_from,
        starts_before=starts_before,
        school_id=school,
        district_id=district,
        room_id=room,
        classroom_id=classroom,
        subject=subject,
        kind=kind,
        states=tuple(state or ()),
        offset=offset,
        limit=limit,
    )


@router.get("/lessons")
async def get_lessons(
    session: Reading, scope: SignedIn, response: Response, wanted: Annotated[LessonFilter, Depends(wanted)]
) -> list[LessonOut]:
    """Lessons the asker sees, by their beginning; ``school``, ``district`` and ``room`` on either side of the lesson.

    How many there are in all stands in the header ``X-Total-Count``; ``offset`` and ``limit`` walk through them."""
    lessons, count = await service.find_lessons(session, scope, wanted)
    response.headers["x-total-count"] = str(count)
    return [service.lesson_out(lesson) for lesson in lessons]


@router.post("/lessons", status_code=201)
async def post_lesson(body: LessonDraft, session: Writing, scope: SignedIn, clock: ClockDep) -> LessonOut:
    return service.lesson_out(await service.create_lesson(session, scope, body, clock.now()))


@router.get("/lessons/{lesson_id}")
async def get_lesson(lesson_id: Id, session: Reading, scope: SignedIn) -> LessonOut:
    return service.lesson_out(await service.get_lesson(session, scope, lesson_id))


@router.post("/lessons/{lesson_id}/cancel")
async def post_cancel(lesson_id: Id, body: CancelBody, session: Writing, scope: SignedIn, clock: ClockDep) -> LessonOut:
    return service.lesson_out(await service.cancel_lesson(session, scope, lesson_id, body.reason, clock.now()))


@router.post("/rehearsals", status_code=201)
async def post_rehearsal(request: Request, session: Writing, scope: SignedIn, clock: ClockDep) -> LessonOut:
    """试讲 with a robot classroom: the one that is open, else a new one that begins now."""
    await request.app.state.rates.hit("rehearsal", scope.person or "-")
    title = texts(request.state.locale)("desk.rehearse")
    return service.lesson_out(await rehearsal.begin(session, scope, title, clock.now()))


# --- seats ------------------------------------------------------------------------------------------------------------


LOOKING = ("watch", "inspector")
"""Roles that see and hear classes without being of the lesson: told to the audit log."""
AN_HOUR = timedelta(hours=1)
"""A line that breaks comes back for a new seat: it is the same look."""


@router.post("/lessons/{lesson_id}/seat")
async def post_seat(lesson_id: Id, body: SeatBody, request: Request, scope: SignedIn, clock: ClockDep) -> SeatOut:
    """A right to enter the room, and where the room is. No transaction spans the call to the node."""
    seating = cast(Seating, request.app.state.seating)
    seat, housed = await seating.seat(scope, lesson_id, body.role, request.state.me or "", body.unreachable)
    url = as_seen_from(housed.node.public_url, page_host(request))
    async with request.app.state.database.reading() as session:
        lesson = await service.get_lesson(session, scope, lesson_id)
        ready = [deck for deck in await store.decks(session, scope, lesson_id) if deck.state == "ready"]
    if body.role in LOOKING:
        lead = lesson.lead_room.school
        told = {"title": lesson.title, "role": body.role}
        place = (lead.id, lead.supervised_by)
        await looked(request, "view", "live", lesson_id, school=place[0], district=place[1], told=told, once=AN_HOUR)
    return SeatOut(
        token=seating.token(seat),
        lesson=lesson_id,
        epoch=seat.epoch,
        seat=seat.id,
        role=seat.role,
        ws=f"{url}/ws",
        whip=f"{over_http(url)}/whip/{lesson_id}",
        whep=f"{over_http(url)}/whep/{lesson_id}",
        ice_servers=relays.ice_servers(request.app.state.settings, page_host(request), seat.id, clock.now()),
        decks=[SlideDeck(id=d.id, title=d.title, pages=d.pages, urls=decks.page_urls(d)) for d in ready],
    )


# --- slides -----------------------------------------------------------------------------------------------------------


def _out(request: Request, deck: Deck) -> DeckOut:
    return decks.deck_out(deck, texts(request.state.locale), request.app.state.settings.deck_pages)


@router.get("/lessons/{lesson_id}/decks")
async def get_decks(lesson_id: Id, request: Request, session: Reading, scope: SignedIn) -> list[DeckOut]:
    await service.get_lesson(session, scope, lesson_id)
    return [_out(request, deck) for deck in await store.decks(session, scope, lesson_id)]


async def take_upload(
    request: Request, scope: Scope, lesson_id: str, file: UploadFile, objects: Objects, now: datetime
) -> Deck:
    """Shared by the JSON route and the lesson page's form."""
    state = request.app.state
    async with state.database.reading() as session:
        await decks.check_may_upload(session, scope, lesson_id)
    await state.rates.hit("upload", scope.person or "-")
    data = await asyncio.to_thread(decks.read_upload, file.file, state.settings.upload_mb)
    deck = await decks.accept(state.database, objects, scope, lesson_id, decks.title_of(file.filename), data, now)
    await state.jobs.wake("decks")
    return deck


@router.post("/lessons/{lesson_id}/decks", status_code=202)
async def post_deck(
    lesson_id: Id,
    request: Request,
    scope: SignedIn,
    file: Annotated[UploadFile, File()],
    objects: Objects,
    clock: ClockDep,
) -> DeckOut:
    """Taken; the pages follow (state "rendering")."""
    return _out(request, await take_upload(request, scope, lesson_id, file, objects, clock.now()))


@router.get("/lessons/{lesson_id}/decks/{deck_id}")
async def get_deck(lesson_id: Id, deck_id: Id, request: Request, session: Reading, scope: SignedIn) -> DeckOut:
    deck = await store.deck(session, scope, lesson_id, deck_id)
    if deck is None:
        raise NotFoundError
    return _out(request, deck)


@router.delete("/lessons/{lesson_id}/decks/{deck_id}", status_code=204)
async def delete_deck(lesson_id: Id, deck_id: Id, session: Writing, scope: SignedIn, objects: Objects) -> None:
    await decks.remove_objects(objects, await decks.remove(session, scope, lesson_id, deck_id))


@router.get("/lessons/{lesson_id}/decks/{deck_id}/{page}.webp", response_class=Response)
async def get_page_image(
    lesson_id: Id, deck_id: Id, page: int, session: Reading, scope: SignedIn, objects: Objects
) -> Response:
    deck = await store.deck(session, scope, lesson_id, deck_id)
    if deck is None or deck.state != "ready" or not 1 <= page <= deck.pages:
        raise NotFoundError
    image = await objects.get(decks.page_key(lesson_id, deck_id, page))
    return Response(image, media_type="image/webp", headers={"cache-control": "private, max-age=86400, immutable"})


# --- kiosks and companions --------------------------------------------------------------------------------------------


@router.get("/kiosk", tags=["kiosk"])
async def get_kiosk(request: Request, session: Writing, scope: SignedIn, clock: ClockDep) -> KioskOut:
    return await devices.kiosk(session, scope, request.app.state.keys.companion, own_origin(request), clock.now())


@router.get("/kiosk/qr.svg", tags=["kiosk"], response_class=Response)
async def get_kiosk_qr(
    code: Annotated[str, Query(pattern=r"^[0-9]{6}$")],
    request: Request,
    session: Reading,
    scope: SignedIn,
    clock: ClockDep,
) -> Response:
    """Opens the companion page on a phone with the code filled in."""
    url = await devices.sign_in_url(session, scope, code, own_origin(request), clock.now())
    return Response(svg(url), media_type="image/svg+xml")


@router.post("/devices/bind", tags=["kiosk"])
async def post_bind(body: BindBody, request: Request, session: Writing, scope: SignedIn, clock: ClockDep) -> KioskRoom:
    await request.app.state.rates.hit("bind", scope.person or "-")
    device = await devices.bind(session, scope, body.code, body.room, clock.now())
    room = (await store.rooms(session, scope, [device.room_id or ""]))[body.room]
    return KioskRoom(id=room.id, name=room.name, school=room.school.short_name)


@router.post("/lessons/{lesson_id}/companion", tags=["kiosk"])
async def post_companion(
    lesson_id: Id, body: CompanionBody, request: Request, response: Response, scope: AnyScope, clock: ClockDep
) -> CompanionOut:
    """The code on the room's screen makes this phone the room's companion for this lesson."""
    state = request.app.state
    address = request.client.host if request.client else "-"
    await state.rates.hit("companion", lesson_id, address)
    await state.rates.hit("companion_room", lesson_id)
    agent = request.headers.get("user-agent", "")
    async with state.database.transaction() as session:
        lesson = await companion.public_lesson(session, lesson_id)
        receipt, token, lifetime = await companion.sign_in(
            session, scope, lesson, body.code, state.keys.companion, clock.now(), agent
        )
    await state.rates.forget("companion", lesson_id, address)
    set_cookie(request, response, "companion", token, int(lifetime.total_seconds()))
    room = receipt.room
    return CompanionOut(lesson=lesson_id, room=room.id, room_name=room.name, school=room.school.short_name)
