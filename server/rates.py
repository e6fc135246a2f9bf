"""How often anybody may do what: one table, counted in memory or in Redis (``limits``), the same for every web."""

from __future__ import annotations

import time
from typing import Literal

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from server.errors import TooManyError

What = Literal[
    "session", "address", "login", "login_account", "companion", "companion_room", "device_code", "bind", "upload"
]

LIMITS: dict[What, RateLimitItem] = {
    "session": parse("900/minute"),
    "address": parse("3000/minute"),  # a school of forty pages behind one address
    "login": parse("5/minute"),  # by account and address together
    "login_account": parse("30/hour"),  # by account alone: one slow guesser with many addresses
    "companion": parse("10/10 minutes"),  # by lesson and address: a code is one of a million, two minutes long
    "companion_room": parse("120/hour"),  # by lesson
    "device_code": parse("60/hour"),  # new kiosk codes by address
    "bind": parse("20/10 minutes"),  # guesses at a kiosk's code by administrator
    "upload": parse("30/hour"),  # slides by person
}


class Rates:
    def __init__(self, redis_url: str | None) -> None:
        storage: Storage = (
            RedisStorage(f"async+{redis_url}", implementation="redispy") if redis_url else MemoryStorage()
        )
        self._window = SlidingWindowCounterRateLimiter(storage)

    async def hit(self, what: What, *who: str) -> None:
        """Count one; raise TooManyError when that was one too many."""
        limit = LIMITS[what]
        if not await self._window.hit(limit, what, *who):
            # the window counts in the system's time, so must we
            stats = await self._window.get_window_stats(limit, what, *who)
            raise TooManyError(seconds=max(1, round(stats.reset_time - time.time())))

    async def forget(self, what: What, *who: str) -> None:
        await self._window.clear(LIMITS[what], what, *who)
