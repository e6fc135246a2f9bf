"""A machine's token. It reads what an evaluator of its place reads, while its maker administers that place."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class MachineToken(Base):
    __tablename__ = "machine_tokens"

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    """Which system holds it: "区数据平台"."""
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    school_id: Mapped[str | None] = mapped_column(ForeignKey("schools.id"), index=True)
    district_id: Mapped[str | None] = mapped_column(ForeignKey("districts.id"), index=True)
    """Neither: the whole city."""
    made_by: Mapped[str] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
