"""Two past lessons with a real replay: picture, sound, slides, chat and a hand, in the layout a recorder leaves.

A 示范课 for the portal and a 试讲 that the villages see, half a minute each. The first has no receiving rooms and the
second is no formal lesson, so that no figure says more than what can be seen.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import CITY, to_ms
from server.demo import clip
from server.demo.lessons import courses, lesson
from server.demo.people import person_id
from server.ids import named_id
from server.lessons.models import Deck, Lesson
from server.participation import service as ledger
from signaling.facts import Fact
from signaling.ports import ObjectStore

log = logging.getLogger("tongtang.demo")

EPOCH = 1
PAGES = 3


def recorded(now: datetime) -> list[Lesson]:
    """Yesterday and the day before, in the afternoon."""
    trial, show = (_lesson(now, days) for days in (1, 2))
    trial.title, trial.kind = "《茉莉花》试讲（演示片段）", "trial"
    show.title, show.form, show.receipts = "《茉莉花》示范课（演示片段）", "master", []
    return [trial, show]


def _lesson(now: datetime, days: int) -> Lesson:
    at = (now.astimezone(CITY) - timedelta(days=days)).replace(hour=16, minute=10, second=0, microsecond=0)
    return lesson(courses()[0], f"replay {days}", at, at + timedelta(minutes=5), now)


def _deck_id(held: Lesson) -> str:
    return named_id("demo", "deck", held.id)


def deck(held: Lesson, now: datetime) -> Deck:
    return Deck(
        id=_deck_id(held),
        lesson_id=held.id,
        title="茉莉花（简谱）",
        pages=PAGES,
        state="ready",
        uploaded_by=person_id("teacher"),
        created_at=now,
    )


Tracks = dict[str, clip.Track]


async def encoded() -> Tracks | None:
    try:
        return await asyncio.to_thread(lambda: {"camera": clip.camera(), "mic": clip.mic()})
    except (OSError, ValueError) as error:  # a PyAV without these encoders; a demo without a replay is still a demo
        log.warning("no encoder for the demo's replay: %s", error)
        return None


async def store(session: AsyncSession, objects: ObjectStore, held: Lesson, tracks: Tracks) -> None:
    """Objects first, then the facts that make the replay appear: nobody finds half of it."""
    opened_ms = to_ms(held.starts_at) + 20_000
    size = 0
    for key, data, content_type in _objects(held, opened_ms, tracks):
        await objects.put(key, data, content_type=content_type)
        size += len(data)
    await ledger.ingest(session, _facts(held, opened_ms, size), held.ends_at)


def _objects(held: Lesson, opened_ms: int, tracks: Tracks) -> Iterator[tuple[str, bytes, str]]:
    prefix = f"lessons/{held.id}/e{EPOCH}/"
    for name, track in tracks.items():
        kind = track.mime.split(";")[0]
        yield f"{prefix}{name}/init-0.mp4", track.init, kind
        for part in track.fragments:
            yield f"{prefix}{name}/{part.name}", part.data, kind
    for page in range(1, PAGES + 1):
        yield f"lessons/{held.id}/slides/{_deck_id(held)}/{page:03d}.webp", clip.slide(page), "image/webp"
    lines = "\n".join(json.dumps(op, ensure_ascii=False) for op in _ops(held, opened_ms)) + "\n"
    yield f"lessons/{held.id}/ops/e{EPOCH}-00000001.jsonl", lines.encode(), "application/x-ndjson"
    yield f"{prefix}manifest.json", json.dumps(_manifest(held, opened_ms, tracks)).encode(), "application/json"


def _manifest(held: Lesson, opened_ms: int, tracks: Tracks) -> dict[str, Any]:
    prefix = f"lessons/{held.id}/e{EPOCH}/"
    return {
        "v": 1,
        "lesson": held.id,
        "epoch": EPOCH,
        "opened_at_ms": opened_ms,
        "saved_ms": clip.LENGTH_MS,
        "closed": True,
        "tracks": [_track(prefix, name, track) for name, track in tracks.items()],
    }


def _track(prefix: str, name: str, track: clip.Track) -> dict[str, Any]:
    width, height = (clip.WIDTH, clip.HEIGHT) if name == "camera" else (0, 0)
    return {
        "track": name,
        "source": name,
        "mime": track.mime,
        "inits": [{"k": 0, "key": f"{prefix}{name}/init-0.mp4", "mime": track.mime, "width": width, "height": height}],
        "fragments": [
            {
                "n": part.from_ms,
                "key": f"{prefix}{name}/{part.name}",
                "init": 0,
                "from_ms": part.from_ms,
                "to_ms": part.to_ms,
                "random_access": True,
                "size": len(part.data),
                "sha256": hashlib.sha256(part.data).hexdigest(),
            }
            for part in track.fragments
        ],
        "gaps": [],
    }


def _ops(held: Lesson, opened_ms: int) -> Iterator[dict[str, Any]]:
    """The room's log as a node would have kept it, as far as a replay shows it."""
    teacher = f"t-{held.teacher_id}"
    told: list[tuple[int, str, str, dict[str, Any]]] = [
        (0, "room", "node", {"spec": {}, "zero_at_ms": opened_ms}),
        (0, "lesson.open", teacher, {}),
        (0, "recording", "node", {"on": True}),
        (400, "deck.open", teacher, {"deck": _deck_id(held), "pages": PAGES, "title": "茉莉花（简谱）"}),
        (3000, "chat.say", teacher, {"text": "先听一遍旋律，注意每句的结尾音。"}),
        (2 * 8 * clip.BEAT_MS, "page.turn", teacher, {"page": 2}),
        (3 * 8 * clip.BEAT_MS, "page.turn", teacher, {"page": 3}),
        (clip.LENGTH_MS - 200, "lesson.close", teacher, {}),
    ]
    for receipt in held.receipts[:1]:
        room = f"r-{receipt.room_id}"
        told += [(15_500, "hand.raise", room, {"seat": room, "pupil": 7}), (17_000, "hand.lower", room, {"seat": room})]
    for number, (at, kind, by, body) in enumerate(sorted(told, key=lambda op: op[0]), 1):
        yield {"seq": number, "epoch": EPOCH, "t": at, "kind": kind, "by": by, "body": body, "v": 1}


def _facts(held: Lesson, opened_ms: int, size: int) -> list[Fact]:
    over = clip.LENGTH_MS
    told = [
        Fact("", "LessonOpened", held.id, EPOCH, 0, opened_ms),
        Fact("", "RecordingSaved", held.id, EPOCH, over, opened_ms + over, data={"saved_ms": over, "bytes": size}),
        Fact("", "LessonClosed", held.id, EPOCH, over, opened_ms + over),
    ]
    return [replace(fact, id=f"{held.id}:{EPOCH}:{number}") for number, fact in enumerate(told)]
