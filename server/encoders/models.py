"""What stands in for a classroom's own page: stream keys (WHIP) and one address to fetch from (RTSP, RTMP)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.database import Base
from server.schools.models import Room


class StreamKey(Base):
    """Only its digest is kept: whoever lost the key makes another."""

    __tablename__ = "stream_keys"

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"), index=True)
    label: Mapped[str] = mapped_column(String(40))
    """Which device holds it: "录播主机"."""
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str | None] = mapped_column(String(24))
    revoked_at: Mapped[datetime | None]

    room: Mapped[Room] = relationship(lazy="joined")


class RoomSource(Base):
    """Where the node fetches this classroom's picture and sound from while a lesson is on."""

    __tablename__ = "room_sources"

    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"), primary_key=True)
    address: Mapped[str] = mapped_column(String(500))
    """rtsp:// or rtmp://, as it may be shown (``addresses.shown``): it names the device."""
    secret: Mapped[str] = mapped_column(Text)
    """The whole address with name and password, sealed (``outbox.vault``); empty where ``address`` says all. The device
    wants it in the clear."""
    changed_at: Mapped[datetime]
    changed_by: Mapped[str | None] = mapped_column(String(24))

    room: Mapped[Room] = relationship(lazy="joined")
