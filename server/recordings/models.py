"""What is known of a lesson's recording; the manifests in the object store are the truth, this row finds them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class Recording(Base):
    __tablename__ = "recordings"

    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(12))
    """recording | closed"""
    last_epoch: Mapped[int]
    duration_ms: Mapped[int] = mapped_column(default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    gaps: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime]
