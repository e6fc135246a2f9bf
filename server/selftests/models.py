"""Self tests of bound screens: one row a test, kept as history until ``service.KEPT`` has passed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class SelfTest(Base):
    """What a screen found out about itself. NULL: that was not tested this time."""

    __tablename__ = "self_tests"
    __table_args__ = (
        CheckConstraint("kind IN ('loud', 'silent')", name="kind"),
        Index("ix_self_tests_room", "room_id", "at"),
        Index("ix_self_tests_school", "school_id", "at"),
        Index("ix_self_tests_at", "at"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"), index=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"))
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    """The room's then: a line belongs to the school."""
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(6))
    """loud: camera, microphone, loudspeaker too | silent: a lesson may be running there"""
    lesson_id: Mapped[str | None] = mapped_column(String(24))
    """The lesson it was made for."""
    camera: Mapped[str | None] = mapped_column(String(8))
    microphone: Mapped[str | None] = mapped_column(String(8))
    loudspeaker: Mapped[str | None] = mapped_column(String(8))
    path: Mapped[str | None] = mapped_column(String(12))
    rtt_ms: Mapped[int | None]
    up_kbps: Mapped[int | None]
    down_kbps: Mapped[int | None]
    clock_ms: Mapped[int | None]
    """How far its clock goes ahead of ours."""
    disk_mb: Mapped[int | None]
    chromium: Mapped[int | None]
    """Major version; NULL: another browser."""
    lacks: Mapped[list[str]] = mapped_column(JSON, default=list)
    light: Mapped[str] = mapped_column(String(6))
    """As it was judged then, with all that was known that day."""
    cause: Mapped[str] = mapped_column(String(16))
    demo: Mapped[bool] = mapped_column(default=False)
