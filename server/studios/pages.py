"""Pages of studios: the list, open to everybody, and a studio's home, with names for those signed in."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from fastapi.responses import Response

from server.dependencies import AnyScope, ClockDep, Html, Reading
from server.paging import ListPage, base_of
from server.schools import store as schools
from server.schools.schemas import Id
from server.studios import service, store
from server.studios.routes import Wanted

router = APIRouter(include_in_schema=False)

CARDS = 24  # divides by 2, 3 and 4 columns


@router.get("/studios")
async def get_list(page: Html, session: Reading, scope: AnyScope, wanted: Wanted, number: ListPage = 1) -> Response:
    rows, paging = await store.list_studios(session, scope, wanted, number, CARDS)
    return page.render(
        "studios/list.html",
        rows=rows,
        paging=paging,
        wanted=wanted,
        subjects=await store.subjects(session, scope),
        districts=await schools.districts(session, scope),
        base=base_of(asdict(wanted)),
    )


@router.get("/studios/{studio_id}")
async def get_home(page: Html, session: Reading, scope: AnyScope, clock: ClockDep, studio_id: Id) -> Response:
    home = await service.home(session, scope, studio_id, clock.now())
    return page.render("studios/home.html", home=home)
