"""Roll-ups: what reports read. Smaller scopes sum into larger ones; a crashed run is undone and redone (fill state)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class RollUp(Base):
    """One indicator of one part of the city in one period.
    value = numerator / denominator; nothing below the line: "—".
    """

    __tablename__ = "roll_ups"
    __table_args__ = (
        UniqueConstraint("code", "period", "level", "part"),
        Index("ix_roll_ups_part", "level", "part", "period"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    code: Mapped[str] = mapped_column(String(4))
    period: Mapped[str] = mapped_column(String(10))
    """ "2026-11" """
    level: Mapped[str] = mapped_column(String(10))
    """room | school (as receiver) | lead (school as leader) | district | city"""
    part: Mapped[str] = mapped_column(String(24))
    numerator: Mapped[float]
    denominator: Mapped[float]
    computed_at: Mapped[datetime]


class FillState(Base):
    """Which period was computed up to which ledger moment."""

    __tablename__ = "fill_states"

    period: Mapped[str] = mapped_column(String(10), primary_key=True)
    state: Mapped[str] = mapped_column(String(8))
    """stale (inputs changed) | started (a run that did not say done is undone and redone) | done"""
    facts_until: Mapped[datetime | None]
    computed_at: Mapped[datetime | None]
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of everything the figures were computed from: the same inputs, the same roll-ups."""
    fact_count: Mapped[int] = mapped_column(default=0)
