"""What webhooks are told: names and thin payloads. Ids and plain columns only: who wants more asks the JSON API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from server.classrooms.models import Classroom
from server.ids import named_id
from server.lessons.models import Lesson
from server.outbox.store import Places
from server.schools.models import School
from server.studios.activities.models import Activity

EVENTS = (
    "timetable.published",
    "lesson.published",
    "lesson.moved",
    "lesson.cancelled",
    "lesson.repaid",
    "lesson.teacher",
    "lesson.assistant",
    "lesson.room",
    "lesson.undone",
    "lesson.about",
    "lesson.disputed",
    "lesson.settled",
    "activity.planned",
    "activity.moved",
    "activity.cancelled",
)
"""Texts are outbox.event.<name>."""


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    subject: str
    """The same for the same change: a webhook hears of it once, however many people are told."""
    places: Places
    body: dict[str, Any]


def of_lesson(key: str, lesson: Lesson, now: datetime) -> Event | None:
    name = f"lesson.{key}"
    if name not in EVENTS:
        return None
    body = {
        "at": _iso(now),
        "lesson": {
            "id": lesson.id,
            "classroom": lesson.classroom_id,
            "title": lesson.title,
            "subject": lesson.subject,
            "grade": lesson.grade,
            "kind": lesson.kind,
            "state": lesson.state,
            "starts_at": _iso(lesson.starts_at),
            "ends_at": _iso(lesson.ends_at),
            "sequence": lesson.sequence,
            "lead_room": lesson.lead_room_id,
            "receiving_rooms": [one.room_id for one in lesson.receipts],
            "teacher": lesson.teacher_id,
            "cancel_reason": lesson.cancel_reason,
        },
    }
    schools = [lesson.lead_room.school, *(one.room.school for one in lesson.receipts)]
    return Event(name, named_id("event", name, lesson.id, lesson.sequence), _places(schools), body)


def of_timetable(classroom: Classroom, now: datetime) -> Event:
    """A term's lessons were made or renewed: which ones, GET /api/v1/lessons?classroom=… says."""
    held = {"id": classroom.id, "name": classroom.name, "term": classroom.term}
    schools = [classroom.lead_room.school, *(one.room.school for one in classroom.receivers)]
    name = "timetable.published"
    subject = named_id("event", name, classroom.id, now.isoformat())
    return Event(name, subject, _places(schools), {"at": _iso(now), "classroom": held})


OF_ACTIVITY = {"activity": "planned", "activity_moved": "moved", "activity_cancelled": "cancelled"}
"""A notice of an activity, and its event."""


def of_activity(key: str, row: Activity, now: datetime) -> Event:
    """研修活动, 同步教研: its studio's school and those whose rooms it takes."""
    name = f"activity.{OF_ACTIVITY[key]}"
    held = {
        "id": row.id,
        "studio": row.studio_id,
        "kind": row.kind,
        "title": row.title,
        "state": row.state,
        "starts_at": _iso(row.starts_at),
        "ends_at": _iso(row.ends_at),
        "sequence": row.sequence,
        "rooms": [one.room_id for one in row.places],
    }
    subject = named_id("event", name, row.id, row.sequence)
    schools = [row.studio.school, *(one.room.school for one in row.places)]
    return Event(name, subject, _places(schools), {"at": _iso(now), "activity": held})


def _places(schools: list[School]) -> Places:
    districts = frozenset(one.supervised_by for one in schools if one.supervised_by)
    return Places(frozenset(one.id for one in schools), districts, city=True)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
