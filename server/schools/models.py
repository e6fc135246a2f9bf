"""City -> districts -> schools -> rooms and classes; devices bound to rooms; pairings."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.database import Base


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
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    code: Mapped[str] = mapped_column(String(10), unique=True)
    """学校标识码 AABBCCCCCC (教育部 2010): 21… primary, 31… junior; BB = 12 for Tianjin. No check digit."""
    name: Mapped[str] = mapped_column(String(80))
    short_name: Mapped[str] = mapped_column(String(24))
    phase: Mapped[str] = mapped_column(String(10))
    located_in: Mapped[str] = mapped_column(ForeignKey("districts.id"), index=True)
    supervised_by: Mapped[str | None] = mapped_column(ForeignKey("districts.id"), index=True)
    """District accountable for it; None: 市直属 (the city itself), wherever it stands."""
    key_school: Mapped[bool] = mapped_column(default=False)
    """优质校 that leads others."""
    weak: Mapped[bool] = mapped_column(default=False)
    """相对薄弱学校 (policy 1 二(三))."""
    phone: Mapped[str | None] = mapped_column(String(32))
    closed_on: Mapped[date | None]
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    settlement: Mapped[list[SettlementCode]] = relationship(lazy="selectin", order_by="SettlementCode.starts_on")
    enrolment: Mapped[list[Enrolment]] = relationship(lazy="selectin", order_by="Enrolment.school_year")


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


class Room(Base):
    """A room with a camera and a screen. ``kind``: lead | receiving."""

    __tablename__ = "rooms"
    __table_args__ = (UniqueConstraint("school_id", "name"),)

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    name: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))
    pupils: Mapped[int]
    """Roll of the class that uses it: the expected headcount."""

    school: Mapped[School] = relationship(lazy="joined")


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
