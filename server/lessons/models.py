"""Lessons (课次) with their receipts, changes, invitations, 补签, slide decks; where each runs (placement with epoch).

The database itself refuses a state that does not follow from the last one: ``guard.py`` and migration 0004.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    event,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.accounts.models import Person
from server.classrooms.models import Classroom
from server.database import Base
from server.ids import new_id
from server.lessons import guard
from server.schools.models import Room, SchoolClass

STATES = ("planned", "published", "waiting", "live", "closed", "registered", "archived", "cancelled", "disputed")


class Lesson(Base):
    """One dated lesson. Keeps its id through every change; [starts_at, ends_at) is the plan."""

    __tablename__ = "lessons"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="times"),
        CheckConstraint("kind IN ('formal', 'trial', 'drill')", name="kind"),
        CheckConstraint("state IN ('" + "', '".join(STATES) + "')", name="state"),
        Index("ix_lessons_starts", "starts_at"),
        Index("ix_lessons_lead_room", "lead_room_id", "starts_at"),
        Index("ix_lessons_teacher", "teacher_id", "starts_at"),
        Index("ix_lessons_lead_class", "lead_class_id", "starts_at"),
        Index("uq_lessons_start", "id", "starts_at", unique=True),  # what receipts refer to
        Index("ix_lessons_state", "state", "starts_at"),
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
    lead_room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"))
    teacher_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    lead_class_id: Mapped[str | None] = mapped_column(ForeignKey("school_classes.id"))
    """本班: the class that sits in the lead room; None: not said."""
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
    sequence: Mapped[int] = mapped_column(default=0, server_default="0")
    """Raised by every change of the plan: SEQUENCE of the calendar feeds (RFC 5545 3.8.7.4), and what a page saw."""
    changed_at: Mapped[datetime | None]
    origin: Mapped[str | None] = mapped_column(String(64), unique=True)
    """ "classroom/day/period" of the weekly slot that made it: publishing again makes no second one."""
    moved_from: Mapped[datetime | None]
    """调课: when it was to start before it was first moved."""
    repays_id: Mapped[str | None] = mapped_column(ForeignKey("lessons.id"), index=True)
    """补课: the cancelled lesson it repays. The two count once."""
    edition: Mapped[str | None] = mapped_column(String(40))
    """教材版本"""
    volume: Mapped[str | None] = mapped_column(String(20))
    """册"""
    unit: Mapped[str | None] = mapped_column(String(60))
    """单元"""
    part: Mapped[str | None] = mapped_column(String(60))
    """课时"""
    robots: Mapped[int] = mapped_column(default=0, server_default="0")
    """试讲 with so many robot classrooms. It takes no room and nobody's time, and has no receipts."""

    classroom: Mapped[Classroom | None] = relationship(lazy="raise")
    """For queries only: loading it would bring its rooms and people with every lesson."""
    lead_room: Mapped[Room] = relationship(lazy="joined")
    teacher: Mapped[Person] = relationship(lazy="joined")
    lead_class: Mapped[SchoolClass | None] = relationship(lazy="selectin")
    """Of a list's lessons all at once, and not asked for where none names one."""
    receipts: Mapped[list[Receipt]] = relationship(
        primaryjoin="Lesson.id == foreign(Receipt.lesson_id)", lazy="selectin", order_by="Receipt.position"
    )


class Receipt(Base):
    """A *receipt* = one (lesson, receiving room): what is planned for that room. Whether effective is computed."""

    __tablename__ = "receipts"
    __table_args__ = (
        UniqueConstraint("lesson_id", "room_id"),
        ForeignKeyConstraint(
            ["lesson_id", "starts_at"],
            ["lessons.id", "lessons.starts_at"],
            name="fk_receipts_lesson_start",
            onupdate="CASCADE",
        ),
        Index("ix_receipts_room", "room_id", "starts_at"),
        Index("ix_receipts_assistant", "assistant_id", "starts_at"),
        Index("ix_receipts_class", "class_id", "starts_at"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    lesson_id: Mapped[str] = mapped_column(String(24))
    starts_at: Mapped[datetime]
    """The lesson's, kept the same by the database: a room's week is found by index, however many terms there were."""
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"))
    position: Mapped[int]
    assistant_id: Mapped[str | None] = mapped_column(ForeignKey("people.id"))
    class_id: Mapped[str | None] = mapped_column(ForeignKey("school_classes.id"))
    """Which class sits there; None: not said."""
    expected: Mapped[int]

    room: Mapped[Room] = relationship(lazy="joined")
    assistant: Mapped[Person | None] = relationship(lazy="joined")
    school_class: Mapped[SchoolClass | None] = relationship(lazy="joined")


def receipts_of(lesson: Lesson, places: Iterable[tuple[Room, str | None, SchoolClass | None]]) -> list[Receipt]:
    """A new lesson's receipts: each receiving room with its assistant's id and the class that sits there, in order.
    应到 is the class's, else the room's."""
    return [
        Receipt(
            id=new_id(),
            lesson_id=lesson.id,
            starts_at=lesson.starts_at,
            room_id=room.id,
            position=position,
            assistant_id=assistant,
            class_id=held.id if held else None,
            expected=held.pupils if held else room.pupils,
        )
        for position, (room, assistant, held) in enumerate(places, 1)
    ]


for dialect, statements in guard.STATEMENTS.items():
    for statement in statements:
        event.listen(Lesson.__table__, "after_create", guard.ddl(statement, dialect))


class LessonChange(Base):
    """Who changed a lesson's plan, how and why. ``batch``: what was done in one go is undone in one go."""

    __tablename__ = "lesson_changes"
    __table_args__ = (Index("ix_lesson_changes_lesson", "lesson_id", "at"), Index("ix_lesson_changes_batch", "batch"))

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    batch: Mapped[str] = mapped_column(String(24))
    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id"))
    kind: Mapped[str] = mapped_column(String(12))
    """publish | move | cancel | repay | teacher | assistant | room | about | dispute | settle | code | code_used |
    code_revoked; renew | restore: it followed its timetable"""
    at: Mapped[datetime]
    by: Mapped[str | None] = mapped_column(String(24))
    """None: one of our own jobs."""
    by_name: Mapped[str] = mapped_column(String(64), default="")
    reason: Mapped[str | None] = mapped_column(String(24))
    note: Mapped[str] = mapped_column(String(200), default="")
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    after: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Only what changed; ``before`` is what an undo puts back."""
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None] = mapped_column(String(24))


class LessonCode(Base):
    """上课码: opens one lesson's teaching page, once, for a teacher who cannot sign in. Only a keyed digest is kept."""

    __tablename__ = "lesson_codes"

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id"), index=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    """The lesson's teacher when it was given; another teacher needs another code."""
    code_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    issued_at: Mapped[datetime]
    issued_by: Mapped[str | None] = mapped_column(String(24))
    opened_at: Mapped[datetime | None]
    """Spent: it lets one computer in, and no second one."""
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(String(24))


class Invitation(Base):
    """受邀确认: a receiving school is asked for a classroom's timetable, or for one lesson that was added or moved."""

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint("answer IN ('pending', 'confirmed', 'objected', 'void')", name="answer"),
        Index("ix_invitations_school", "school_id", "answer"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    classroom_id: Mapped[str | None] = mapped_column(ForeignKey("classrooms.id"), index=True)
    lesson_id: Mapped[str | None] = mapped_column(ForeignKey("lessons.id"), index=True)
    """None: the classroom's whole timetable."""
    asked_at: Mapped[datetime]
    asked_by: Mapped[str | None] = mapped_column(String(24))
    due_on: Mapped[date]
    """Last school day to answer on; silence after it goes to the district."""
    answer: Mapped[str] = mapped_column(String(10), default="pending")
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None] = mapped_column(String(24))
    objection: Mapped[str] = mapped_column(String(200), default="")
    escalated_at: Mapped[datetime | None]


class Mend(Base):
    """补签: somebody says who was with a class though nobody signed in; the receiving school says whether it was so."""

    __tablename__ = "sign_in_mends"
    __table_args__ = (CheckConstraint("answer IN ('pending', 'approved', 'refused')", name="answer"),)

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id"), index=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    """Who was with the class."""
    reason: Mapped[str] = mapped_column(String(12))
    """texts are lessons.mend.reason.<key>"""
    note: Mapped[str] = mapped_column(String(200), default="")
    asked_at: Mapped[datetime]
    asked_by: Mapped[str] = mapped_column(ForeignKey("people.id"))
    answer: Mapped[str] = mapped_column(String(10), default="pending")
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None] = mapped_column(ForeignKey("people.id"))
    why: Mapped[str] = mapped_column(String(200), default="")
    """Why it was refused."""


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
    draining: Mapped[bool] = mapped_column(default=False)
    """About to stop: no room is put there."""


class Placement(Base):
    """A room lives on exactly one node; a new placement raises the epoch."""

    __tablename__ = "placements"

    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id"), primary_key=True)
    epoch: Mapped[int]
    node_id: Mapped[str] = mapped_column(ForeignKey("nodes.id"))
    placed_at: Mapped[datetime]
