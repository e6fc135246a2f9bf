"""What webhooks are told: names and thin payloads. Ids and plain columns only: who wants more asks the JSON API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from server.classrooms.models import Classroom
from server.ids import named_id
from server.lessons.models import Lesson
from server.outbox.store import Places
from server.schools.models import Room

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
    "lesson.settled",
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
    rooms = [lesson.lead_room, *(one.room for one in lesson.receipts)]
    return Event(name, named_id("event", name, lesson.id, lesson.sequence), _places(rooms), body)


def of_timetable(classroom: Classroom, now: datetime) -> Event:
    """A term's lessons were made or renewed: which ones, GET /api/v1/lessons?classroom=… says."""
    held = {"id": classroom.id, "name": classroom.name, "term": classroom.term}
    rooms = [classroom.lead_room, *(one.room for one in classroom.receivers)]
    name = "timetable.published"
    subject = named_id("event", name, classroom.id, now.isoformat())
    return Event(name, subject, _places(rooms), {"at": _iso(now), "classroom": held})


def _places(rooms: list[Room]) -> Places:
    schools = frozenset(room.school_id for room in rooms)
    return Places(schools, frozenset(one for room in rooms if (one := room.school.supervised_by)), city=True)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
