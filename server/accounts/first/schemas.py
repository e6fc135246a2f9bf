"""What a sheet of first passwords takes and gives."""

from __future__ import annotations

from pydantic import BaseModel

from server.schools.schemas import Body, Id


class SheetBody(Body):
    school_id: Id


class SlipOut(BaseModel):
    login: str
    name: str
    password: str


class SheetOut(BaseModel):
    """Shown once, kept nowhere."""

    items: list[SlipOut]
    left: int
    """People of the school who still wait for one."""
