"""What lesson services and routes take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from signaling.seats import Role

Kind = Literal["formal", "trial", "drill"]
Form = Literal["delivery", "master", "open"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReceiverDraft(_Body):
    room_id: str = Field(max_length=24)
    assistant_id: str | None = Field(default=None, max_length=24)
    class_id: str | None = Field(default=None, max_length=24)


class LessonDraft(_Body):
    """A lesson to be created. With ``classroom_id``, what is left out comes from that classroom."""

    classroom_id: str | None = Field(default=None, max_length=24)
    title: str = Field(min_length=1, max_length=120)
    subject: str = Field(default="", max_length=32)
    grade: int = Field(default=0, ge=0, le=9)
    kind: Kind = "formal"
    form: Form = "delivery"
    lead_room_id: str = Field(default="", max_length=24)
    teacher_id: str = Field(default="", max_length=24)
    lead_class_id: str | None = Field(default=None, max_length=24)
    """本班: the class that sits in the lead room."""
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    receivers: list[ReceiverDraft] = Field(default_factory=list, max_length=8)


class CancelBody(_Body):
    reason: str = Field(max_length=24)


class LessonFilter(_Body):
    """What a list of lessons shows; None: all."""

    starts_from: AwareDatetime | None = None
    starts_before: AwareDatetime | None = None
    ends_after: AwareDatetime | None = None
    states: tuple[str, ...] = ()
    kind: Kind | None = None
    subject: str | None = None
    school_id: str | None = None
    classroom_id: str | None = None
    room_id: str | None = None
    person_id: str | None = None
    """Teaches or assists."""
    district_id: str | None = None
    """Answers for the lead school or a receiving one."""
    words: str = Field(default="", max_length=60)
    """In the title or the teacher's name."""
    descending: bool = False
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=50, ge=1, le=500)


class SeatBody(_Body):
    role: Role
    unreachable: int | None = None
    """The epoch whose node the client could not reach."""


class DeckOut(BaseModel):
    id: str
    title: str
    pages: int
    state: str
    error: str | None
    message: str | None = None
    """Why refused, in the asker's language."""
    urls: list[str]


class SlideDeck(BaseModel):
    """A ready deck, for the live pages."""

    id: str
    title: str
    pages: int
    urls: list[str]


class IceServerOut(BaseModel):
    """One relay, as RTCPeerConnection takes it."""

    urls: list[str]
    username: str
    credential: str


class SeatOut(BaseModel):
    token: str
    lesson: str
    epoch: int
    seat: str
    role: Role
    ws: str
    whip: str
    whep: str
    ice_servers: list[IceServerOut] = Field(serialization_alias="iceServers")
    decks: list[SlideDeck]


class ReceiptOut(BaseModel):
    room: str
    room_name: str
    school: str
    assistant: str | None
    school_class: str | None
    expected: int


class LessonOut(BaseModel):
    id: str
    title: str
    subject: str
    grade: int
    kind: str
    form: str
    state: str
    starts_at: datetime
    ends_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    cancel_reason: str | None
    teacher: str
    lead_room: str
    lead_class: str | None
    """本班: the class that sits in the lead room; None: not said."""
    school: str
    receipts: list[ReceiptOut]


class BindBody(_Body):
    code: str = Field(pattern=r"^[0-9]{6}$")
    room: str = Field(max_length=24)


class KioskLesson(BaseModel):
    """A lesson as a room's screen needs it. ``role``: "class" in a receiving room, "lead" in the lead room."""

    id: str
    title: str
    subject: str
    grade: int
    kind: str
    state: str
    role: Literal["class", "lead"]
    teacher: str
    school: str
    starts_at_ms: int
    ends_at_ms: int
    url: str


class KioskRoom(BaseModel):
    id: str
    name: str
    school: str


class KioskOut(BaseModel):
    """``code`` while the device waits to be bound; ``signin_…`` while assistants may sign in."""

    bound: bool
    code: str | None
    code_expires_ms: int | None
    room: KioskRoom | None
    lesson: KioskLesson | None
    next: KioskLesson | None
    signin_lesson: str | None
    signin_code: str | None
    signin_expires_ms: int | None
    signin_url: str | None
    signin_qr: str | None
    """Address of a picture that opens ``signin_url`` with the code on a phone."""
    now_ms: int


class CompanionBody(_Body):
    code: str = Field(pattern=r"^[0-9]{6}$")


class CompanionOut(BaseModel):
    lesson: str
    room: str
    room_name: str
    school: str
