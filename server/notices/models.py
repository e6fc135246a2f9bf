"""A notice to one person. What it says is a text key and its words, so that everybody reads it in their language."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class Notice(Base):
    __tablename__ = "notices"
    __table_args__ = (Index("ix_notices_person", "person_id", "read_at", "at"),)

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    key: Mapped[str] = mapped_column(String(40))
    """notices.text.<key>"""
    words: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What fills the sentence's braces; "…_at" are moments (ISO 8601), "…_key" are text keys."""
    href: Mapped[str] = mapped_column(String(120))
    lesson_id: Mapped[str | None] = mapped_column(ForeignKey("lessons.id"), index=True)
    urgent: Mapped[bool] = mapped_column(default=False)
    """The lesson begins within a day: it goes out by the ways that are for such notices only."""
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class NoticeBell(Base):
    """A bell before which somebody must have read a notice: of each lesson it tells of, its old and its new one, for a
    class gathers at the old one in vain."""

    __tablename__ = "notice_bells"
    __table_args__ = (Index("ix_notice_bells_at", "at"),)

    notice_id: Mapped[str] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"), primary_key=True)
    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id"), primary_key=True, index=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
