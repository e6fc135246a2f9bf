"""Lessons (课次) with their receipts, slide decks, and where each runs (placement with epoch)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.accounts.models import Person
from server.classrooms.models import Classroom
from server.database import Base
from server.schools.models import Room

STATES = ("planned", "published", "waiting", "live", "closed", "registered", "archived", "cancelled", "disputed")


class Lesson(Base):
    """One dated lesson. Keeps its id through every change; [starts_at, ends_at) is the plan."""

    __tablename__ = "lessons"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="times"),
        CheckConstraint("kind IN ('formal', 'trial', 'drill')", name="kind"),
        CheckConstraint("state IN ('" + "', '".join(STATES) + "')", name="state"),
        Index("ix_lessons_starts", "starts_at"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    classroom_id: Mapped[str | None] = mapped_column(ForeignKey("classrooms.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    subject: Mapped[str] = mapped_column(String(32))
    grade: Mapped[int]
    kind: Mapped[str] = mapped_column(String(8), default="formal")
    """正式 counts; 试讲 and 演练 never do."""
    form: Mapped[str] = mapped_column(String(10), default="delivery")
    """课堂类型: delivery 专递 | master 名师 | open 名校网络"""
    state: Mapped[str] = mapped_column(String(12), default="published")
    lead_room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"), index=True)
    teacher_id: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None] = mapped_column(String(24))
    cancelled_by: Mapped[str | None] = mapped_column(String(24))
    created_by: Mapped[str | None] = mapped_column(String(24))
    created_at: Mapped[datetime]
    demo: Mapped[bool] = mapped_column(default=False)

    classroom: Mapped[Classroom | None] = relationship(lazy="joined")
    lead_room: Mapped[Room] = relationship(lazy="joined")
    teacher: Mapped[Person] = relationship(lazy="joined")
    receipts: Mapped[list[Receipt]] = relationship(lazy="selectin", order_by="Receipt.position")


class Receipt(Base):
    """A *receipt* = one (lesson, receiving room): what is planned for that room. Whether effective is computed."""

    __tablename__ = "receipts"
    __table_args__ = (UniqueConstraint("lesson_id", "room_id"),)

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id"))
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"), index=True)
    position: Mapped[int]
    assistant_id: Mapped[str | None] = mapped_column(ForeignKey("people.id"))
    expected: Mapped[int]

    room: Mapped[Room] = relationship(lazy="joined")
    assistant: Mapped[Person | None] = relationship(lazy="joined")


class Deck(Base):
    """An uploaded PDF as page images. ``state``: rendering | ready | refused (with ``error``, a text key)."""

    __tablename__ = "decks"

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    pages: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(10))
    error: Mapped[str | None] = mapped_column(String(40))
    uploaded_by: Mapped[str] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime]


class Node(Base):
    """A node as its heartbeats describe it."""

    __tablename__ = "nodes"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    public_url: Mapped[str] = mapped_column(String(200))
    control_url: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    load: Mapped[float]
    rooms: Mapped[int]
    engine: Mapped[str] = mapped_column(String(16))
    # a disk holds more bytes than 32 bits count
    spool_bytes: Mapped[int] = mapped_column(BigInteger)
    disk_free_bytes: Mapped[int] = mapped_column(BigInteger)


class Placement(Base):
    """A room lives on exactly one node; a new placement raises the epoch."""

    __tablename__ = "placements"

    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id"), primary_key=True)
    epoch: Mapped[int]
    node_id: Mapped[str] = mapped_column(ForeignKey("nodes.id"))
    placed_at: Mapped[datetime]
