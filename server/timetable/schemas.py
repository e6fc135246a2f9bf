"""What timetable routes take and give."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from server.selftests.schemas import LineWarning
from server.timetable.bells import MOST_BELLS

Id = Annotated[str, Field(max_length=24)]
MOST_COPIED = 5000
"""Classrooms of a term that one word copies."""
TermId = Annotated[str, Field(pattern=r"^\d{4}-[12]$")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TermBody(Body):
    id: TermId
    name: str = Field(min_length=2, max_length=40)
    starts_on: date
    ends_on: date


class TermOut(TermBody):
    weeks: int


class DayBody(Body):
    """A holiday, or a make-up day with the day it stands for or the weekday it runs."""

    kind: Literal["holiday", "makeup"]
    name: str = Field(min_length=1, max_length=40)
    stands_for: date | None = None
    runs_weekday: int | None = Field(default=None, ge=1, le=7)


class DayOut(DayBody):
    day: date
    source: str


class HorizonBody(Body):
    known_until: date


class CalendarOut(BaseModel):
    known_until: date | None
    days: list[DayOut]


class BellBody(Body):
    period: int = Field(ge=1, le=MOST_BELLS)
    starts: time
    minutes: int = Field(ge=10, le=120)


class ScheduleBody(Body):
    phase: Literal["primary", "junior"]
    name: str = Field(min_length=1, max_length=24)
    begins: str = Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")
    """ "05-01": from the first of May, every year."""
    periods: list[BellBody] = Field(min_length=1, max_length=MOST_BELLS)


class ScheduleOut(BaseModel):
    id: str
    school: str
    phase: str
    name: str
    begins: str
    periods: list[BellBody]


class SpanBody(Body):
    school_id: Id
    kind: Literal["sports", "exam", "trip", "repair", "other"]
    name: str = Field(min_length=1, max_length=40)
    first_on: date
    last_on: date


class SpanOut(SpanBody):
    id: str
    lessons: list[str]
    """Published lessons it hits."""


class PublishBody(Body):
    term: TermId
    classrooms: list[Id] = Field(default_factory=list, max_length=200)
    without_clashing: bool = False
    run: str = Field(default="", pattern="^[a-z0-9]{0,24}$")
    """The same word of yours for all parts of one publishing: nobody hears of each part."""


class PublishOut(BaseModel):
    """What publishing did, or (a plan) would do."""

    add: int
    renew: int
    restore: int
    withdraw: int
    kept: int
    away: int
    clashes: list[dict[str, str]]
    warnings: list[LineWarning]
    """Measured lines that carry fewer lessons at once; nothing is refused for them."""
    beyond: date | None
    """Last day the calendar knows, where lessons lie after it."""


class FindBody(Body):
    """The slot finder's question: who is to be together, how long, when they would rather."""

    term: TermId
    classroom_id: Id | None = None
    grade: int = Field(default=4, ge=1, le=9)
    teacher_id: Id | None = None
    lead_room_id: Id = ""
    receivers: list[Id] = Field(default_factory=list, max_length=3)
    minutes: int = Field(default=0, ge=0, le=120)
    """0: the standard lesson of the grade."""
    weeks: Literal["all", "odd", "even"] = "all"
    weekdays: list[Annotated[int, Field(ge=1, le=7)]] = Field(default_factory=list, max_length=7)
    prefer: list[Annotated[int, Field(ge=1, le=7)]] = Field(default_factory=list, max_length=7)


class FitOut(BaseModel):
    school: str
    period: int
    shift: int


class ProposalOut(BaseModel):
    weekday: int
    starts: time
    minutes: int
    days: int
    lost: int
    fits: list[FitOut]


class ObstacleOut(BaseModel):
    cause: str
    school: str
    name: str
    """Who or what is taken, and by which lesson."""
    title: str
    periods: list[int]
    minutes: int
    days: int
    times: int = 1
    subject_key: str = ""
    weekday_key: str = ""
    period: str = ""
    """Of an ordinary hour of the school; else empty."""


class RefusalOut(BaseModel):
    weekday: int
    starts: time
    obstacles: list[ObstacleOut]


class FoundOut(BaseModel):
    proposals: list[ProposalOut]
    refusals: list[RefusalOut]
    blame: list[ObstacleOut]


class WizardBody(Body):
    """开学向导: what the new term takes from the old one."""

    old: TermId
    new: TermId
    classrooms: list[Id] | None = Field(default=None, max_length=MOST_COPIED)
    """Left out: all the asker may write; an empty list is none."""
    promote: bool = True
    """升级: grade + 1 where the new term begins a new school year."""


class LapsedOut(BaseModel):
    what: str = Field(description="Key of a sentence, as ``post``, ``room``, ``pairing``, ``class``, ``consent``")
    name: str


class CandidateOut(BaseModel):
    """One classroom of the old term."""

    classroom_id: str
    name: str
    grade: int
    new_grade: int
    copied: bool
    """The new term has one like it."""
    leaves: bool
    """Its class leaves the school."""
    lapsed: list[LapsedOut]


class DraftOut(BaseModel):
    old: str
    new: str
    promoted: bool
    known_until: date | None
    """Up to when holidays are known."""
    items: list[CandidateOut]
    count: int
    page: int
    pages: int


class CopiedOut(BaseModel):
    classrooms: list[str]


class SpanSeen(SpanBody):
    model_config = ConfigDict(from_attributes=True)

    id: str


class SpansSeen(BaseModel):
    items: list[SpanSeen]
    count: int
    page: int
    pages: int
