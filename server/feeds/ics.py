"""Lessons and studios' activities as iCalendar (RFC 5545), pure. Each is an event of its own, with a UID for life.

SEQUENCE rises with every change of the plan (3.8.7.4), CANCELLED is said, not left out (3.8.1.11): a calendar that has
shown a lesson once must be told that it is not held.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event

from server.clock import CITY
from server.lessons.models import Lesson
from server.studios.activities.models import Activity
from server.templating import Texts

AGAIN = timedelta(minutes=30)
"""How often programs are asked to look (RFC 7986 5.7)."""
PRODUCT = "-//Tongtang//Timetable//ZH"


def calendar(name: str, lessons: Iterable[Lesson], activities: Iterable[Activity], origin: str, t: Texts) -> bytes:
    held = Calendar()
    held.add("prodid", PRODUCT)
    held.add("version", "2.0")
    held.add("method", "PUBLISH")
    held.add("x-wr-calname", name)
    held.add("x-wr-timezone", str(CITY))
    held.add("refresh-interval", AGAIN, parameters={"value": "DURATION"})
    for lesson in lessons:
        held.add_component(_event(lesson, origin, t))
    for activity in activities:
        held.add_component(_activity(activity, origin, t))
    held.add_missing_timezones()
    return bytes(held.to_ical())


def _event(lesson: Lesson, origin: str, t: Texts) -> Event:
    event = Event()
    event.add("uid", f"{lesson.id}@tongtang")
    event.add("dtstamp", _stamp(lesson))
    event.add("last-modified", _stamp(lesson))
    event.add("sequence", lesson.sequence)
    event.add("dtstart", lesson.starts_at.astimezone(CITY))
    event.add("dtend", lesson.ends_at.astimezone(CITY))
    event.add("summary", lesson.title)
    event.add("status", "CANCELLED" if lesson.state == "cancelled" else "CONFIRMED")
    event.add("location", lesson.lead_room.called)
    event.add("url", f"{origin}/lessons/{lesson.id}")
    event.add("description", _about(lesson, t))
    return event


def _activity(row: Activity, origin: str, t: Texts) -> Event:
    event = Event()
    event.add("uid", f"{row.id}@tongtang")
    stamp = (row.changed_at or row.created_at).astimezone(UTC)
    event.add("dtstamp", stamp)
    event.add("last-modified", stamp)
    event.add("sequence", row.sequence)
    event.add("dtstart", row.starts_at.astimezone(CITY))
    event.add("dtend", row.ends_at.astimezone(CITY))
    event.add("summary", row.title)
    event.add("status", "CANCELLED" if row.state == "cancelled" else "CONFIRMED")
    places = [one.room.called for one in row.places]
    event.add("location", "、".join(places) or t("studios.activity.online"))
    event.add("url", f"{origin}/activities/{row.id}")
    lines = [t(f"studios.activity.kind.{row.kind}"), row.studio.name, row.note]
    event.add("description", "\n".join(line for line in lines if line))
    return event


def _stamp(lesson: Lesson) -> datetime:
    """When it last changed: the same feed twice is the same bytes."""
    return (lesson.changed_at or lesson.cancelled_at or lesson.created_at).astimezone(UTC)


def _about(lesson: Lesson, t: Texts) -> str:
    rooms = "、".join(one.room.called for one in lesson.receipts)
    lines = [
        f"{t('common.subject.' + lesson.subject)} {t('common.grade.' + str(lesson.grade))}",
        f"{t('common.lead_teacher')} {lesson.teacher.name}",
        f"{t('common.receiving_room')} {rooms}",
    ]
    if lesson.state == "cancelled" and lesson.cancel_reason:
        lines.append(f"{t('common.lesson_state.cancelled')}: {t('common.cancel_reason.' + lesson.cancel_reason)}")
    return "\n".join(lines)
