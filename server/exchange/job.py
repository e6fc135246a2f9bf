"""The worker's part: checks what waits, writes what was accepted. A row is the work; a lost wake-up does no harm."""

from __future__ import annotations

import logging

from server.clock import Clock
from server.database import Database
from server.errors import TongtangError
from server.exchange import service, store
from server.exchange.models import Upload
from server.exchange.progress import Progress
from server.exchange.register import Plan
from server.scope import SYSTEM
from signaling.ports import ObjectStore

log = logging.getLogger("tongtang.exchange")


async def run(database: Database, objects: ObjectStore, clock: Clock) -> int:
    """Every upload that waits; returns how many."""
    async with database.reading() as session:
        ids = await store.waiting(session, SYSTEM, clock.now())
    for upload_id in ids:
        try:
            await _one(database, objects, clock, upload_id)
        except TongtangError as error:
            await _fail(database, clock, upload_id, f"errors.{error.key}", {k: str(v) for k, v in error.params.items()})
        except Exception:
            log.exception("upload %s failed", upload_id)
            await _fail(database, clock, upload_id, "errors.bug", {})
    return len(ids)


async def _fail(database: Database, clock: Clock, upload_id: str, key: str, params: dict[str, str]) -> None:
    problem = {"row": 0, "column": "", "value": None, "key": key, "params": params}
    state = "failed" if key == "errors.bug" else "wrong"
    async with database.transaction() as session:
        await store.progress(session, SYSTEM, upload_id, state=state, problems=[problem], wrong=1, ended_at=clock.now())


async def _one(database: Database, objects: ObjectStore, clock: Clock, upload_id: str) -> None:
    async with database.transaction() as session:
        upload = await store.upload(session, SYSTEM, upload_id, lock=True)
        if upload is None or upload.state not in ("waiting", "checking", "accepted", "writing"):
            return
        upload.state = "checking" if upload.state in ("waiting", "checking") else "writing"
    data = await objects.get(service.key_of(upload.id))
    if upload.state == "checking":
        await _check(database, clock, upload, data)
    else:
        await _write(database, objects, clock, upload, data)


async def _check(database: Database, clock: Clock, upload: Upload, data: bytes) -> None:
    """Reads only; how far it is, is written down beside it."""
    now = clock.now()
    async with database.reading() as session:
        scope = await service.scope_for(session, upload, now)
        service.may(scope, upload.kind)
        step = service.Step(0, Plan(now), [])
        async for step in service.plan(session, scope, upload.kind, data, now):
            async with database.transaction() as beside:
                await store.progress(beside, SYSTEM, upload.id, at_row=step.at, wrong=len(step.problems))
    async with database.transaction() as session:
        row = await service.get(session, SYSTEM, upload.id, lock=True)
        row.rows = row.at_row = step.at
        effects = step.work.effects
        row.new, row.changed, row.same = effects["new"], effects["changed"], effects["same"]
        row.problems, row.wrong = step.problems[: service.SHOWN_PROBLEMS], len(step.problems)
        row.state = "wrong" if step.problems else "ready"


async def _write(database: Database, objects: ObjectStore, clock: Clock, upload: Upload, data: bytes) -> None:
    now, progress = clock.now(), Progress(objects, clock, upload.id, upload.rows)
    try:
        async with database.transaction() as session:
            row = await service.get(session, SYSTEM, upload.id, lock=True)
            scope = await service.scope_for(session, row, now)
            service.may(scope, row.kind)
            work = await service.write(session, scope, row, data, now, progress)
            if work is not None:
                row.new, row.changed, row.same = work.effects["new"], work.effects["changed"], work.effects["same"]
                row.state, row.at_row, row.ended_at = "done", row.rows, now
    finally:
        await progress.over()
    if work is not None:
        await objects.delete(service.key_of(upload.id))
