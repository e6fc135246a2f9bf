"""Entries, written in the same transaction as what they tell of; seals, by which one worker chains them.

Both tables refuse UPDATE and DELETE by triggers. ``audit_waiting`` names the entries that are not sealed yet: a queue,
so that the sealer never has to look through years of entries, and never misses one that was committed late.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class AuditEntry(Base):
    """Who did what to which row. ``act``: create | change | delete | view | export | import | sign_in | refuse."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_at", "at"),
        Index("ix_audit_entries_row", "kind", "row_id"),
        Index("ix_audit_entries_school", "school_id", "at"),
        Index("ix_audit_entries_district", "district_id", "at"),
        Index("ix_audit_entries_person", "person_id", "at"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    at: Mapped[datetime]
    person_id: Mapped[str | None] = mapped_column(String(24))
    """None: a device, or one of our own jobs. No foreign keys here: the log outlives what it tells of."""
    device_id: Mapped[str | None] = mapped_column(String(24))
    address: Mapped[str | None] = mapped_column(String(45))
    act: Mapped[str] = mapped_column(String(12))
    kind: Mapped[str] = mapped_column(String(40))
    """Name of the table, or of what was looked at ("pupils")."""
    row_id: Mapped[str | None] = mapped_column(String(80))
    school_id: Mapped[str | None] = mapped_column(String(24))
    district_id: Mapped[str | None] = mapped_column(String(6))
    """The part of the city it concerns: who administers that part may read the entry."""
    told: Mapped[dict[str, Any]] = mapped_column(JSON)
    """A change: {column: [before, after]}. Passwords and keys stand here as "…"."""


class AuditSeal(Base):
    """Link ``number`` of the chain: hash = SHA-256(hash before | entry's hash)."""

    __tablename__ = "audit_seals"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[str] = mapped_column(String(24), unique=True)
    entry_sha256: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[datetime]


class AuditWaiting(Base):
    __tablename__ = "audit_waiting"

    entry_id: Mapped[str] = mapped_column(String(24), primary_key=True)
