"""What screens send of themselves, and what they and pages are told. Every figure has a bound."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from server.selftests.checks import Camera, Lack, Light, Loudspeaker, Microphone, Path

Kbps = Annotated[int, Field(ge=0, le=10_000_000)]


class SelfTestBody(BaseModel):
    """One test's results; what was not tested is left out."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["loud", "silent"]
    lesson: Annotated[str, Field(max_length=24)] | None = None
    camera: Camera | None = None
    microphone: Microphone | None = None
    loudspeaker: Loudspeaker | None = None
    path: Path | None = None
    rtt_ms: Annotated[int, Field(ge=0, le=600_000)] | None = None
    up_kbps: Kbps | None = None
    down_kbps: Kbps | None = None
    clock_ms: Annotated[int, Field(ge=-(10**9), le=10**9)] | None = None
    """Eleven days at most: what is further away is as wrong."""
    disk_mb: Annotated[int, Field(ge=0, le=2_000_000_000)] | None = None
    chromium: Annotated[int, Field(ge=1, le=999)] | None = None
    lacks: Annotated[list[Lack], Field(max_length=3)] = []


class LightOut(BaseModel):
    """A room's light with its one cause and one thing to do, in the asker's language."""

    light: Light
    word: str
    cause: str
    act: str
    tested_at: datetime | None
    demo: bool = False


class RoomLightOut(LightOut):
    room: str
    room_name: str
    school: str
    phone: str
    """Whom to ring: the assistant where known, else the school."""


class DueOut(BaseModel):
    kind: Literal["loud", "silent"]
    lesson: str | None


class SelfTestPlan(BaseModel):
    """What a screen asks every half minute. ``measure``: the line may be measured, nobody has a lesson on it."""

    due: DueOut | None
    measure: bool
    light: LightOut
    now_ms: int


class BoardLesson(BaseModel):
    lesson: str
    title: str
    starts_at: datetime
    ends_at: datetime
    state: str
    teacher: str
    school: str
    lights: list[RoomLightOut]


class LineOut(BaseModel):
    """``carries``: lessons received here at once; ``leads``: lessons led here at once."""

    school: str
    name: str
    up_kbps: int
    down_kbps: int
    measures: int
    measured_at: datetime
    carries: int
    leads: int


class LineWarning(BaseModel):
    """Two lessons at once on a line that carries fewer: told, never refused."""

    school: str
    name: str
    up_kbps: int
    down_kbps: int
    carries: int
    lesson: str
    """The other lesson; empty: one that is being published beside it."""
    title: str
    day: str
    time: str
    wanted: str
    wanted_title: str
