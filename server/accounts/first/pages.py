"""Page of first passwords: who waits, then the sheet to print and cut, or the workbook."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from server.accounts.first import service
from server.accounts.first.routes import sheet
from server.choices.service import offer
from server.clock import city_date
from server.dependencies import ClockDep, Html, Reading, SignedIn
from server.errors import ForbiddenError
from server.exchange import workbook
from server.exchange.sheets import Column
from server.schools.schemas import Id
from server.scope import allows

router = APIRouter(include_in_schema=False)

PAGE = "/admin/first-passwords"
COLUMNS = (Column("name"), Column("login", width=20), Column("one_time", width=18))


@router.get(PAGE)
async def get_page(
    page: Html,
    session: Reading,
    scope: SignedIn,
    clock: ClockDep,
    school: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
) -> Response:
    if not allows(scope, "person.write"):
        raise ForbiddenError
    chosen = school or (scope.school if not (scope.city or scope.districts) else "") or ""
    row = await service.school_for(session, scope, chosen) if chosen else None
    return page.render(
        "accounts/first.html",
        schools=await offer(session, scope, "schools", city_date(clock.now()), [chosen]),
        school=row,
        waiting=await service.waiting(session, scope, row, clock.now()) if row else [],
        most=service.AT_ONCE,
    )


@router.post(PAGE)
async def post_page(
    request: Request,
    page: Html,
    scope: SignedIn,
    clock: ClockDep,
    school: Annotated[Id, Form()],
    kind: Annotated[str, Form(max_length=8)] = "sheet",
) -> Response:
    row, slips, left = await sheet(request, scope, clock, school)
    if kind != "xlsx":
        return page.render("accounts/slips.html", school=row, slips=slips, left=left)
    values = [{"name": one.name, "login": one.login, "one_time": one.password} for one in slips]
    data = workbook.write("first_passwords", COLUMNS, values, page.t)
    name = quote(f"{page.t('exchange.kind.first_passwords')}-{row.short_name}")
    disposition = f"attachment; filename*=UTF-8''{name}.xlsx"  # RFC 6266, section 4.3
    return Response(data, media_type=workbook.MEDIA_TYPE, headers={"content-disposition": disposition})
