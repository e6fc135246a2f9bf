"""School years' terms, days that are not what the weekday says, bell times, weekly slots of a classroom, days away."""

from __future__ import annotations

from datetime import date, datetime, time

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.database import Base


class Term(Base):
    """``id`` "2026-1"; both dates inclusive; teaching week 1 begins on the Monday of the week of ``starts_on``."""

    __tablename__ = "terms"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    created_at: Mapped[datetime | None]
    """None: before this was written down."""


class CalendarDay(Base):
    """A holiday, or a make-up day (调休) that runs another weekday's timetable."""

    __tablename__ = "calendar_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    """holiday | makeup"""
    runs_weekday: Mapped[int | None]
    name: Mapped[str] = mapped_column(String(40))
    stands_for: Mapped[date | None]
    """The very day whose lessons a make-up day runs; decides before ``runs_weekday``."""
    source: Mapped[str] = mapped_column(String(8), default="hand", server_default="hand")
    """seed: from ``national.py`` | hand: typed or imported here; seeding never changes those."""


class CalendarHorizon(Base):
    """Up to which day the calendar is known. One row, "city"; publishing past it warns."""

    __tablename__ = "calendar_horizons"

    id: Mapped[str] = mapped_column(String(8), primary_key=True)
    known_until: Mapped[date]
    set_by: Mapped[str | None] = mapped_column(String(24))
    """None: the seed."""


class BellSchedule(Base):
    """作息时间 of one season of a school; it holds from ``begins`` until the school's next season begins."""

    __tablename__ = "bell_schedules"
    __table_args__ = (UniqueConstraint("school_id", "phase", "begins"),)

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    phase: Mapped[str] = mapped_column(String(10))
    """primary | junior: a nine-year school rings twice."""
    name: Mapped[str] = mapped_column(String(24))
    begins: Mapped[str] = mapped_column(String(5))
    """ "05-01": the same day every year."""

    periods: Mapped[list[BellPeriod]] = relationship(
        lazy="selectin", order_by="BellPeriod.period", cascade="all, delete-orphan"
    )


class BellPeriod(Base):
    """第 n 节 of a schedule."""

    __tablename__ = "bell_periods"
    __table_args__ = (
        UniqueConstraint("schedule_id", "period"),
        CheckConstraint("minutes BETWEEN 10 AND 120", name="minutes"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    schedule_id: Mapped[str] = mapped_column(ForeignKey("bell_schedules.id"))
    period: Mapped[int]
    starts: Mapped[time]
    minutes: Mapped[int]


class WeeklySlot(Base):
    """Weekday 1 = Monday. Minutes by the lead school's bell; standard lesson-hour 40 (primary) or 45 (junior)."""

    __tablename__ = "weekly_slots"
    __table_args__ = (
        UniqueConstraint("classroom_id", "weekday", "starts"),
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    classroom_id: Mapped[str] = mapped_column(ForeignKey("classrooms.id"))
    weekday: Mapped[int]
    period: Mapped[int]
    """节次"""
    starts: Mapped[time]
    minutes: Mapped[int]
    weeks: Mapped[str] = mapped_column(String(4), default="all", server_default="all")
    """all 每周 | odd 单周 | even 双周"""
    follows_bell: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether ``starts`` and ``minutes`` follow the lead school's bell of the season for this 节次."""


class SchoolSpan(Base):
    """Days on which a school holds no ordinary lessons (运动会, 考试, 停电检修): [first_on, last_on]."""

    __tablename__ = "school_spans"
    __table_args__ = (
        CheckConstraint("last_on >= first_on", name="dates"),
        Index("ix_school_spans_school", "school_id", "first_on"),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"))
    kind: Mapped[str] = mapped_column(String(8))
    """sports | exam | trip | repair | other"""
    name: Mapped[str] = mapped_column(String(40))
    first_on: Mapped[date]
    last_on: Mapped[date]
    created_by: Mapped[str | None] = mapped_column(String(24))
    created_at: Mapped[datetime]


class ResourceDay(Base):
    """What two administrators at once wait for each other at: one row a resource and day, locked in this key's order.

    SQLite has one writer anyway. Rows say nothing; the worker sweeps those of the past.
    """

    __tablename__ = "resource_days"

    resource: Mapped[str] = mapped_column(String(40), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
