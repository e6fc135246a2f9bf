"""What setting up a studio takes and gives."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from server.classrooms.schemas import Subject
from server.schools.schemas import Body, Id

Role = Literal["core", "member", "trainee"]


class StudioBody(Body):
    name: str = Field(min_length=4, max_length=80)
    subject: Subject
    phase: Literal["primary", "junior"]
    school_id: Id = Field(description="Where it is at home: whoever administers that school sets it up")
    host_id: Id = Field(description="A teacher; holds the post studio_host of this studio from today on")
    about: str = Field(default="", max_length=2000)
    accepted_on: date | None = Field(default=None, strict=False, description="授牌")

    @field_validator("*", mode="before")
    @classmethod
    def _plain_text(cls, value: object, info: ValidationInfo) -> object:  # type: ignore[override]
        """As everywhere, but the introduction has lines."""
        if not isinstance(value, str):
            return value
        text = value.replace("\r\n", "\n")
        if any(ord(char) < 32 and not (char == "\n" and info.field_name == "about") for char in text):
            raise ValueError("control character")
        return text


class MemberBody(Body):
    person_id: Id
    role: Role = "member"
    joined_on: date = Field(strict=False)


class MemberEnd(Body):
    left_on: date = Field(strict=False, description="The first day without them")


class MemberKept(BaseModel):
    """One stay of one person; who comes again has a second one."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    person_id: str
    name: str
    role: str
    joined_on: date
    left_on: date | None
