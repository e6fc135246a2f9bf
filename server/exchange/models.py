"""An uploaded workbook on its way: checked row by row, shown, then written in one transaction or not at all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base

STATES = ("waiting", "checking", "wrong", "ready", "accepted", "writing", "done", "dropped", "failed")


class Upload(Base):
    """waiting -> checking -> wrong | ready -> accepted -> writing -> done; dropped by its owner; failed: our bug."""

    __tablename__ = "uploads"
    __table_args__ = (
        CheckConstraint("state IN ('" + "', '".join(STATES) + "')", name="state"),
        Index("ix_uploads_person", "person_id", "created_at"),
        Index("ix_uploads_state", "state"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    """schools | rooms | classes | people | pairings | …: a sheet of ``sheets.SHEETS``"""
    state: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(120))
    """The file's own name, for its owner to know it by."""
    sha256: Mapped[str] = mapped_column(String(64))
    """The workbook lies under ``uploads/<id>.xlsx`` in the object store until it is done or dropped."""
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    rows: Mapped[int] = mapped_column(default=0)
    at_row: Mapped[int] = mapped_column(default=0)
    """Progress within the present state."""
    new: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    same: Mapped[int] = mapped_column(default=0)
    wrong: Mapped[int] = mapped_column(default=0)
    problems: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """The first of them: {"row", "column", "value", "key", "params"}; their sentences stand in the locale."""
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
