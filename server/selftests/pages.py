"""Pages: the board of lights, a room's history of tests, the measured lines."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from server.dependencies import ClockDep, Html, Reading, SignedIn
from server.lessons.schemas import LessonFilter
from server.paging import ListPage, base_of, page_of
from server.schools import store as schools
from server.schools.schemas import Id
from server.schools.service import part_of
from server.scope import allows
from server.selftests import board, service, store, wording
from server.selftests.lines import RECENT, carries, measured

router = APIRouter(include_in_schema=False)

LIST = "/admin/lights"
A_PAGE = 50
"""Lessons or schools: a few screens of lights, or of lines."""
MOST = 60
"""Tests a room's history shows: a week of them."""


@router.get(LIST)
async def get_board(
    page: Html,
    session: Reading,
    scope: SignedIn,
    clock: ClockDep,
    district: Annotated[str, Query(max_length=6)] = "",
    school: Annotated[str, Query(max_length=24)] = "",
    only: Annotated[str, Query(max_length=4)] = "",
    number: ListPage = 1,
) -> Response:
    """Today's lessons by time. ``only=bad``: those with a room somebody must look after."""
    wanted = LessonFilter(district_id=district or None, school_id=school or None)
    rows, of_all = await board.board(session, scope, wanted, clock.now())
    shown = [row for row in rows if row.bad] if only == "bad" else rows
    part, paging = page_of(shown, number, A_PAGE)
    named = {lamp.room.school_id: lamp.room.school.short_name for row in rows for lamp in row.lamps}
    return page.render(
        "selftests/board.html",
        rows=part,
        paging=paging,
        base=base_of({"district": district, "school": school, "only": only}),
        idle=await board.idle(session, scope, wanted, clock.now(), only_bad=only == "bad"),
        lamps=[lamp for row in rows for lamp in row.lamps],
        of_all=of_all,
        most=board.MOST,
        districts=await schools.districts(session, scope),
        schools=sorted(named.items(), key=lambda pair: pair[1]),
        district=district,
        school=school,
        only=only,
        act=wording.act,
        cause=wording.cause,
    )


@router.get(LIST + "/lines")
async def get_lines(page: Html, session: Reading, scope: SignedIn, clock: ClockDep, number: ListPage = 1) -> Response:
    part, paging = page_of(await board.lines(session, scope, clock.now()), number, A_PAGE)
    return page.render("selftests/lines.html", lines=part, paging=paging)


@router.get(LIST + "/rooms/{room_id}")
async def get_room(page: Html, session: Reading, scope: SignedIn, clock: ClockDep, room_id: Id) -> Response:
    """One room's light now, its line, and what its screens found before."""
    now = clock.now()
    room = await service.room_for(session, scope, room_id)
    rows = await store.measures(session, scope, [room.school_id], now - RECENT)
    line = measured(rows.get(room.school_id, []))
    return page.render(
        "selftests/room.html",
        room=room,
        light=(await service.room_lights(session, scope, [room.id], now))[room.id],
        tests=await store.history(session, scope, room.id, MOST),
        line=line,
        receives=carries(line, leads=False) if line else 0,
        most=MOST,
        found=wording.found,
        may_install=allows(scope, "device.bind", part_of(room.school)),
        act=wording.act,
        cause=wording.cause,
    )
