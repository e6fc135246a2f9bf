"""The chain: each seal's hash covers the one before, so that no entry can be changed, added in the past or taken away
unseen. Rule: one sealer at a time, whole entries only, in one transaction with leaving the queue.

Whoever owns the database can rewrite the whole chain; ``verify(expected=…)`` compares it with a head that somebody
noted outside (``tongtang audit verify`` prints it).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from server.audit import store
from server.audit.models import AuditEntry, AuditSeal
from server.clock import Clock
from server.database import Database
from server.scope import SYSTEM

GENESIS = "0" * 64
BATCH = 500
LATE = timedelta(seconds=60)
"""An entry that still waits after this long means that no worker seals."""
MOST_PROBLEMS = 20


def digest(entry: AuditEntry) -> str:
    """SHA-256 over everything an entry says, in one spelling."""
    said = {
        "id": entry.id,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "person": entry.person_id,
        "device": entry.device_id,
        "address": entry.address,
        "act": entry.act,
        "kind": entry.kind,
        "row": entry.row_id,
        "school": entry.school_id,
        "district": entry.district_id,
        "told": entry.told,
    }
    plain = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def link(before: str, entry: str) -> str:
    return hashlib.sha256(f"{before}|{entry}".encode()).hexdigest()


async def seal(database: Database, clock: Clock) -> int:
    """Seals what waits; returns how many. Another sealer at work: none."""
    sealed = 0
    while True:
        async with database.reading() as session:
            if not await store.anything_waits(session, SYSTEM):
                return sealed
        done = await _seal_some(database, clock.now())
        sealed += done
        if done < BATCH:
            return sealed


async def _seal_some(database: Database, now: datetime) -> int:
    async with database.transaction() as session:
        if not await store.only_sealer(session, SYSTEM):
            return 0
        last = await store.last_seal(session, SYSTEM)
        top, before = (last.number, last.sha256) if last else (0, GENESIS)
        entries = await store.waiting(session, SYSTEM, BATCH)
        seals = []
        for number, entry in enumerate(entries, top + 1):
            said = digest(entry)
            before = link(before, said)
            seals.append(
                {"number": number, "entry_id": entry.id, "entry_sha256": said, "sha256": before, "sealed_at": now}
            )
        await store.add_seals(session, SYSTEM, seals)
        return len(seals)


@dataclass
class Verdict:
    count: int = 0
    head: str = GENESIS
    waiting: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.problems

    def blame(self, what: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(what)


async def verify(database: Database, now: datetime, expected: tuple[int, str] | None = None) -> Verdict:
    """Walks the whole chain. ``expected``: number and hash of a head that was noted outside the database."""
    verdict = Verdict()
    async with database.reading() as session:
        while True:
            part = await store.seals_after(session, SYSTEM, verdict.count, BATCH)
            for sealed, entry in part:
                _check(verdict, sealed, entry)
            if len(part) < BATCH:
                break
        verdict.waiting = await store.count_waiting(session, SYSTEM)
        if lost := await store.count_lost(session, SYSTEM):
            verdict.blame(f"{lost} entries are neither sealed nor waiting")
        if late := await store.count_waiting(session, SYSTEM, now - LATE):
            verdict.blame(f"{late} entries wait for their seal since more than {LATE.seconds} s: is a worker running?")
        if expected is not None:
            found = await store.seal_at(session, SYSTEM, expected[0])
            if found is None or found.sha256 != expected[1]:
                verdict.blame(f"seal {expected[0]} is not the one that was noted")
    return verdict


def _check(verdict: Verdict, sealed: AuditSeal, entry: AuditEntry | None) -> None:
    if sealed.number != verdict.count + 1:
        verdict.blame(f"seals {verdict.count + 1} to {sealed.number - 1} are missing")
    if entry is None:
        verdict.blame(f"entry {sealed.entry_id} of seal {sealed.number} is missing")
    elif digest(entry) != sealed.entry_sha256:
        verdict.blame(f"entry {entry.id} of seal {sealed.number} was changed after it was sealed")
    if link(verdict.head, sealed.entry_sha256) != sealed.sha256:
        verdict.blame(f"seal {sealed.number} does not follow the one before")
    verdict.count, verdict.head = sealed.number, sealed.sha256
