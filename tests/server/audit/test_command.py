"""``tongtang audit verify``, and the worker's thread that seals by itself."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from server.audit import chain
from server.audit.command import verified
from server.audit.sealer import Sealer
from server.clock import SystemClock
from server.config import WebSettings
from tests.support.web import Web


async def test_a_running_worker_seals_by_itself(web: Web, web_settings: WebSettings) -> None:
    with Sealer(web_settings, SystemClock()):
        await web.district("120113")
        for _ in range(600):
            await asyncio.sleep(0.05)
            verdict = await chain.verify(web.database, web.clock.now())
            if verdict.waiting == 0:
                break
    assert (verdict.count, verdict.waiting, verdict.good) == (1, 0, True)


async def test_the_command_says_the_head_and_what_is_wrong(web: Web, web_settings: WebSettings) -> None:
    web.clock.moment = SystemClock().now()
    await web.district("120113")
    await chain.seal(web.database, web.clock)
    good = await verified(web_settings, "")
    assert (good.good, good.count) == (True, 1)
    noted = f"{good.count}:{good.head}"
    assert (await verified(web_settings, noted)).good
    assert "not the one that was noted" in str((await verified(web_settings, f"1:{'0' * 64}")).problems)
    assert "NUMBER:HASH" in str((await verified(web_settings, "nonsense")).problems)
    async with web.transaction() as session:
        await session.execute(text("UPDATE audit_entries SET act = 'view'"))  # no triggers: made from the models
    assert "changed after it was sealed" in str((await verified(web_settings, "")).problems)
