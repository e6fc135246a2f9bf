"""City -> districts -> schools -> rooms and classes; devices bound to rooms; pairings; declared gaps.

Rule: a row says what is so now; what was so before stands in ``pasts`` with the moment until which it held, so that a
report of a past month reads what was true in that month.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.database import Base
from server.ids import new_id


class District(Base):
    """``id`` is the GB/T 2260 code ("120113"). ``kind``: central, ring, far, special (policy 1 二(一)(二))."""

    __tablename__ = "districts"

    id: Mapped[str] = mapped_column(String(6), primary_key=True)
    name: Mapped[str] = mapped_column(String(32))
    name_en: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(8))


class School(Base):
    __tablename__ = "schools"
    __table_args__ = (
        CheckConstraint("length(code) = 10", name="code_length"),
        CheckConstraint("phase IN ('primary', 'junior', 'nine_year')", name="phase"),
        Index("ix_schools_supervised_by", "supervised_by", "code"),  # the order of every list of places and people
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    code: Mapped[str] = mapped_column(String(10), unique=True)
    """学校标识码 AABBCCCCCC (教育部 2010): 21… primary, 31… junior; BB = 12 for Tianjin. No check digit."""
    name: Mapped[str] = mapped_column(String(80))
    short_name: Mapped[str] = mapped_column(String(24))
    phase: Mapped[str] = mapped_column(String(10))
    located_in: Mapped[str] = mapped_column(ForeignKey("districts.id"), index=True)
    supervised_by: Mapped[str | None] = mapped_column(ForeignKey("districts.id"))
    """District accountable for it; None: 市直属 (the city itself), wherever it stands."""
    key_school: Mapped[bool] = mapped_column(default=False)
    """优质校 that leads others."""
    weak: Mapped[bool] = mapped_column(default=False)
    """相对薄弱学校 (policy 1 二(三))."""
    phone: Mapped[str | None] = mapped_column(String(32))
    opened_on: Mapped[date | None]
    """None: before anything here was written down."""
    closed_on: Mapped[date | None]
    """撤并: from this day on it is no school any more; its code is never given again."""
    merged_into: Mapped[str | None] = mapped_column(String(24))
    """The school that took it over (并入)."""
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    # Asked for by name (``store.WHOLE``): every room, lesson and person leads to a school, and few want its years.
    settlement: Mapped[list[SettlementCode]] = relationship(lazy="raise", order_by="SettlementCode.starts_on")
    enrolment: Mapped[list[Enrolment]] = relationship(lazy="raise", order_by="Enrolment.school_year")


class SettlementCode(Base):
    """城乡分类代码 (国函〔2008〕60号) with validity, half-open [starts_on, ends_on): 11x town, 12x 镇, 2xx village."""

    __tablename__ = "settlement_codes"
    __table_args__ = (UniqueConstraint("school_id", "starts_on"),)

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    code: Mapped[str] = mapped_column(String(3))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]


class Enrolment(Base):
    """Pupils of one phase of one school in one school year ("2026" = 2026-09 to 2027-08)."""

    __tablename__ = "enrolments"
    __table_args__ = (UniqueConstraint("school_id", "school_year", "phase"),)

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    school_year: Mapped[int]
    phase: Mapped[str] = mapped_column(String(10))
    """primary | junior"""
    pupils: Mapped[int]
    teachers: Mapped[int]


def _code() -> str:
    return "R" + new_id()[:9].upper()


class Room(Base):
    """A room with a camera and a screen. ``kind``: lead | receiving."""

    __tablename__ = "rooms"
    __table_args__ = (UniqueConstraint("school_id", "name"), Index("uq_rooms_code", "code", unique=True))

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    name: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))
    pupils: Mapped[int]
    """Roll of the class that uses it: the expected headcount."""
    code: Mapped[str] = mapped_column(String(24), default=_code)
    """What Excel files call it; ours where nobody gave one."""
    equipment: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Keys of ``schemas.EQUIPMENT``."""
    closed_on: Mapped[date | None]

    school: Mapped[School] = relationship(lazy="joined")

    @property
    def called(self) -> str:
        """As other schools call it."""
        return f"{self.school.short_name} {self.name}"


class Device(Base):
    """A kiosk PC bound to a room. ``code`` is shown on its screen until an administrator binds it (ten minutes)."""

    __tablename__ = "devices"

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    code_sha256: Mapped[str | None] = mapped_column(String(64), unique=True)
    code_expires_at: Mapped[datetime | None]
    room_id: Mapped[str | None] = mapped_column(ForeignKey("rooms.id"), index=True)
    bound_at: Mapped[datetime | None]
    bound_by: Mapped[str | None] = mapped_column(String(24))
    revoked_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Pairing(Base):
    """结对: ``lead_school`` helps ``village_school``, half-open [starts_on, ends_on)."""

    __tablename__ = "pairings"
    __table_args__ = (Index("ix_pairings_village", "village_school_id", "starts_on"),)

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    lead_school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    village_school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    kind: Mapped[str] = mapped_column(String(12))
    """one_to_one | one_to_many"""
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    agreement_name: Mapped[str | None] = mapped_column(String(120))
    """The signed paper as a PDF under ``agreements/<id>.pdf`` in the object store; None: not handed in."""
    agreement_sha256: Mapped[str | None] = mapped_column(String(64))


Consent = Literal["none", "withdrawn", "ended", "held"]


class SchoolClass(Base):
    """班级. It keeps its entry year for life (2024级1班); the grade follows from the day (``grades.grade_on``), so that
    nobody has to promote it and no past grade is lost."""

    __tablename__ = "school_classes"
    __table_args__ = (
        UniqueConstraint("school_id", "phase", "entry_year", "number"),
        CheckConstraint("phase IN ('primary', 'junior')", name="phase"),
        CheckConstraint("pupils BETWEEN 0 AND 120", name="pupils"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    phase: Mapped[str] = mapped_column(String(10))
    entry_year: Mapped[int]
    """School year in which it began grade 1 (primary) or 7 (junior)."""
    number: Mapped[int]
    """班号"""
    name: Mapped[str | None] = mapped_column(String(24))
    """Where the school calls it otherwise than by grade and number."""
    pupils: Mapped[int]
    """A headcount: the register names no pupil."""
    head_id: Mapped[str | None] = mapped_column(String(24))
    """班主任"""
    consent_on: Mapped[date | None]
    """Guardians' consent to recording was given that day; None: only the teacher's side is kept."""
    consent_by: Mapped[str | None] = mapped_column(String(40))
    """Who took it and keeps the signed papers."""
    consent_version: Mapped[str | None] = mapped_column(String(40))
    """Which version of the text they agreed to."""
    consent_channel: Mapped[str | None] = mapped_column(String(8))
    """paper | online | meeting"""
    consent_until: Mapped[date | None]
    """Its last day; None: as long as the class is there."""
    consent_withdrawn_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    demo: Mapped[bool] = mapped_column(default=False)

    school: Mapped[School] = relationship(lazy="joined")

    @property
    def called(self) -> str:
        """As the school calls it."""
        return class_called(self.name, self.entry_year, self.number)


def consent_now(row: SchoolClass, day: date) -> Consent:
    """What a class's consent is worth on a day."""
    if row.consent_on is None:
        return "none"
    if row.consent_withdrawn_on is not None and row.consent_withdrawn_on <= day:
        return "withdrawn"
    return "ended" if row.consent_until is not None and row.consent_until < day else "held"


def class_called(name: str | None, entry_year: int, number: int) -> str:
    """Also for who reads columns instead of classes."""
    return name or f"{entry_year}级{number}班"


class Gap(Base):
    """缺课需求: a subject that a grade of a school cannot be taught this term. The school's, paired or not.

    It stood on [declared_on, withdrawn_on); declared anew it is another row, so that past months keep what was open.
    """

    __tablename__ = "gaps"
    __table_args__ = (
        Index(
            "uq_gaps_open",
            "school_id",
            "term",
            "grade",
            "subject",
            unique=True,
            sqlite_where=text("withdrawn_on IS NULL"),
            postgresql_where=text("withdrawn_on IS NULL"),
        ),
        Index("ix_gaps_school", "school_id", "term"),
        CheckConstraint("grade BETWEEN 1 AND 9", name="grade"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    term: Mapped[str] = mapped_column(String(12))
    grade: Mapped[int]
    subject: Mapped[str] = mapped_column(String(32))
    weekly: Mapped[int] = mapped_column(default=1)
    """Lessons a week that are missing."""
    note: Mapped[str] = mapped_column(String(200), default="")
    declared_on: Mapped[date]
    declared_by: Mapped[str | None] = mapped_column(String(24))
    withdrawn_on: Mapped[date | None]
    """From this day on the school teaches it itself."""


class Past(Base):
    """What a row of the register said until a moment: written whenever something that counts in a report changes."""

    __tablename__ = "pasts"
    __table_args__ = (UniqueConstraint("kind", "row_id", "until"),)

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    """school | enrolment | room | class | person"""
    row_id: Mapped[str] = mapped_column(String(24))
    until: Mapped[datetime]
    """Exclusive; the city's midnight before the day on which the change took effect."""
    school_id: Mapped[str | None] = mapped_column(String(24))
    district_id: Mapped[str | None] = mapped_column(String(6))
    """Of a school: the accountable district it had (None: 市直属)."""
    open: Mapped[bool] = mapped_column(default=True)
    was: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Every changed column as it was."""
    changed_by: Mapped[str | None] = mapped_column(String(24))
    changed_at: Mapped[datetime]
