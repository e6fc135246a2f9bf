"""What a page needs to try the way: a node, a short token for its door, the site's relays."""

from __future__ import annotations

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncSession

from server.config import WebSettings
from server.errors import UnavailableError
from server.lessons import placement, store
from server.lessons.relays import ice_servers
from server.paths.schemas import WayOut
from server.scope import SYSTEM
from signaling.seats import as_seen_from, over_http, sign

TOKEN_SECONDS = 120  # six ways, eight seconds each, and a slow start
AUDIENCE = "way"


async def way(
    session: AsyncSession, settings: WebSettings, key: Ed25519PrivateKey, host: str, who: str, now: datetime
) -> WayOut:
    """To the node that the next lesson would be placed on."""
    node = placement.choose(await store.nodes(session, SYSTEM), now)
    if node is None:
        raise UnavailableError("no_node")
    token = sign({"aud": AUDIENCE, "exp": int(now.timestamp()) + TOKEN_SECONDS}, key)
    url = over_http(as_seen_from(node.public_url, host))
    return WayOut(url=f"{url}/way", token=token, ice_servers=ice_servers(settings, host, who, now))
