"""What the replay's player gets, and what the list of replays can be narrowed by."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class InitOut(BaseModel):
    """Header of the fragments that name it. ``id`` is unique in the whole replay: "{epoch}-{k}"."""

    id: str
    url: str
    mime: str
    width: int
    height: int


class FragmentOut(BaseModel):
    init: str
    url: str
    from_ms: int
    to_ms: int
    random_access: bool
    size: int


class GapOut(BaseModel):
    """Nothing recorded in [from_ms, to_ms). ``cause``: loss, pause, reconnect, node, moved, disk, missing."""

    from_ms: int
    to_ms: int
    cause: str


class TrackOut(BaseModel):
    track: str
    kind: str
    """audio | video"""
    inits: list[InitOut]
    fragments: list[FragmentOut]
    gaps: list[GapOut]


class DeckOut(BaseModel):
    id: str
    title: str
    urls: list[str]


class ReplayOut(BaseModel):
    """All times are room time. ``state``: none (nothing recorded), recording, closed."""

    lesson: str
    title: str
    state: str
    opened_at_ms: int
    """Room time zero on the wall clock."""
    from_ms: int
    to_ms: int
    tracks: list[TrackOut]
    ops: list[dict[str, Any]]
    names: dict[str, str]
    """Participant id -> what to show."""
    decks: list[DeckOut]
    may_erase: bool = False
    """Whether the asker may erase chat lines."""


class ReplayFilter(BaseModel):
    """What the list shows; empty: all."""

    model_config = ConfigDict(extra="forbid")

    grade: int | None = Field(default=None, ge=1, le=9)
    subject: str = Field(default="", max_length=32)
    school: str = Field(default="", max_length=24)
    teacher: str = Field(default="", max_length=24)
    q: str = Field(default="", max_length=60)
    """Words of the title or the teacher's name."""
