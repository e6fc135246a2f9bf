"""What changes of lessons take and give."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from server.lessons.lifecycle import MOVE_REASONS
from server.lessons.schemas import Form, Kind

Id = Field(max_length=24)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sequence: int | None = Field(default=None, ge=0)
    """What the page saw: a lesson that has changed since is not changed blindly."""
    note: str = Field(default="", max_length=200)


class MoveBody(_Body):
    """调课. Its length stays unless ``ends_at`` is given."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime | None = None
    reason: str = Field(default="other", max_length=24, description="one of " + ", ".join(MOVE_REASONS))


class CancelLesson(_Body):
    reason: str = Field(max_length=24)


class RepayBody(_Body):
    """补课: a new lesson like the cancelled one, at another time."""

    starts_at: AwareDatetime


class TeacherBody(_Body):
    """代课教师"""

    teacher_id: str = Id


class AssistantBody(_Body):
    """临时辅助教师 of one receiving room; None: nobody yet."""

    room_id: str = Id
    assistant_id: str | None = Field(default=None, max_length=24)


class RoomBody(_Body):
    """换教室: within the same school."""

    room_id: str = Id
    to_room_id: str = Id


class AboutBody(_Body):
    """What the lesson is about; an absent field stays."""

    title: str | None = Field(default=None, min_length=1, max_length=120)
    kind: Kind | None = None
    form: Form | None = None
    edition: str | None = Field(default=None, max_length=40)
    volume: str | None = Field(default=None, max_length=20)
    unit: str | None = Field(default=None, max_length=60)
    part: str | None = Field(default=None, max_length=60)


class FormsBody(BaseModel):
    """课堂类型 of the lessons named, which are still to come; none named: of all of them and of the classroom."""

    model_config = ConfigDict(extra="forbid")

    form: Form
    lessons: list[Annotated[str, Id]] = Field(default_factory=list, max_length=500)


class CancelMany(BaseModel):
    """批量停课: of the named lessons, or of a school's (lead or receiving) in [first, last]. 停课令: of the whole city,
    or of districts and schools that are closed then."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=24)
    note: str = Field(default="", max_length=200)
    lessons: list[str] = Field(default_factory=list, max_length=500)
    school_id: str | None = Field(default=None, max_length=24)
    city: bool = False
    districts: list[Annotated[str, Id]] = Field(default_factory=list, max_length=40)
    schools: list[Annotated[str, Id]] = Field(default_factory=list, max_length=100)
    first: date | None = None
    last: date | None = None
    activities: bool = False
    """Of a 停课令: the studios' activities on these days too."""

    @property
    def orders(self) -> bool:
        """A 停课令."""
        return bool(self.city or self.districts or self.schools)


class ChangeOut(BaseModel):
    id: str
    batch: str
    lesson: str
    kind: str
    at: datetime
    by: str
    reason: str | None
    note: str
    before: dict[str, Any]
    after: dict[str, Any]
    undone_at: datetime | None
    may_undo: bool = False


class Done(BaseModel):
    """What a change did: the lesson's new number, and the batch by which it can be undone."""

    lesson: str
    sequence: int
    batch: str
    state: str
    warnings: list[str] = []
    """What the planner should know, in their language: a school's measured line carries fewer lessons at once, a school
    is away that day, no term holds it."""


class ManyPlanned(BaseModel):
    """What an act would do."""

    lessons: list[str]
    left: list[str]
    """Concerned, and not called off: another's to decide, or held for schools that are open."""
    activities: list[str] = Field(default_factory=list)
    """Of studios; called off where the order says so."""


class ManyDone(BaseModel):
    batch: str
    lessons: list[str]
    passed_over: list[str]
    """Lessons that can no longer be called off, or are not the asker's."""
    activities: list[str] = Field(default_factory=list)


class ProgressRow(BaseModel):
    """进度 of one receiving class: how many lessons it should have had by now, and has had."""

    room: str
    room_name: str
    school: str
    planned: int
    received: int
    behind: int
    school_class: str | None
    lost: list[str]
    """Lessons it missed and that no 补课 has repaid yet."""
    lost_parts: list[str]
    """Their days and what they were about, in the same order."""
    last_part: str | None
