"""What demand routes and forms take and give."""

from __future__ import annotations

from datetime import datetime, time
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from server.classrooms.schemas import Subject
from server.schools.schemas import Body, Id

Half = Literal["", "am", "pm"]


class WishBody(Body):
    """When it would suit; may be changed while the need is open."""

    weekday: int | None = Field(default=None, ge=1, le=7, description="None: any")
    half: Half = Field(default="", description="am, pm, or empty: any")
    note: str = Field(default="", max_length=200)


class DemandBody(WishBody):
    room_id: Id = Field(description="The receiving room; its school posts the need")
    term: str = Field(pattern=r"^\d{4}-[12]$")
    grade: int = Field(ge=1, le=9)
    subject: Subject


class OfferBody(Body):
    lead_room_id: Id
    teacher_id: Id
    studio_id: Id | None = Field(default=None, description="Offered by a studio of the lead room's school")
    weekday: int = Field(ge=1, le=7)
    starts: time = Field(strict=False, description="One of the times the slot finder proposes")
    note: str = Field(default="", max_length=200)


class AcceptBody(Body):
    """Who will stand in the receiving room, and which class sits there; both may be said later, of the classroom."""

    assistant_id: Id | None = None
    class_id: Id | None = None


class OfferSeen(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    school_id: str
    studio_id: str | None
    lead_room_id: str
    teacher_id: str
    weekday: int
    period: int
    starts: time
    minutes: int
    note: str
    state: str
    offered_at: datetime


class DemandSeen(BaseModel):
    id: str
    school_id: str
    school: str
    room_id: str
    gap_id: str | None
    term: str
    grade: int
    subject: str
    weekday: int | None
    half: str
    note: str
    state: str
    posted_at: datetime
    ended_at: datetime | None
    classroom_id: str | None
    offers: list[OfferSeen]
    """Those the asker may see: all for the school that needs, else the asker's own."""


class DemandsSeen(BaseModel):
    items: list[DemandSeen]
    count: int
    page: int
    pages: int
