"""The secret address of a calendar. Only the SHA-256 is kept; a new address makes the old one stop."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class Feed(Base):
    __tablename__ = "feeds"
    __table_args__ = (CheckConstraint("(person_id IS NULL) <> (room_id IS NULL)", name="owner"),)

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[str | None] = mapped_column(ForeignKey("people.id"), index=True)
    room_id: Mapped[str | None] = mapped_column(ForeignKey("rooms.id"), index=True)
    created_by: Mapped[str | None] = mapped_column(String(24))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
