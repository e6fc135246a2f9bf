"""JSON of first passwords."""

from __future__ import annotations

from fastapi import APIRouter, Request

from server.accounts.first import service
from server.accounts.first.schemas import SheetBody, SheetOut, SlipOut
from server.accounts.first.service import Slip
from server.audit.service import looked
from server.clock import Clock
from server.dependencies import ClockDep, SignedIn
from server.schools.models import School
from server.scope import Scope

router = APIRouter(prefix="/api/v1/first-passwords", tags=["people"])


async def sheet(request: Request, scope: Scope, clock: Clock, school_id: str) -> tuple[School, list[Slip], int]:
    """Made and told to the log as an export; for page, workbook and JSON."""
    state = request.app.state
    await state.rates.hit("upload", scope.person or "-")
    address = request.client.host if request.client else None
    made = await service.make(state.database, scope, state.passwords, school_id, clock.now(), address)
    school, slips, _ = made
    told = {"people": len(slips), "page": request.url.path}
    await looked(
        request, "export", "first_passwords", school.id, school=school.id, district=school.supervised_by, told=told
    )
    return made


@router.post("")
async def post_sheet(request: Request, scope: SignedIn, clock: ClockDep, body: SheetBody) -> SheetOut:
    """One-time passwords of a school's people who never signed in; a second call makes new ones."""
    _, slips, left = await sheet(request, scope, clock, body.school_id)
    return SheetOut(items=[SlipOut(login=one.login, name=one.name, password=one.password) for one in slips], left=left)
