"""School years' terms, days that are not what the weekday says, bell times, weekly slots of a classroom."""

from __future__ import annotations

from datetime import date, time

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class Term(Base):
    """``id`` "2026-1"; both dates inclusive; teaching week 1 begins on the Monday of the week of ``starts_on``."""

    __tablename__ = "terms"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    starts_on: Mapped[date]
    ends_on: Mapped[date]


class CalendarDay(Base):
    """A holiday, or a make-up day (调休) that runs another weekday's timetable."""

    __tablename__ = "calendar_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    """holiday | makeup"""
    runs_weekday: Mapped[int | None]
    name: Mapped[str] = mapped_column(String(40))


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
