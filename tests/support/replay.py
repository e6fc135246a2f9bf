"""A lesson that was recorded, in a web that runs on a port of its own: for the tests of the replay in Chromium."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import uvicorn
from PIL import Image, ImageDraw

from media.parameters import Codec
from media.record.manifest import Manifest, manifest_key
from server.accounts import service as accounts
from server.accounts.models import Person, PostHeld
from server.app import furnish, routed
from server.clock import FixedClock, to_ms
from server.config import WebSettings
from server.database import Database, make_engine
from server.ids import new_id
from server.lessons.decks import page_key
from server.lessons.models import Deck, Lesson, Receipt
from server.models import Base
from server.objectstore import FolderStore
from server.recordings.models import Recording
from server.schools.models import District, Room, School
from tests.support.recording import START, Camera, Microphone, Studio, new_studio
from tests.support.web import MONDAY

PAGE_MS = 3000
FIRST_MS, HOLE_MS, SECOND_MS = 14_000, 3_000, 8_000


@dataclass(frozen=True)
class Site:
    address: str
    lesson: str
    cookie: str
    studio: Studio


def record(codec: Codec) -> Studio:
    """14 s, then 3 s of nothing, then 8 s of a publisher who came back; the laptop's clock is an hour off."""
    studio = new_studio(wrong=3600.0)
    studio.publish("camera", Camera(codec))
    studio.publish("mic", Microphone())
    studio.run(FIRST_MS / 1000)
    studio.unpublish("camera")
    studio.unpublish("mic")
    studio.run(HOLE_MS / 1000)
    studio.publish("camera", Camera(codec, ssrc=0x7777, base=5))
    studio.publish("mic", Microphone(ssrc=0x8888, base=99))
    studio.run(SECOND_MS / 1000)
    studio.finish()
    return studio


def ops(deck: str, teacher: str) -> list[dict[str, Any]]:
    """Opened, a deck whose page turns every three seconds, a line of chat each five, one taken back."""
    found: list[tuple[int, str, dict[str, Any]]] = [
        (100, "lesson.open", {}),
        (200, "deck.open", {"deck": deck, "title": "分数的初步认识", "pages": 9}),
    ]
    found += [(PAGE_MS * turn, "page.turn", {"page": turn + 1}) for turn in range(1, 8)]
    found += [(5000 * line, "chat.say", {"text": f"第{line}句"}) for line in range(1, 5)]
    found += [(24_900, "lesson.close", {})]
    found.sort(key=lambda one: one[0])
    return [
        {"seq": seq, "epoch": 1, "t": t, "kind": kind, "by": teacher, "body": body, "v": 1}
        for seq, (t, kind, body) in enumerate(found, 1)
    ]


def slide(page: int) -> bytes:
    image = Image.new("RGB", (960, 540), (250, 248, 240))
    ImageDraw.Draw(image).text((400, 220), str(page), fill=(30, 40, 50), font_size=96)
    out = BytesIO()
    image.save(out, "WEBP")
    return out.getvalue()


async def store_lesson(objects: FolderStore, studio: Studio, lesson: str, deck: str, teacher: str) -> None:
    manifest = Manifest(lesson, 1, to_ms(MONDAY))
    for item in studio.objects:
        key = item.key.replace("lessons/lesson1/", f"lessons/{lesson}/")
        entry = json.loads(json.dumps(item.entry).replace("lessons/lesson1/", f"lessons/{lesson}/"))
        if item.data:
            await objects.put(key, item.data)
        manifest.add(entry)
    await objects.put(manifest_key(lesson, 1), manifest.encode())
    lines = b"".join(json.dumps(op).encode() + b"\n" for op in ops(deck, teacher))
    await objects.put(f"lessons/{lesson}/ops/e1-00000001.jsonl", lines)
    for page in range(1, 10):
        await objects.put(page_key(lesson, deck, page), slide(page))


def _people() -> tuple[list[Base], Person, Room, Room]:
    district = District(id="120113", name="北辰区", name_en="Beichen", kind="ring")
    school = School(
        id=new_id(),
        code="2112000001",
        name="实验小学",
        short_name="实验小学",
        phase="primary",
        located_in=district.id,
        supervised_by=district.id,
        created_at=MONDAY,
    )
    lead = Room(id=new_id(), school_id=school.id, name="主讲教室", kind="lead", pupils=40)
    receiving = Room(id=new_id(), school_id=school.id, name="三年级1班", kind="receiving", pupils=30)
    teacher = Person(id=new_id(), login="li", name="李老师", school_id=school.id, created_at=MONDAY)
    post = PostHeld(id=new_id(), person_id=teacher.id, post="teacher", starts_on=date(2026, 1, 1))
    return [district, school, lead, receiving, teacher, post], teacher, lead, receiving


async def _fill(settings: WebSettings, objects: FolderStore, studio: Studio) -> tuple[str, str]:
    database = Database(make_engine(settings.database_url))
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    rows, teacher, lead, receiving = _people()
    lesson, deck = new_id(), new_id()
    rows.append(
        Lesson(
            id=lesson,
            title="分数的初步认识",
            subject="math",
            grade=3,
            state="closed",
            lead_room_id=lead.id,
            teacher_id=teacher.id,
            starts_at=MONDAY,
            ends_at=MONDAY + timedelta(minutes=40),
            opened_at=MONDAY,
            closed_at=MONDAY + timedelta(minutes=1),
            created_at=MONDAY,
        )
    )
    rows += [
        Receipt(id=new_id(), lesson_id=lesson, starts_at=MONDAY, room_id=receiving.id, position=1, expected=30),
        Deck(
            id=deck, lesson_id=lesson, title="分数", pages=9, state="ready", uploaded_by=teacher.id, created_at=MONDAY
        ),
        Recording(lesson_id=lesson, state="closed", last_epoch=1, duration_ms=25_000, updated_at=MONDAY),
    ]
    async with database.transaction() as session:
        for row in rows:  # one by one: a row points only to earlier ones
            session.add(row)
            await session.flush()
    await store_lesson(objects, studio, lesson, deck, f"t-{teacher.id}")
    async with database.transaction() as session:
        token = await accounts.open_session(session, MONDAY, timedelta(hours=12), kind="person", person=teacher.id)
    await database.dispose()
    return lesson, token


@contextmanager
def replay_site(settings: WebSettings, folder: Path, studio: Studio) -> Iterator[Site]:
    # In a thread: the browser's driver keeps an event loop in this one.
    with ThreadPoolExecutor(1) as threads:
        lesson, token = threads.submit(lambda: asyncio.run(_fill(settings, FolderStore(folder), studio))).result()
    app = routed()
    furnish(app, settings, clock=FixedClock(MONDAY), objects=FolderStore(folder))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.05)
            assert thread.is_alive(), "the web did not start"
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Site(f"http://127.0.0.1:{port}", lesson, token, studio)
    finally:
        server.should_exit = True
        thread.join()


__all__ = ["START", "Site", "record", "replay_site"]
