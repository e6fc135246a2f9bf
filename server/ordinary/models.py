"""Weekly hours of a school's ordinary timetable. They make no dated lessons: nobody joins, counts or reports them."""

from __future__ import annotations

from datetime import time

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.accounts.models import Person
from server.database import Base
from server.schools.models import Room, School, SchoolClass


class OrdinarySlot(Base):
    """Who of one school is busy in which hour of the week; a class, a teacher or a room, or more of them together."""

    __tablename__ = "ordinary_slots"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
        CheckConstraint("class_id IS NOT NULL OR teacher_id IS NOT NULL OR room_id IS NOT NULL", name="something"),
        Index("ix_ordinary_slots_school", "school_id", "term", "weekday", "period"),
        # Whoever asks what is taken comes by these three, and by no weekday: make-up days run another's.
        Index("ix_ordinary_slots_class", "class_id", "term"),
        Index("ix_ordinary_slots_teacher", "teacher_id", "term"),
        Index("ix_ordinary_slots_room", "room_id", "term"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    term: Mapped[str] = mapped_column(String(12))
    """ "2026-1" """
    weekday: Mapped[int]
    """1 = Monday"""
    period: Mapped[int]
    """节次"""
    starts: Mapped[time]
    minutes: Mapped[int]
    weeks: Mapped[str] = mapped_column(String(4), default="all", server_default="all")
    """all 每周 | odd 单周 | even 双周"""
    follows_bell: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether ``starts`` and ``minutes`` follow the school's bell of the season for this 节次."""
    subject: Mapped[str] = mapped_column(String(32))
    """Key of ``schemas.SUBJECTS``."""
    class_id: Mapped[str | None] = mapped_column(ForeignKey("school_classes.id"))
    teacher_id: Mapped[str | None] = mapped_column(ForeignKey("people.id"))
    room_id: Mapped[str | None] = mapped_column(ForeignKey("rooms.id"))

    school: Mapped[School] = relationship(lazy="raise")
    school_class: Mapped[SchoolClass | None] = relationship(lazy="raise")
    teacher: Mapped[Person | None] = relationship(lazy="raise")
    room: Mapped[Room | None] = relationship(lazy="raise")
