"""People, their posts with dates, sign-in sessions."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.database import Base


class Person(Base):
    __tablename__ = "people"
    __table_args__ = (
        Index("uq_people_outside", "outside_issuer", "outside_subject", unique=True),
        Index("ix_people_name", "name", "id", "login", "disabled_at"),  # all that a search reads
        Index("ix_people_phone", "phone"),
    )

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
    password_given: Mapped[bool] = mapped_column(default=False)
    """Somebody else chose the password: nothing but changing it is allowed with it."""
    failures: Mapped[int] = mapped_column(default=0)
    """Wrong passwords since the last good one."""
    locked_at: Mapped[datetime | None]
    """Too many of them: until the school's administrator gives a new password, or the lock runs out."""
    outside_issuer: Mapped[str | None] = mapped_column(String(200))
    outside_subject: Mapped[str | None] = mapped_column(String(120))
    """Who they are to the bureau's own sign-in (OIDC ``iss`` and ``sub``)."""

    posts: Mapped[list[PostHeld]] = relationship(back_populates="holder", lazy="raise")
    """Asked for by name (``selectinload``): lessons name people by the hundred, and none of their posts."""


class PostHeld(Base):
    """A post held from ``starts_on`` to ``ends_on`` (both inclusive; None: open). ``where`` says of what."""

    __tablename__ = "posts"
    __table_args__ = (
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="dates"),
        Index("ix_posts_person_post", "person_id", "post"),
        Index("ix_posts_school", "school_id", "post"),
        Index("ix_posts_district", "district_id", "post"),
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
    """person | device | companion | code (上课码: ``room_id`` holds the code's id)"""
    person_id: Mapped[str | None] = mapped_column(ForeignKey("people.id"), index=True)
    device_id: Mapped[str | None] = mapped_column(ForeignKey("devices.id"), index=True)
    lesson_id: Mapped[str | None] = mapped_column(String(24))
    room_id: Mapped[str | None] = mapped_column(String(24))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    user_agent: Mapped[str] = mapped_column(String(200), default="")
