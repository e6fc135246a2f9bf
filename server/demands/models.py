"""Needs that schools post, and the slots that others offer for them."""

from __future__ import annotations

from datetime import datetime, time

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.accounts.models import Person
from server.database import Base
from server.demands.lifecycle import STATES
from server.schools.models import Room, School

_STATES = "', '".join(STATES)


class Demand(Base):
    """四年级音乐, 周三下午: what one receiving room wants of somebody else for a term."""

    __tablename__ = "demands"
    __table_args__ = (
        CheckConstraint(f"state IN ('{_STATES}')", name="state"),
        CheckConstraint("grade BETWEEN 1 AND 9", name="grade"),
        Index("ix_demands_state", "state", "posted_at"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"))
    gap_id: Mapped[str | None] = mapped_column(ForeignKey("gaps.id"), index=True)
    """The declared gap it came from."""
    term: Mapped[str] = mapped_column(String(12))
    grade: Mapped[int]
    subject: Mapped[str] = mapped_column(String(32))
    weekday: Mapped[int | None]
    """None: any."""
    half: Mapped[str] = mapped_column(String(2), default="")
    """am | pm | "": any"""
    note: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(10), default="open")
    posted_at: Mapped[datetime]
    posted_by: Mapped[str | None] = mapped_column(String(24))
    ended_at: Mapped[datetime | None]
    classroom_id: Mapped[str | None] = mapped_column(ForeignKey("classrooms.id"))
    """What became of it."""

    school: Mapped[School] = relationship(lazy="joined")
    room: Mapped[Room] = relationship(lazy="joined")
    offers: Mapped[list[Offer]] = relationship(lazy="selectin", order_by="Offer.offered_at")


class Offer(Base):
    """A lead room, its teacher and a weekly time, offered for one demand."""

    __tablename__ = "offers"
    __table_args__ = (
        CheckConstraint("state IN ('standing', 'accepted', 'passed', 'withdrawn')", name="state"),
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    demand_id: Mapped[str] = mapped_column(ForeignKey("demands.id"), index=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    studio_id: Mapped[str | None] = mapped_column(ForeignKey("studios.id"))
    lead_room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"))
    teacher_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    weekday: Mapped[int]
    period: Mapped[int]
    """节次 at the lead school"""
    starts: Mapped[time]
    minutes: Mapped[int]
    note: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(10), default="standing")
    offered_at: Mapped[datetime]
    offered_by: Mapped[str | None] = mapped_column(String(24))
    ended_at: Mapped[datetime | None]

    school: Mapped[School] = relationship(lazy="joined")
    lead_room: Mapped[Room] = relationship(lazy="joined")
    teacher: Mapped[Person] = relationship(lazy="joined")
