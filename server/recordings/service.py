"""Recordings as their facts tell of them, and the replay as the object store holds it.

The manifests are the truth; the row only finds them. A replay is what is stored now; nothing must be finished first.
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import ForbiddenError, NotFoundError, UnavailableError
from server.lessons import store as lessons
from server.lessons.models import Deck, Lesson
from server.recordings import erasing, merge, store
from server.recordings.models import Recording
from server.recordings.schemas import DeckOut, ReplayOut
from server.scope import SYSTEM, Scope, allows
from signaling.facts import Fact
from signaling.ports import ObjectMissingError, ObjectStore, ObjectStoreError

NOTED = ("LessonOpened", "LessonClosed", "LessonReopened", "RecordingSaved", "RecordingGap")
READS_AT_ONCE = 8


async def note_fact(session: AsyncSession, fact: Fact, now: datetime) -> None:
    """Keep the recording's row in step with a new fact; called once per fact by the ledger."""
    if fact.kind not in NOTED:
        return
    row = await store.recording(session, SYSTEM, fact.lesson, lock=True)
    if row is None:
        if not await store.lesson_exists(session, SYSTEM, fact.lesson):
            return
        row = Recording(lesson_id=fact.lesson, state="recording", last_epoch=0, duration_ms=0, bytes=0, gaps=0)
        row.updated_at = now
        await store.keep(session, SYSTEM, row)
    _apply(row, fact)
    row.updated_at = now
    await session.flush()


def _apply(row: Recording, fact: Fact) -> None:
    row.last_epoch = max(row.last_epoch, fact.epoch)
    if fact.kind == "LessonClosed":
        row.state = "closed"
    elif fact.kind == "LessonReopened":
        row.state = "recording"
    elif fact.kind == "RecordingSaved":
        row.duration_ms = max(row.duration_ms, int(fact.data.get("saved_ms", 0)))
        row.bytes = max(row.bytes, int(fact.data.get("bytes", 0)))
    elif fact.kind == "RecordingGap":
        row.gaps += 1


async def replay(session: AsyncSession, scope: Scope, objects: ObjectStore, lesson_id: str) -> ReplayOut:
    """Everything a player needs; NotFoundError outside the asker's scope."""
    lesson = await lessons.lesson(session, scope, lesson_id)
    if lesson is None:
        raise NotFoundError
    row = await store.recording(session, scope, lesson_id)
    last = await store.last_epoch(session, scope, lesson_id)
    decks = await lessons.decks(session, scope, lesson_id)
    try:
        manifests, ops = await asyncio.gather(_manifests(objects, lesson_id, last), _ops(objects, lesson_id))
    except ObjectStoreError as error:
        raise UnavailableError from error
    tracks = merge.merge_tracks(manifests)
    start, end = merge.span(tracks, ops)
    return ReplayOut(
        lesson=lesson.id,
        title=lesson.title,
        state=_state(row, bool(manifests)),
        opened_at_ms=min((int(manifest["opened_at_ms"]) for manifest in manifests), default=0),
        from_ms=start,
        to_ms=end,
        tracks=tracks,
        ops=ops,
        names=await _names(session, scope, lesson, ops),
        decks=[_deck(lesson_id, deck) for deck in decks if deck.state == "ready"],
        may_erase=erasing.may_erase(scope, lesson),
    )


async def check_may_keep(session: AsyncSession, scope: Scope, lesson_id: str) -> None:
    """To take a copy home is more than to look at it here: the lesson's teacher, and who may watch lessons of its
    schools."""
    from server.lessons.service import whole_part

    lesson = await lessons.lesson(session, scope, lesson_id)
    if lesson is None:
        raise NotFoundError
    own = scope.person is not None and scope.person == lesson.teacher_id
    if not own and not allows(scope, "lesson.watch", whole_part(lesson)):
        raise ForbiddenError


def _state(row: Recording | None, stored: bool) -> str:
    if row is not None and row.state == "closed" and stored:
        return "closed"
    return "recording" if stored else "none"


def _deck(lesson_id: str, deck: Deck) -> DeckOut:
    urls = [f"/api/v1/lessons/{lesson_id}/decks/{deck.id}/{page}.webp" for page in range(1, deck.pages + 1)]
    return DeckOut(id=deck.id, title=deck.title, urls=urls)


async def _manifests(objects: ObjectStore, lesson_id: str, last_epoch: int) -> list[dict[str, Any]]:
    keys = [f"lessons/{lesson_id}/e{epoch}/manifest.json" for epoch in range(1, last_epoch + 1)]
    found = [await _read(objects, key) for key in keys]
    return [json.loads(data) for data in found if data is not None]


async def _ops(objects: ObjectStore, lesson_id: str) -> list[dict[str, Any]]:
    keys, later = await erasing.chunks(objects, lesson_id), await erasing.erased_later(objects, lesson_id)
    gate = asyncio.Semaphore(READS_AT_ONCE)

    async def read(key: str) -> bytes | None:
        async with gate:
            return await _read(objects, key)

    chunks = await asyncio.gather(*(read(key) for key in keys))
    return merge.merge_ops((line for chunk in chunks if chunk is not None for line in merge.read_chunk(chunk)), later)


async def _read(objects: ObjectStore, key: str) -> bytes | None:
    try:
        return await objects.get(key)
    except ObjectMissingError:
        return None


async def _names(session: AsyncSession, scope: Scope, lesson: Lesson, ops: list[dict[str, Any]]) -> dict[str, str]:
    """Display names of everybody in the log: people by their seats "t- w- i-", rooms by "r- a-"."""
    seats = {op["by"] for op in ops} | {seat for op in ops if isinstance(seat := op["body"].get("seat"), str)}
    people = await store.person_names(session, scope, {seat[2:] for seat in seats if seat[:2] in ("t-", "w-", "i-")})
    rooms = await store.room_names(session, scope, {seat[2:] for seat in seats if seat[:2] in ("r-", "a-")})
    known = people | rooms
    return {seat: known[seat[2:]] for seat in sorted(seats) if seat[2:] in known}
