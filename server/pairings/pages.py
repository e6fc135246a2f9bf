"""Pages of a pairing's agreement: hand it in, take it out."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import city_date
from server.dependencies import ClockDep, Html, Objects, Reading, SignedIn, Writing
from server.errors import ConflictError, InvalidError, NotFoundError, TooLargeError
from server.failures import sentence
from server.pairings import service
from server.schools import alone
from server.schools import service as schools
from server.schools.schemas import Id
from server.scope import Scope, allows
from server.templating import Page

router = APIRouter(include_in_schema=False)

ONE = "/admin/pairings/{pairing_id}"


async def _page(
    page: Page,
    session: AsyncSession,
    scope: Scope,
    pairing_id: str,
    today: date,
    message: str = "",
    status: int = 200,
) -> Response:
    row, lead, village = await service.get(session, scope, pairing_id)
    may_write = any(allows(scope, "pairing.write", schools.part_of(one)) for one in (lead, village))
    return page.render(
        "admin/pairing.html",
        status=status,
        pairing=row,
        lead=lead,
        village=village,
        may_write=may_write,
        crowded=(await alone.crowded(session, [row], today)).get(row.id),
        message=message,
        most_mb=service.MOST_BYTES // 1_000_000,
    )


@router.get(ONE)
async def get_pairing(page: Html, session: Reading, scope: SignedIn, clock: ClockDep, pairing_id: Id) -> Response:
    return await _page(page, session, scope, pairing_id, city_date(clock.now()))


@router.get(ONE + "/agreement")
async def get_agreement(session: Reading, scope: SignedIn, objects: Objects, pairing_id: Id) -> Response:
    row, _, _ = await service.get(session, scope, pairing_id)
    if row.agreement_name is None:
        raise NotFoundError
    return service.as_file(row.agreement_name, await objects.get(service.key_of(row.id)))


@router.post(ONE + "/agreement")
async def post_agreement(
    request: Request,
    page: Html,
    session: Writing,
    scope: SignedIn,
    objects: Objects,
    clock: ClockDep,
    pairing_id: Id,
) -> Response:
    await schools.pairing_for(session, scope, pairing_id)
    await request.app.state.rates.hit("upload", scope.person or "-")
    async with request.form(max_files=1) as form:
        file = form.get("file")
        data = b"" if file is None or isinstance(file, str) else await file.read(service.MOST_BYTES + 1)
        name = "" if file is None or isinstance(file, str) else file.filename or "agreement.pdf"
    try:
        await service.hand_in(session, scope, objects, pairing_id, name, data)
    except (InvalidError, ConflictError, TooLargeError) as error:
        today = city_date(clock.now())
        return await _page(page, session, scope, pairing_id, today, sentence(request, error), error.status)
    return RedirectResponse(f"/admin/pairings/{pairing_id}", 303)
