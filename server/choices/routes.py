"""JSON: what fits the words typed into a field."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from server.choices import service
from server.choices.schemas import ChoiceOut, ChoicesOut
from server.clock import city_date
from server.dependencies import ClockDep, Reading, SignedIn
from server.paging import Words

router = APIRouter(prefix="/api/v1/choices", tags=["choices"])


@router.get("/{kind}")
async def get_choices(
    kind: Annotated[str, Path(pattern="^[a-z_]{1,24}$")],
    session: Reading,
    scope: SignedIn,
    clock: ClockDep,
    q: Words = "",
    term: Annotated[str, Query(pattern="^[0-9a-z-]{0,12}$")] = "",
) -> ChoicesOut:
    """Schools, rooms, people or classrooms of the asker's part of the city."""
    rows, more = await service.find(session, scope, kind, q, city_date(clock.now()), term)
    return ChoicesOut(items=[ChoiceOut(id=one.id, text=one.text, group=one.group) for one in rows], more=more)
