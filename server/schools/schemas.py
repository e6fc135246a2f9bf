"""What school routes and forms take and give. Bounded and strict; forms read them in lax mode (``server.forms``)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

Phase = Literal["primary", "junior", "nine_year"]
Settlement = Literal["town", "township", "village", "unknown"]
SettlementCodeText = Literal["111", "112", "121", "122", "123", "210", "220"]
Id = Annotated[str, Field(pattern=r"^[a-z0-9]{1,24}$")]
DistrictId = Annotated[str, Field(pattern=r"^12\d{4}$")]
# As offices write them: digits, +, -, brackets, blanks.
Telephone = Annotated[str, Field(pattern=r"^[0-9+() -]{5,32}$")]


class Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", str_strip_whitespace=True)

    @field_validator("*", mode="before")
    @classmethod
    def _plain_text(cls, value: object) -> object:
        """PostgreSQL cannot hold U+0000 in a text; nor should a name hold any control character."""
        if isinstance(value, str) and any(ord(char) < 32 for char in value):
            raise ValueError("control character")
        return value


class SchoolBody(Body):
    code: str = Field(pattern=r"^\d{10}$", description="学校标识码 AABBCCCCCC (教育部 2010)")
    name: str = Field(min_length=2, max_length=80)
    short_name: str = Field(min_length=2, max_length=24)
    phase: Phase
    located_in: DistrictId
    supervised_by: DistrictId | None = Field(default=None, description="None: the city's own school (市直属)")
    key_school: bool = False
    weak: bool = False
    phone: Telephone | None = None


class SchoolEdit(SchoolBody):
    effective_on: date | None = Field(
        default=None, strict=False, description="The change holds from this day on; past months keep what they had."
    )


class CloseBody(Body):
    closes_on: date | None = Field(default=None, strict=False)
    merged_into: Id | None = Field(default=None, description="The school that takes it over (并入)")


class SettlementBody(Body):
    code: SettlementCodeText = Field(description="城乡分类代码 (国函〔2008〕60号)")
    starts_on: date = Field(strict=False)


class SettlementSeen(BaseModel):
    """A code that holds on [starts_on, ends_on); without an end it is the present one."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    code: str
    starts_on: date
    ends_on: date | None


class EnrolmentSeen(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    school_year: int
    phase: str
    pupils: int
    teachers: int


class EnrolmentBody(Body):
    school_year: int = Field(ge=2000, le=2100)
    phase: Literal["primary", "junior"]
    pupils: int = Field(ge=0, le=20_000)
    teachers: int = Field(ge=0, le=2_000)


Equipment = Literal[
    "camera_teacher",
    "camera_pupils",
    "microphone",
    "loudspeaker",
    "screen",
    "second_screen",
    "document_camera",
    "board",
    "recorder",
    "backup_power",
]
EQUIPMENT: tuple[Equipment, ...] = get_args(Equipment)
RoomCode = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9-]{1,23}$")]


class RoomBody(Body):
    name: str = Field(min_length=1, max_length=40)
    kind: Literal["lead", "receiving"]
    pupils: int = Field(ge=0, le=120)
    code: RoomCode | None = Field(
        default=None, description="The room's number in files; one is made when none is given"
    )
    equipment: list[Equipment] = Field(default_factory=list, max_length=len(EQUIPMENT))


class PairingBody(Body):
    lead_school: Id
    village_school: Id
    kind: Literal["one_to_one", "one_to_many"] = "one_to_many"
    starts_on: date = Field(strict=False)


class EndBody(Body):
    ends_on: date = Field(strict=False)


class DistrictSeen(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    name_en: str
    kind: str


class SchoolSeen(BaseModel):
    id: str
    code: str
    name: str
    short_name: str
    phase: Phase
    located_in: str
    supervised_by: str | None
    key_school: bool
    weak: bool
    phone: str | None
    settlement: Settlement
    pupils: int
    closed_on: date | None
    demo: bool


class SchoolsSeen(BaseModel):
    items: list[SchoolSeen]
    count: int
    page: int
    pages: int


class RoomSeen(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    school_id: str
    code: str
    name: str
    kind: str
    pupils: int
    equipment: list[str]
    closed_on: date | None


class RoomsSeen(BaseModel):
    items: list[RoomSeen]
    count: int
    page: int
    pages: int


class PastSeen(BaseModel):
    """What a row said until a day (exclusive)."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    row_id: str
    until: datetime
    was: dict[str, str | int | bool | list[str] | None]


class PairingSeen(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    lead_school_id: str
    village_school_id: str
    kind: str
    starts_on: date
    ends_on: date | None
    agreement_name: str | None
    """Of the signed paper, where it was handed in."""
    agreement_sha256: str | None


class PairingsSeen(BaseModel):
    items: list[PairingSeen]
    count: int
    page: int
    pages: int


class DeviceSeen(BaseModel):
    """A bound kiosk as its school sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    room_id: str | None
    bound_at: datetime | None
    seen_at: datetime | None
