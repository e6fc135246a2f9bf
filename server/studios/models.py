"""名师网络工作室: host, members, plan and activities."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.accounts.models import Person
from server.database import Base
from server.schools.models import School


class Studio(Base):
    __tablename__ = "studios"

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    subject: Mapped[str] = mapped_column(String(32))
    phase: Mapped[str] = mapped_column(String(10))
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    host_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    about: Mapped[str] = mapped_column(Text, default="")
    accepted_on: Mapped[date | None]
    """授牌: counts towards the 50 of policy 1."""
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    school: Mapped[School] = relationship(lazy="joined")
    host: Mapped[Person] = relationship(lazy="joined")
    members: Mapped[list[StudioMember]] = relationship(lazy="selectin", order_by="StudioMember.joined_on")


class StudioMember(Base):
    """One stay; who comes again has another row, so that a past year keeps its members."""

    __tablename__ = "studio_members"

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    studio_id: Mapped[str] = mapped_column(ForeignKey("studios.id"), index=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str] = mapped_column(String(12))
    """core | member | trainee"""
    joined_on: Mapped[date]
    left_on: Mapped[date | None]

    person: Mapped[Person] = relationship(lazy="joined")
