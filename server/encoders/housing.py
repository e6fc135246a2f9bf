"""A live room is put on its node with the keys and sources of its classrooms: the one way rooms are opened."""

from __future__ import annotations

import logging

from server.database import Database
from server.encoders import store
from server.encoders.models import RoomSource
from server.encoders.sealing import opened
from server.lessons.models import Node
from server.live import NodeRefusedError, Nodes, NodeUnreachableError
from server.outbox.vault import Vault
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
    orders = [one for source in sources if (one := _order(source, nodes.vault)) is not None]
    if not (orders or taken_away):
        return
    try:
        await nodes.set_sources(node, spec.lesson, spec.epoch, orders)
    except (NodeRefusedError, NodeUnreachableError) as error:  # no camera keeps a class out
        log.warning("%s does not fetch for %s: %s", node.id, spec.lesson, error)


def _order(source: RoomSource, vault: Vault) -> SourceOrder | None:
    camera = opened(source, vault)
    if camera is None:
        log.error("the camera of room %s is sealed with another site key: `tongtang reseal`", source.room_id)
        return None
    return SourceOrder(room=source.room_id, address=camera.address, secret=camera.secret)
