"""A chat line erased when the lesson is over: its words leave the stored log, its place, time and author stay.

In the lesson itself the teacher erases on the live page, and the node takes the words out at the room's end. Here the
web does. ``erased.json`` names the lines first, so that they stay unseen whatever comes: a node that returns with the
lesson's journal finds them there and takes the words out again.
"""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.audit.watch import tell
from server.errors import ConflictError, ForbiddenError, NotFoundError, UnavailableError
from server.lessons import store as lessons
from server.lessons.lifecycle import HELD
from server.lessons.models import Lesson
from server.lessons.service import lead_part, leads
from server.recordings import merge, store
from server.scope import Scope
from signaling.ports import ObjectMissingError, ObjectStore, ObjectStoreError


def may_erase(scope: Scope, lesson: Lesson) -> bool:
    """The lesson's teacher, as in the lesson itself."""
    return lesson.state in HELD and not scope.by_code and leads(scope, lesson)


async def erase(
    session: AsyncSession, scope: Scope, objects: ObjectStore, lesson_id: str, seq: int, now: datetime
) -> None:
    """May be said twice. Raises ConflictError while the room is open: there the live page erases."""
    lesson = await lessons.lesson(session, scope, lesson_id)
    if lesson is None:
        raise NotFoundError
    if not leads(scope, lesson) or scope.by_code:
        raise ForbiddenError
    if lesson.state not in HELD:
        raise ConflictError("chat_in_lesson")
    await store.recording(session, scope, lesson_id, lock=True)  # two at once would forget one of each other's
    place = lead_part(lesson.lead_room)
    tell(session, now, "delete", "chat_line", lesson.id, {"line": seq}, (place.school, place.district))
    try:
        await _erase(objects, lesson_id, seq)
    except ObjectStoreError as error:
        raise UnavailableError from error


async def _erase(objects: ObjectStore, lesson_id: str, seq: int) -> None:
    found = {key: data for key in await chunks(objects, lesson_id) if _says(data := await objects.get(key), seq)}
    if not found:
        raise NotFoundError
    later = await erased_later(objects, lesson_id) | {seq}
    await objects.put(_list(lesson_id), json.dumps(sorted(later)).encode(), content_type="application/json")
    for key, data in found.items():
        await objects.put(key, merge.blank(data, seq), content_type="application/x-ndjson")


def _says(chunk: bytes, seq: int) -> bool:
    return any(op["kind"] == "chat.say" and op["seq"] == seq for op in merge.read_chunk(chunk))


async def chunks(objects: ObjectStore, lesson_id: str) -> list[str]:
    return [info.key async for info in objects.list(f"lessons/{lesson_id}/ops/")]


async def erased_later(objects: ObjectStore, lesson_id: str) -> set[int]:
    try:
        return set(json.loads(await objects.get(_list(lesson_id))))
    except ObjectMissingError:
        return set()


def _list(lesson_id: str) -> str:
    return f"lessons/{lesson_id}/erased.json"
