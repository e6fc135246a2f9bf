"""What studios plan: an activity takes people and rooms as a lesson does."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.accounts.models import Person
from server.database import Base
from server.schools.models import Room
from server.studios.models import Studio

KINDS = ("training", "research", "showcase", "lecture", "other")
"""研修活动, 同步教研, 示范课研讨, 讲座, 其他; texts are studios.activity.kind.<key>."""


class Activity(Base):
    """[starts_at, ends_at). It keeps its id through every move; called off, it stays to be told."""

    __tablename__ = "activities"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="times"),
        CheckConstraint("kind IN ('" + "', '".join(KINDS) + "')", name="kind"),
        CheckConstraint("state IN ('planned', 'cancelled')", name="state"),
        Index("ix_activities_starts", "starts_at"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    studio_id: Mapped[str] = mapped_column(ForeignKey("studios.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(String(120))
    note: Mapped[str] = mapped_column(String(500), default="")
    state: Mapped[str] = mapped_column(String(10), default="planned")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    created_by: Mapped[str | None] = mapped_column(String(24))
    created_at: Mapped[datetime]
    sequence: Mapped[int] = mapped_column(default=0)
    """As of lessons: SEQUENCE of the feeds, and what a page saw."""
    changed_at: Mapped[datetime | None]
    cancel_note: Mapped[str] = mapped_column(String(200), default="")
    cancel_batch: Mapped[str | None] = mapped_column(String(24), index=True)
    """Of the 停课令 that called it off."""

    studio: Mapped[Studio] = relationship(lazy="joined")
    places: Mapped[list[ActivityPlace]] = relationship(
        lazy="selectin", order_by="ActivityPlace.position", cascade="all, delete-orphan"
    )
    people: Mapped[list[ActivityPerson]] = relationship(lazy="selectin", cascade="all, delete-orphan")


class ActivityPlace(Base):
    """A room it takes; 同步教研 takes several."""

    __tablename__ = "activity_places"
    __table_args__ = (UniqueConstraint("activity_id", "room_id"),)

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    activity_id: Mapped[str] = mapped_column(ForeignKey("activities.id"))
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"), index=True)
    position: Mapped[int]

    room: Mapped[Room] = relationship(lazy="joined")


class ActivityPerson(Base):
    """Who takes part."""

    __tablename__ = "activity_people"
    __table_args__ = (UniqueConstraint("activity_id", "person_id"),)

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    activity_id: Mapped[str] = mapped_column(ForeignKey("activities.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)

    person: Mapped[Person] = relationship(lazy="joined")
