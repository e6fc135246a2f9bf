"""The worker's round through the outbox: claim what is due, send with no transaction open, write down what came of it.

A crash between sending and writing sends again after the lease: at least once, with the delivery's id to know it by.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from server.audit.watch import acting
from server.clock import Clock, city_date
from server.config import WebSettings
from server.database import Database
from server.notices import service as notices
from server.notices.models import Notice
from server.outbox import store
from server.outbox.carriers import CARRIERS, Letter, Verdict, Written
from server.outbox.door import ClosedError, Door
from server.outbox.models import Channel, Delivery
from server.outbox.vault import SealedError, Vault
from server.scope import SYSTEM, Scope
from server.templating import texts

MOST_A_ROUND = 20
AT_ONCE = 8
LEASE = timedelta(minutes=5)
GIVE_UP_ROUND = 2
"""Letters in a row that did not get through: the channel's others wait for the next round."""
MINUTES = {"webhook": (1, 5, 30, 120, 360, 720, 1440), "wecom": (1, 5, 30), "dingtalk": (1, 5, 30), "sms": (1, 5, 30)}
"""How long after each failure the next attempt comes. A notice is stale after an hour, an event is not."""
OFF_AFTER = timedelta(days=3)
KEEP = timedelta(days=30)

log = logging.getLogger("tongtang.outbox")

Results = dict[str, Verdict]
Work = list[tuple[Channel, list[Delivery]]]


async def round_(database: Database, settings: WebSettings, clock: Clock, door: Door | None = None) -> int:
    """How many messages were tried. A round with nothing to do opens no door: certificates take longer to load."""
    now = clock.now()
    async with database.transaction() as session:
        await store.forget(session, SYSTEM, now - KEEP)
        work = await store.claim(session, SYSTEM, now, LEASE, MOST_A_ROUND)
        ids = {row.person_id for _, rows in work for row in rows if row.person_id}
        phones = {one.id: one.phone or "" for one in await store.people(session, SYSTEM, ids)}
    if not work:
        return 0
    held, vault = door or Door(local=settings.outward_local), Vault.of(settings)
    try:
        results = await _send_all(held, vault, work, phones, settings, clock)
    finally:
        if door is None:
            await held.aclose()
    for (channel, rows), result in zip(work, results, strict=True):
        await _note(database, channel.id, [row.id for row in rows], result, clock.now())
    return sum(len(result) for result in results)


async def _send_all(
    door: Door, vault: Vault, work: Work, phones: dict[str, str], settings: WebSettings, clock: Clock
) -> list[Results]:
    """Channels side by side: who hangs holds nobody else up."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(channel: Channel, rows: list[Delivery]) -> Results:
        async with turns:
            return await _send(door, vault, channel, [_written(row, phones, settings) for row in rows], clock)

    return await asyncio.gather(*(one(channel, rows) for channel, rows in work))


def _written(row: Delivery, phones: dict[str, str], settings: WebSettings) -> Written:
    """A notice's sentence is said here, in Chinese: a robot's readers have chosen no language."""
    text = ""
    if "key" in row.body:
        notice = Notice(key=row.body["key"], words=row.body["words"], href=row.body["href"])
        text = notices.sentence(notice, texts("zh-CN"))
        if settings.public_origin:
            text = f"{text} {settings.public_origin}{notice.href}"
    return Written(row.id, row.event, text, phones.get(row.person_id or "", ""), row.body)


async def _send(door: Door, vault: Vault, channel: Channel, rows: list[Written], clock: Clock) -> Results:
    """Verdicts by delivery; rows without one were not tried."""
    carrier = CARRIERS[channel.kind]
    results: Results = {}
    if channel.kind == "sms":
        results = {row.id: Verdict("no_phone") for row in rows if not row.phone}
    left, failures = [row for row in rows if row.id not in results], 0
    try:
        opened = vault.open(channel.endpoint), vault.open(channel.secret)
    except SealedError:
        return results | {row.id: Verdict("sealed") for row in left}
    for letter in carrier.letters(*opened, left, clock.now()):
        verdict = await _one(door, channel.kind, letter)
        results |= dict.fromkeys(letter.deliveries, verdict)
        failures = failures + 1 if verdict.problem else 0
        if failures >= GIVE_UP_ROUND:
            break
    return results


async def _one(door: Door, kind: str, letter: Letter) -> Verdict:
    try:
        return CARRIERS[kind].judge(*await door.post(letter))
    except ClosedError as error:
        return Verdict(error.problem)
    except Exception:  # a stranger's answer must not stop the others' messages
        log.exception("could not send")
        return Verdict("unreachable")


async def _note(database: Database, channel_id: str, claimed: list[str], results: Results, now: datetime) -> None:
    async with database.transaction() as session:
        acting(session, Scope())
        channel = await store.channel(session, SYSTEM, channel_id)
        if channel is None:
            return
        for id_, row in (await store.by_id(session, SYSTEM, claimed)).items():
            if row.state != "waiting":
                continue  # switched off meanwhile
            verdict = results.get(id_)
            if verdict is None:
                row.due_at = now
            else:
                _settle(channel, row, verdict, now)
        if channel.failing_since is not None and now - channel.failing_since >= OFF_AFTER and channel.off_at is None:
            channel.off_at, channel.off_why = now, "failing"
            await store.drop_waiting(session, SYSTEM, channel.id, now)
            people = await store.holders(session, SYSTEM, channel, city_date(now))
            href = f"/admin/channels/{channel.id}"
            await notices.tell(session, SYSTEM, people, "channel_off", {"name": channel.name}, href, now)


def _settle(channel: Channel, row: Delivery, verdict: Verdict, now: datetime) -> None:
    row.attempts += 1
    row.problem, row.status = verdict.problem, verdict.status
    if verdict.problem is None:
        row.state, row.done_at = "sent", now
    else:
        waits = MINUTES[channel.kind]
        if row.attempts > len(waits) or row.event == "test" or verdict.problem == "no_phone":
            row.state, row.done_at = "failed", now
        else:
            row.due_at = now + timedelta(minutes=waits[row.attempts - 1])
    if verdict.problem == "no_phone":
        return  # nothing to do with the channel
    channel.last_at, channel.last_problem = now, verdict.problem
    channel.failing_since = (channel.failing_since or now) if verdict.problem else None
