"""Channels of a school, a district or the city, and what waits for them or went out through them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class Channel(Base):
    """Where notices or events go. Of one school, of one district, or (neither) of the city."""

    __tablename__ = "channels"
    __table_args__ = (CheckConstraint("kind IN ('wecom', 'dingtalk', 'sms', 'webhook')", name="kind"),)

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(40))
    school_id: Mapped[str | None] = mapped_column(ForeignKey("schools.id"), index=True)
    district_id: Mapped[str | None] = mapped_column(ForeignKey("districts.id"), index=True)
    endpoint: Mapped[str] = mapped_column(String(1000))
    """The whole address: a robot's holds its key. Sealed (``vault.py``); never shown again, never told to the log."""
    secret: Mapped[str] = mapped_column(String(400))
    """What requests are signed with, sealed too; a robot of 企业微信 has none."""
    events: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Of a webhook: which; empty: all."""
    only_urgent: Mapped[bool] = mapped_column(default=False)
    """Only notices of lessons that begin within a day: short messages cost money."""
    created_at: Mapped[datetime]
    created_by: Mapped[str | None] = mapped_column(String(24))
    failing_since: Mapped[datetime | None]
    """Since when nothing has arrived."""
    last_at: Mapped[datetime | None]
    last_problem: Mapped[str | None] = mapped_column(String(24))
    """outbox.problem.<key> of the last attempt; None: it arrived."""
    off_at: Mapped[datetime | None]
    off_why: Mapped[str | None] = mapped_column(String(8))
    """hand | failing"""
    removed_at: Mapped[datetime | None]


class Delivery(Base):
    """One message to one channel. ``subject`` says of what: no channel hears of the same thing twice."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("channel_id", "subject"),
        CheckConstraint("state IN ('waiting', 'sent', 'failed', 'dropped')", name="state"),
        Index("ix_deliveries_due", "state", "due_at"),
        Index("ix_deliveries_channel", "channel_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    channel_id: Mapped[str] = mapped_column(ForeignKey("channels.id"))
    subject: Mapped[str] = mapped_column(String(24))
    event: Mapped[str] = mapped_column(String(40))
    """notice.<key> | lesson.<key> | timetable.published | test"""
    person_id: Mapped[str | None] = mapped_column(ForeignKey("people.id"))
    """To whose telephone."""
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    """A notice's key, words and href; an event's payload."""
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    """The next attempt."""
    attempts: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str | None] = mapped_column(String(24))
    status: Mapped[int | None]
    """What the other side answered: an HTTP status, or a robot's errcode."""
    done_at: Mapped[datetime | None]
