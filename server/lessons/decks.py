"""Slides: a PDF comes in, a limited child process draws its pages, page images go into the object store.

Nothing but PDF is taken (who sends something else is told how to save as PDF). The row says where a deck stands:
rendering, ready, or refused with the reason.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.ext.asyncio import AsyncSession

from server.config import WebSettings
from server.database import Database
from server.errors import ForbiddenError, InvalidError, NotFoundError, TooLargeError
from server.ids import new_id
from server.lessons import store
from server.lessons.models import Deck, Lesson
from server.lessons.render import WALL_SECONDS
from server.lessons.schemas import DeckOut
from server.lessons.service import leads, may
from server.scope import SYSTEM, Scope
from server.templating import Texts
from signaling.ports import ObjectMissingError, ObjectStore

SNIFF_BYTES = 1024  # where readers look for "%PDF-" (ISO 32000-1, annex H.3.4.1)
REFUSALS = ("pdf_broken", "pdf_locked", "pdf_pages", "pdf_slow")

log = logging.getLogger("tongtang.decks")


def source_key(lesson: str, deck: str) -> str:
    return f"decks/{lesson}/{deck}/source.pdf"


def page_key(lesson: str, deck: str, page: int) -> str:
    return f"decks/{lesson}/{deck}/{page}.webp"


def may_prepare(scope: Scope, lesson: Lesson) -> bool:
    """The lead teacher, and whoever administers the lesson."""
    return leads(scope, lesson) or may(scope, "lesson.create", lesson)


def read_upload(file: BinaryIO, most_mb: int) -> bytes:
    """The whole file, once it looks like a PDF of a size we take."""
    head = file.read(SNIFF_BYTES)
    if not head:
        raise InvalidError("pdf_empty")
    if b"%PDF-" not in head:
        raise InvalidError("not_pdf")
    data = head + file.read(most_mb * 1_000_000 + 1 - len(head))
    if len(data) > most_mb * 1_000_000:
        raise TooLargeError(mb=most_mb)
    return data


def title_of(filename: str | None) -> str:
    name = Path((filename or "").replace("\\", "/")).name
    stem = name[:-4] if name.lower().endswith(".pdf") else name
    return "".join(c for c in stem if c.isprintable()).strip()[:120] or "PDF"


async def check_may_upload(session: AsyncSession, scope: Scope, lesson_id: str) -> Lesson:
    lesson = await store.lesson(session, scope, lesson_id)
    if lesson is None:
        raise NotFoundError
    if not may_prepare(scope, lesson):
        raise ForbiddenError
    if lesson.state == "cancelled":
        raise InvalidError("lesson_cancelled")
    return lesson


async def accept(
    database: Database, objects: ObjectStore, scope: Scope, lesson_id: str, title: str, data: bytes, now: datetime
) -> Deck:
    """Store first, then write the row: a row never points to nothing."""
    deck = Deck(
        id=new_id(), lesson_id=lesson_id, title=title, state="rendering", uploaded_by=scope.person, created_at=now
    )
    await objects.put(source_key(lesson_id, deck.id), data, content_type="application/pdf")
    async with database.transaction() as session:
        await check_may_upload(session, scope, lesson_id)
        await store.add(session, scope, deck)
    return deck


def page_urls(deck: Deck) -> list[str]:
    return [f"/api/v1/lessons/{deck.lesson_id}/decks/{deck.id}/{page}.webp" for page in range(1, deck.pages + 1)]


def deck_out(deck: Deck, t: Texts, most_pages: int) -> DeckOut:
    """``urls``: one address a page, empty until the deck is ready."""
    return DeckOut(
        id=deck.id,
        title=deck.title,
        pages=deck.pages,
        state=deck.state,
        error=deck.error,
        message=t(f"errors.{deck.error}", pages=most_pages) if deck.error else None,
        urls=page_urls(deck) if deck.state == "ready" else [],
    )


async def remove(session: AsyncSession, scope: Scope, lesson_id: str, deck_id: str) -> Deck:
    await check_may_upload(session, scope, lesson_id)
    deck = await store.deck(session, scope, lesson_id, deck_id)
    if deck is None:
        raise NotFoundError
    await store.drop_deck(session, scope, deck_id)
    return deck


async def remove_objects(objects: ObjectStore, deck: Deck) -> None:
    keys = [source_key(deck.lesson_id, deck.id), *(page_key(deck.lesson_id, deck.id, n + 1) for n in range(deck.pages))]
    for key in keys:
        await objects.delete(key)


# --- drawing (worker) -------------------------------------------------------------------------------------------------


async def render_waiting(database: Database, objects: ObjectStore, settings: WebSettings) -> int:
    """Draw every deck that waits; returns how many. Doing one twice does no harm: pages keep their keys."""
    async with database.reading() as session:
        waiting = await store.rendering(session, SYSTEM)
    for deck in waiting:
        pages, refusal = await _render(objects, deck, settings)
        async with database.transaction() as session:
            row = await store.deck(session, SYSTEM, deck.lesson_id, deck.id)
            if row is not None:
                row.state, row.error, row.pages = ("refused", refusal, 0) if refusal else ("ready", None, pages)
    return len(waiting)


async def _render(objects: ObjectStore, deck: Deck, settings: WebSettings) -> tuple[int, str | None]:
    try:
        data = await objects.get(source_key(deck.lesson_id, deck.id))
    except ObjectMissingError:
        return 0, "pdf_broken"
    with tempfile.TemporaryDirectory(prefix="tongtang-deck-") as folder:
        source = Path(folder) / "source.pdf"
        await asyncio.to_thread(source.write_bytes, data)
        pages, refusal = await draw(source, Path(folder), settings.deck_pages)
        for page in range(1, pages + 1):
            image = await asyncio.to_thread((Path(folder) / f"{page}.webp").read_bytes)
            await objects.put(page_key(deck.lesson_id, deck.id, page), image, content_type="image/webp")
    return pages, refusal


async def draw(
    source: Path, folder: Path, most_pages: int, wall_seconds: float = WALL_SECONDS
) -> tuple[int, str | None]:
    """Pages drawn into ``folder``, or why not. The child limits itself (render.py); killed when it takes too long."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "server.lessons.render",
        str(source),
        str(folder),
        str(most_pages),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        stdin=asyncio.subprocess.DEVNULL,
        env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        start_new_session=True,
    )
    try:
        output, _ = await asyncio.wait_for(child.communicate(), wall_seconds)
    except (TimeoutError, asyncio.CancelledError) as error:
        os.killpg(child.pid, signal.SIGKILL)
        await child.wait()
        if isinstance(error, asyncio.CancelledError):
            raise
        return 0, "pdf_slow"
    return _outcome(child.returncode, output)


def _outcome(status: int | None, output: bytes) -> tuple[int, str | None]:
    if status == -signal.SIGXCPU or status == -signal.SIGKILL:
        return 0, "pdf_slow"
    try:
        said = json.loads(output)
    except ValueError:
        log.warning("the page renderer ended with %s", status)
        return 0, "pdf_broken"  # crashed or out of memory: the file's doing
    refusal = said.get("refused")
    return (0, refusal if refusal in REFUSALS else "pdf_broken") if refusal else (int(said["pages"]), None)
