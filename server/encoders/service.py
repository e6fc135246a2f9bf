"""Rules of encoders: who may hold a key, which addresses may be fetched from, how a live room hears of a change.

A node never asks the web whether a key holds: the digests of a lesson's rooms stand in its ``RoomSpec`` (signaling/
outside.py), which is put again after every change.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from server.database import Database
from server.encoders import store
from server.encoders.addresses import Camera, kept, split_url
from server.encoders.housing import open_room
from server.encoders.models import RoomSource, StreamKey
from server.encoders.schemas import MOST_KEYS
from server.encoders.sealing import opened, seal
from server.errors import ConflictError, NotFoundError
from server.ids import new_id
from server.lessons import seating
from server.live import NodeRefusedError, Nodes, NodeUnreachableError
from server.outbox.vault import Vault
from server.schools import service as schools
from server.scope import SYSTEM, Scope

log = logging.getLogger("tongtang.encoders")

KEY_PREFIX = "tk-"
"""As signaling/outside.py reads it."""
OVERTIME = timedelta(minutes=10)
"""A lesson that runs over its end keeps its encoder."""
STATES = {
    "sending": "good",
    "starting": "note",
    "restarting": "note",
    "ended": "caution",
    **dict.fromkeys(("away", "name", "password", "path", "stream", "codec", "bframes", "stuck"), "bad"),
    **dict.fromkeys(("address", "forbidden", "door"), "bad"),
}
"""What a node says of a camera it fetches from (signaling/sources.py), and how bad it is."""
NOWHERE = Camera("", "")


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


# --- keys -------------------------------------------------------------------------------------------------------------


async def make_key(
    session: AsyncSession, scope: Scope, room_id: str, label: str, now: datetime
) -> tuple[StreamKey, str]:
    """The row, and the key itself: the only moment anybody sees it."""
    room = await schools.get_room(session, scope, room_id, "room.write")
    if len(await store.keys(session, scope, [room.id])) >= MOST_KEYS:
        raise ConflictError("stream_keys", most=MOST_KEYS)
    key = KEY_PREFIX + secrets.token_urlsafe(24)
    row = StreamKey(
        id=new_id(),
        room_id=room.id,
        label=label,
        token_sha256=digest(key),
        created_at=now,
        created_by=scope.person,
    )
    await store.add(session, scope, row)
    return row, key


async def revoke_key(session: AsyncSession, scope: Scope, room_id: str, key_id: str, now: datetime) -> None:
    room = await schools.get_room(session, scope, room_id, "room.write")
    row = await store.key(session, scope, room.id, key_id)
    if row is None:
        raise NotFoundError
    row.revoked_at = row.revoked_at or now


# --- sources ----------------------------------------------------------------------------------------------------------


async def set_source(session: AsyncSession, scope: Scope, room_id: str, url: str, now: datetime, vault: Vault) -> None:
    """An empty ``url`` takes the source away; one that names the same device without a password keeps its password."""
    room = await schools.get_room(session, scope, room_id, "room.write")
    held = await store.source(session, scope, room.id)
    if not url:
        if held is not None:
            await store.remove(session, scope, held)
        return
    camera = kept(split_url(url), opened(held, vault) or NOWHERE)
    if held is None:
        held = RoomSource(room_id=room.id, address="", secret="", changed_at=now)
        await store.add(session, scope, held)
    seal(held, camera, vault)
    held.changed_at, held.changed_by = now, scope.person


def known_state(told: object) -> str:
    """A newer node may know more reasons than this web has sentences for."""
    return told if isinstance(told, str) and told in STATES else "away"


# --- live rooms -------------------------------------------------------------------------------------------------------


async def tell(database: Database, nodes: Nodes, room_id: str) -> None:
    """Every live room of this classroom hears of a changed key or source. A node that is away hears with the next
    seat: its rooms are put again then."""
    async with database.reading() as session:
        found = await store.placed(session, SYSTEM, room_id)
    for lesson, placement, node in found:
        try:
            await open_room(database, nodes, node, seating.room_spec(lesson, placement.epoch), taken_away=True)
        except (NodeUnreachableError, NodeRefusedError) as error:
            log.warning("%s did not hear of changed encoders: %s", node.id, error)


async def source_state(database: Database, nodes: Nodes, scope: Scope, room_id: str) -> str | None:
    """How the fetching goes in the lesson this classroom is in now (``STATES``); None without source, lesson or
    answer. No transaction is held while the node is asked."""
    async with database.reading() as session:
        room = await schools.get_room(session, scope, room_id, "room.write")
        found = await store.placed(session, SYSTEM, room.id) if await store.source(session, scope, room.id) else []
    for lesson, _, node in found:
        try:
            told = (await nodes.seen(node, lesson.id)).get("sources", {}).get(room_id)
        except (NodeUnreachableError, NodeRefusedError):
            continue
        if told is not None:
            return known_state(told)
    return None


# --- encoders that knock ----------------------------------------------------------------------------------------------


async def holds(session: AsyncSession, room_id: str, key: str) -> bool:
    shown = digest(key)
    found = await store.keys(session, SYSTEM, [room_id])
    return any(secrets.compare_digest(one.token_sha256, shown) for one in found)


async def lesson_now(session: AsyncSession, room_id: str, now: datetime) -> str | None:
    """The lesson that this classroom is in, or the next one once its devices may come."""
    return await store.lesson_now(session, SYSTEM, room_id, now - OVERTIME, now + seating.EARLY)
