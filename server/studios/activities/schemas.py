"""What activities take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from server.schools.schemas import Body, Id

MOST_ROOMS = 8
MOST_PEOPLE = 60
"""A studio has fifty people at most (长春 2015), and guests."""

Kind = Literal["training", "research", "showcase", "lecture", "other"]


class ActivityBody(Body):
    kind: Kind = "training"
    title: str = Field(min_length=2, max_length=120)
    note: str = Field(default="", max_length=500)
    starts_at: AwareDatetime = Field(strict=False)
    minutes: int = Field(ge=20, le=480)
    rooms: list[Id] = Field(default_factory=list, max_length=MOST_ROOMS)
    """None: on the network only."""
    people: list[Id] = Field(default_factory=list, max_length=MOST_PEOPLE)
    """Beside the host, who always takes part."""
    sequence: int | None = Field(default=None, ge=0)
    """What the page saw; an activity that has changed since is not changed blindly."""


class CallOff(Body):
    note: str = Field(default="", max_length=200)
    sequence: int | None = Field(default=None, ge=0)


class ActivitySeen(BaseModel):
    id: str
    studio: str
    studio_name: str
    kind: str
    title: str
    note: str
    state: str
    starts_at: datetime
    ends_at: datetime
    rooms: list[str]
    people: list[str]
    sequence: int
