"""What channel routes and forms take and give. An address is never given back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from server.outbox.events import EVENTS
from server.schools.places import PLACE
from server.schools.schemas import Body

Kind = Literal["wecom", "dingtalk", "sms", "webhook"]
KINDS = ("wecom", "dingtalk", "sms", "webhook")
EventName = Annotated[str, Field(pattern="^(" + "|".join(name.replace(".", r"\.") for name in EVENTS) + ")$")]
MOST_CHANNELS = 10
"""Of one place."""


class ChannelEdit(Body):
    name: str = Field(min_length=1, max_length=40)
    endpoint: str = Field(default="", max_length=500, description="The whole address; empty keeps the one that is held")
    secret: str = Field(default="", max_length=200, description="What requests are signed with; empty keeps it")
    events: list[EventName] = Field(default_factory=list, max_length=len(EVENTS), description="None: all of them")
    only_urgent: bool = Field(default=False, strict=False, description="Only of lessons that begin within a day")


class ChannelBody(ChannelEdit):
    kind: Kind
    place: str = Field(pattern=PLACE, description="school:<id>, district:<code> or city")
    endpoint: str = Field(min_length=8, max_length=500, description="The whole address, https://…")

    @model_validator(mode="after")
    def _short_messages_are_for_what_is_urgent(self) -> ChannelBody:
        if self.kind == "sms":
            self.only_urgent = True
        return self


class ChannelSeen(BaseModel):
    id: str
    kind: str
    name: str
    place: str
    host: str
    """Of the address; the rest of it is nobody's to read."""
    events: list[str]
    only_urgent: bool
    created_at: datetime
    off_at: datetime | None
    off_why: str | None
    last_at: datetime | None
    last_problem: str | None


class DeliverySeen(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    event: str
    state: str
    attempts: int
    problem: str | None
    status: int | None
    created_at: datetime
    due_at: datetime
    done_at: datetime | None


class DeliveriesSeen(BaseModel):
    items: list[DeliverySeen]
    count: int
    page: int
    pages: int


class OffBody(Body):
    off: bool
