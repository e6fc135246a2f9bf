"""People, their posts with dates, sign-in sessions."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.database import Base


class Person(Base):
    __tablename__ = "people"

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    """Sign-in name, lower case; staff number or phone as the bureau likes."""
    name: Mapped[str] = mapped_column(String(64))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    school_id: Mapped[str | None] = mapped_column(ForeignKey("schools.id"), index=True)
    phone: Mapped[str | None] = mapped_column(String(32))
    subject: Mapped[str | None] = mapped_column(String(32))
    locale: Mapped[str] = mapped_column(String(8), default="zh-CN")
    demo: Mapped[bool] = mapped_column(default=False)
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    posts: Mapped[list[PostHeld]] = relationship(back_populates="holder", lazy="selectin")


class PostHeld(Base):
    """A post held from ``starts_on`` to ``ends_on`` (both inclusive; None: open). ``where`` says of what."""

    __tablename__ = "posts"
    __table_args__ = (
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="dates"),
        Index("ix_posts_person_post", "person_id", "post"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    post: Mapped[str] = mapped_column(String(24))
    district_id: Mapped[str | None] = mapped_column(ForeignKey("districts.id"))
    school_id: Mapped[str | None] = mapped_column(ForeignKey("schools.id"))
    studio_id: Mapped[str | None] = mapped_column(ForeignKey("studios.id", use_alter=True))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]

    holder: Mapped[Person] = relationship(back_populates="posts")


class SignIn(Base):
    """A revocable session. The cookie holds 256 random bits; only their SHA-256 is kept."""

    __tablename__ = "sign_ins"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    """person | device | companion"""
    person_id: Mapped[str | None] = mapped_column(ForeignKey("people.id"), index=True)
    device_id: Mapped[str | None] = mapped_column(ForeignKey("devices.id"), index=True)
    lesson_id: Mapped[str | None] = mapped_column(String(24))
    room_id: Mapped[str | None] = mapped_column(String(24))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    user_agent: Mapped[str] = mapped_column(String(200), default="")
