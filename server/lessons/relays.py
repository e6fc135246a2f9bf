"""Relays (TURN) for networks that let nothing else through: who gets which login. Rule: nothing is stored."""

from __future__ import annotations

from datetime import datetime

from server.config import WebSettings
from server.lessons.schemas import IceServerOut
from signaling.seats import as_seen_from, relay_login


def ice_servers(settings: WebSettings, host: str, who: str, now: datetime) -> list[IceServerOut]:
    """For one seat (or one who tests the way): one login for all relays; none where the site has no relay."""
    if not settings.turn_urls:
        return []
    username, credential = relay_login(settings.turn_secret, who, now.timestamp())
    urls = [as_seen_from(url, host) for url in settings.turn_urls]
    return [IceServerOut(urls=urls, username=username, credential=credential)]
