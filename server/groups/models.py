"""A group of schools, and who belonged to it from when to when. Districts do not bound it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.database import Base
from server.schools.models import School


class Group(Base):
    """``kind``: education_group 教育集团 | area 学区 | community 区域发展共同体 | direct 直属帮扶."""

    __tablename__ = "school_groups"
    __table_args__ = (
        CheckConstraint("kind IN ('education_group', 'area', 'community', 'direct')", name="kind"),
        CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name="dates"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    district_id: Mapped[str | None] = mapped_column(ForeignKey("districts.id"), index=True)
    """The district that keeps it; None: the city's."""
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    """Exclusive, as in all of the register but posts."""
    about: Mapped[str] = mapped_column(String(400), default="")
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    members: Mapped[list[Membership]] = relationship(lazy="selectin", order_by="Membership.starts_on")


class Membership(Base):
    """One school in one group, half-open [starts_on, ends_on). ``role``: lead | member; the lead may change."""

    __tablename__ = "school_group_members"
    __table_args__ = (
        CheckConstraint("role IN ('lead', 'member')", name="role"),
        CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name="dates"),
        Index("ix_school_group_members_school", "school_id", "starts_on"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    group_id: Mapped[str] = mapped_column(ForeignKey("school_groups.id"), index=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    role: Mapped[str] = mapped_column(String(8))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]

    school: Mapped[School] = relationship(lazy="joined")
