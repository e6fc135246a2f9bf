"""Rate limits: counted together in Redis, alone when it is away, never a reason to lock everybody out."""

from __future__ import annotations

import pytest

from server.errors import TooManyError
from server.rates import LIMITS, Rates


async def exhaust(rates: Rates, who: str) -> None:
    for _ in range(LIMITS["login"].amount):
        await rates.hit("login", who)


async def test_one_too_many_says_when_to_come_back() -> None:
    rates = Rates(None)
    await exhaust(rates, "wang")
    with pytest.raises(TooManyError) as refused:
        await rates.hit("login", "wang")
    assert 1 <= refused.value.params["seconds"] <= 60
    await rates.hit("login", "li")
    await rates.forget("login", "wang")
    await rates.hit("login", "wang")


async def test_an_absent_redis_locks_nobody_out_and_lets_nobody_guess() -> None:
    rates = Rates("redis://127.0.0.1:1/0")
    await exhaust(rates, "wang")
    with pytest.raises(TooManyError):
        await rates.hit("login", "wang")
    await rates.forget("login", "wang")
    await rates.hit("login", "wang")
    await rates.close()


@pytest.mark.real
async def test_two_webs_count_together_in_redis(redis_url: str) -> None:
    one, other = Rates(redis_url), Rates(redis_url)
    await one.forget("login", "wang")
    await exhaust(one, "wang")
    with pytest.raises(TooManyError):
        await other.hit("login", "wang")
    await other.forget("login", "wang")
    await one.hit("login", "wang")
    await one.close()
    await other.close()
