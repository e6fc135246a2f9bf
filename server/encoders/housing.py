"""A live room is put on its node with the keys and sources of its classrooms: the one way rooms are opened."""

from __future__ import annotations

import logging

from server.database import Database
from server.encoders import store
from server.lessons.models import Node
from server.live import NodeRefusedError, Nodes, NodeUnreachableError
from server.scope import SYSTEM
from signaling.messages import EncoderKey, RoomSpec, SourceOrder

log = logging.getLogger("tongtang.encoders")


async def open_room(database: Database, nodes: Nodes, node: Node, spec: RoomSpec, *, taken_away: bool = False) -> None:
    """``taken_away``: a source may have gone; else a room without any is not asked twice."""
    rooms = [room.id for room in spec.rooms]
    async with database.reading() as session:
        keys = await store.keys(session, SYSTEM, rooms)
        sources = await store.sources(session, SYSTEM, rooms)
    encoders = [EncoderKey(room=one.room_id, sha256=one.token_sha256) for one in keys]
    await nodes.open_room(node, spec.model_copy(update={"encoders": encoders}))
    orders = [SourceOrder(room=one.room_id, address=one.address, secret=one.secret) for one in sources]
    if not (orders or taken_away):
        return
    try:
        await nodes.set_sources(node, spec.lesson, spec.epoch, orders)
    except (NodeRefusedError, NodeUnreachableError) as error:  # no camera keeps a class out
        log.warning("%s does not fetch for %s: %s", node.id, spec.lesson, error)
