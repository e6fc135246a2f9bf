"""The web's /metrics: routes by pattern, nobody named, only from here or with the token."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from tests.support.web import ORIGIN, Web


async def scrape(web: Web, client: str = "127.0.0.1", **headers: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=web.app, client=(client, 1))
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as browser:
        return await browser.get("/metrics", headers=headers)


def samples(text: str) -> dict[tuple[Any, ...], float]:
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_requests_by_pattern_and_nodes_by_state(web: Web) -> None:
    await web.node("n1", load=0.25)
    web.clock.moment += timedelta(minutes=1)
    await web.node("n2", load=0.5)
    assert (await web.browser().get("/lessons/somebodys-lesson")).status_code in (303, 401, 404)
    assert (await web.browser().get("/no-such-page")).status_code == 404
    answer = await scrape(web)
    assert answer.status_code == 200
    found = samples(answer.text)
    assert found["tongtang_nodes", ("state", "up")] == found["tongtang_nodes", ("state", "silent")] == 1
    assert found["tongtang_node_load", ("node", "n2")] == 0.5
    beats = [v for k, v in found.items() if k[0] == "tongtang_http_requests_total" and "heartbeat" in str(k)]
    assert beats == [2]
    assert "somebodys-lesson" not in answer.text and "no-such-page" not in answer.text


async def test_who_may_read_it(web: Web) -> None:
    assert (await scrape(web, "192.0.2.1")).status_code == 403
    assert (await scrape(web, "127.0.0.1", **{"x-forwarded-for": "203.0.113.1"})).status_code == 403
    web.app.state.settings = web.app.state.settings.model_copy(update={"metrics_token": "a token"})
    assert (await scrape(web, "192.0.2.1", authorization="Bearer a token")).status_code == 200
    assert (await scrape(web, "192.0.2.1", authorization="Bearer wrong")).status_code == 403
