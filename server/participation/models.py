"""The ledger: append-only facts, each id once. Database triggers refuse UPDATE and DELETE."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class FactRow(Base):
    __tablename__ = "facts"
    __table_args__ = (Index("ix_facts_lesson", "lesson_id", "kind"), Index("ix_facts_received", "received_at"))

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    lesson_id: Mapped[str] = mapped_column(String(24))
    """Not a foreign key: a fact is kept even when the lesson it names is unknown (and shown as such)."""
    epoch: Mapped[int]
    room_id: Mapped[str | None] = mapped_column(String(24))
    person_id: Mapped[str | None] = mapped_column(String(24))
    room_ms: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    v: Mapped[int]


class Attendance(Base):
    """One receipt as computed from the ledger; recomputed whenever facts of its lesson arrive. Disposable."""

    __tablename__ = "attendance"
    __table_args__ = (UniqueConstraint("lesson_id", "room_id"), Index("ix_attendance_reason", "reason", "computed_at"))

    id: Mapped[str] = mapped_column(String(56), primary_key=True)
    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id"), index=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"), index=True)
    planned_ms: Mapped[int]
    delivered_ms: Mapped[int]
    """Open time of the lead lesson within its plan."""
    online_ms: Mapped[int]
    """Union of connected intervals inside the plan."""
    heard_ms: Mapped[int]
    """Union of heard intervals inside the plan."""
    heard: Mapped[list[list[int]]] = mapped_column(JSON)
    """[[from, to], ...] Unix ms: the evidence."""
    online: Mapped[list[list[int]]] = mapped_column(JSON)
    signed_in_at: Mapped[datetime | None]
    made_good_at: Mapped[datetime | None]
    """补签: when the school answered for a missing sign-in."""
    expected: Mapped[int | None]
    present: Mapped[int | None]
    hands: Mapped[int]
    effective: Mapped[bool]
    reason: Mapped[str | None] = mapped_column(String(24))
    """Why not effective: "not_held", "short", "unsigned", "absent"; None when effective."""
    fact_count: Mapped[int]
    computed_at: Mapped[datetime]


class LedgerMark(Base):
    """A lesson whose facts or plan changed since its attendance was computed; taken away by the computing job."""

    __tablename__ = "ledger_marks"

    lesson_id: Mapped[str] = mapped_column(String(24), primary_key=True)
    """Not a foreign key: facts of unknown lessons mark too, and the mark is dropped."""
    marked_at: Mapped[datetime]
