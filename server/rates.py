"""How often anybody may do what: one table, counted in memory or in Redis (``limits``), the same for every web."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Literal

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError

from server.errors import TooManyError

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool

What = Literal[
    "session",
    "address",
    "login",
    "login_account",
    "companion",
    "companion_room",
    "device_code",
    "bind",
    "upload",
    "lesson_code",
    "lesson_code_all",
    "code_given",
    "rehearsal",
    "outward",
    "token",
    "oidc",
    "selftest",
    "selftest_line",
]

LIMITS: dict[What, RateLimitItem] = {
    "session": parse("900/minute"),
    "address": parse("3000/minute"),  # a school of forty pages behind one address
    "login": parse("5/minute"),  # by account and address together
    "login_account": parse("30/hour"),  # by account alone: one slow guesser with many addresses
    "oidc": parse("240/minute"),  # ways to the bureau's sign-in and back, by address: a school at the bell
    "companion": parse("10/10 minutes"),  # by lesson and address: a code is one of a million, two minutes long
    "companion_room": parse("120/hour"),  # by lesson
    "device_code": parse("60/hour"),  # new kiosk codes by address
    "bind": parse("20/10 minutes"),  # guesses at a kiosk's code by administrator
    "upload": parse("30/hour"),  # slides by person
    "lesson_code": parse("10/10 minutes"),  # guesses at a 上课码 by address: one of 10^8, an hour long
    "lesson_code_all": parse("600/hour"),  # by everybody together: many addresses guess no faster
    "code_given": parse("30/hour"),  # 上课码 by who gives them
    "rehearsal": parse("20/hour"),  # 试讲 by teacher: each is a process of a node
    "outward": parse("20/10 minutes"),  # test messages and re-sending by person: each leaves our network
    "token": parse("300/minute"),  # a machine that reads the JSON API, by token
    "selftest": parse("60/hour"),  # results by screen: one a break and one a lesson, and a technician at work
    "selftest_line": parse("240/hour"),  # measures by screen, four a test
}

ALONE_SECONDS = 5.0
REDIS_SECONDS = 1.0

log = logging.getLogger("tongtang.rates")


class Rates:
    """With Redis all webs count together. When it is away each counts alone for a while: nobody waits for it, nobody
    is locked out, and guessing stays slow."""

    def __init__(self, redis_url: str | None) -> None:
        self._alone = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._together: SlidingWindowCounterRateLimiter | None = None
        self._pool: ConnectionPool | None = None
        self._alone_until = 0.0
        if redis_url:
            from redis.asyncio import ConnectionPool

            patience = {"socket_connect_timeout": REDIS_SECONDS, "socket_timeout": REDIS_SECONDS}
            self._pool = ConnectionPool.from_url(redis_url, **patience)
            options: Any = {"connection_pool": self._pool}  # limits' types know no pool, its documentation does
            storage = RedisStorage(f"async+{redis_url}", wrap_exceptions=True, implementation="redispy", **options)
            self._together = SlidingWindowCounterRateLimiter(storage)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.disconnect()

    async def hit(self, what: What, *who: str) -> None:
        """Count one; raise TooManyError when that was one too many."""
        limit = LIMITS[what]
        window = self._window()
        try:
            good = await window.hit(limit, what, *who)
        except StorageError as error:
            window, good = self._fall_back(error), await self._alone.hit(limit, what, *who)
        if not good:
            stats = await window.get_window_stats(limit, what, *who)
            # the window counts in the system's time, so must we
            raise TooManyError(seconds=max(1, round(stats.reset_time - time.time())))

    async def forget(self, what: What, *who: str) -> None:
        await self._alone.clear(LIMITS[what], what, *who)
        try:
            await self._window().clear(LIMITS[what], what, *who)
        except StorageError as error:
            self._fall_back(error)

    def _window(self) -> SlidingWindowCounterRateLimiter:
        away = self._together is None or time.monotonic() < self._alone_until
        return self._alone if away or self._together is None else self._together

    def _fall_back(self, error: StorageError) -> SlidingWindowCounterRateLimiter:
        log.warning("Redis does not answer, counting alone for %.0f s: %s", ALONE_SECONDS, error)
        self._alone_until = time.monotonic() + ALONE_SECONDS
        return self._alone
