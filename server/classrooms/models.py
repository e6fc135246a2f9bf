"""A synchronous classroom (同步课堂): a subject taught for a term from one lead room to one, two or three others."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.accounts.models import Person
from server.database import Base
from server.schools.models import Room, SchoolClass


class Classroom(Base):
    __tablename__ = "classrooms"
    __table_args__ = (
        CheckConstraint("grade BETWEEN 1 AND 9", name="grade"),
        Index("ix_classrooms_lead_room", "lead_room_id"),
        Index("ix_classrooms_lead_teacher", "lead_teacher_id"),
        Index("ix_classrooms_term", "term", "name"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(32))
    """Stable key of ours ("music", "english"…), shown through the locale."""
    grade: Mapped[int]
    lead_room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"))
    lead_teacher_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    lead_class_id: Mapped[str | None] = mapped_column(ForeignKey("school_classes.id"), index=True)
    """本班: the class that sits in the lead room; None: not said."""
    term: Mapped[str] = mapped_column(String(12))
    """ "2026-1": first term of school year 2026."""
    form: Mapped[str] = mapped_column(String(10), default="delivery", server_default="delivery")
    """课堂类型 of the lessons that its timetable makes: delivery 专递 | master 名师 | open 名校网络"""
    accepted_on: Mapped[date | None]
    """验收: counts towards the 30 of policy 1."""
    archived_at: Mapped[datetime | None]
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    lead_room: Mapped[Room] = relationship(lazy="joined")
    lead_teacher: Mapped[Person] = relationship(lazy="joined")
    lead_class: Mapped[SchoolClass | None] = relationship(lazy="selectin")
    receivers: Mapped[list[Receiver]] = relationship(lazy="selectin", order_by="Receiver.position")


class Receiver(Base):
    """One receiving room of a classroom, with the assistant teacher who stands in it."""

    __tablename__ = "receivers"
    __table_args__ = (
        UniqueConstraint("classroom_id", "room_id"),
        CheckConstraint("position BETWEEN 1 AND 8", name="position"),
        Index("ix_receivers_assistant", "assistant_id"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    classroom_id: Mapped[str] = mapped_column(ForeignKey("classrooms.id"))
    position: Mapped[int]
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"), index=True)
    assistant_id: Mapped[str | None] = mapped_column(ForeignKey("people.id"))
    class_id: Mapped[str | None] = mapped_column(ForeignKey("school_classes.id"))
    """Which class sits there; None: not said, and 应到 is the room's."""

    room: Mapped[Room] = relationship(lazy="joined")
    assistant: Mapped[Person | None] = relationship(lazy="joined")
    school_class: Mapped[SchoolClass | None] = relationship(lazy="joined")

    @property
    def expected(self) -> int:
        """应到: of the class, else of the room."""
        return self.school_class.pupils if self.school_class else self.room.pupils
