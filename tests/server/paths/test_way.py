"""The path test's grant and page: for people who signed in and bound screens, for nobody else."""

from __future__ import annotations

from signaling.seats import verify
from tests.support.web import Web


async def test_a_signed_in_person_may_try_the_way(web: Web) -> None:
    await web.node()
    browser = await web.sign_in(await web.person("teacher"))
    shown = (await browser.get("/check/path")).text
    assert shown.count("data-way") == 6 and 'data-way="ws"' in shown and "advice_ws_blocked" in shown
    answer = await browser.post("/api/v1/way", json={})
    assert answer.status_code == 200, answer.text
    grant = answer.json()
    assert grant["url"] == "http://class.test:8001/way"
    assert grant["iceServers"] == []
    claim = verify(grant["token"], [web.app.state.keys.seat.public_key()])
    assert claim["aud"] == "way"
    assert 60 < claim["exp"] - web.clock.now().timestamp() <= 120


async def test_a_bound_screen_may_too(web: Web) -> None:
    await web.node()
    screen = await web.device(await web.room(await web.school(await web.district())))
    assert (await screen.get("/check/path")).status_code == 200
    assert (await screen.post("/api/v1/way", json={})).status_code == 200


async def test_a_stranger_may_not(web: Web) -> None:
    await web.node()
    assert (await web.browser().post("/api/v1/way", json={})).status_code == 401


async def test_without_a_node_it_is_said(web: Web) -> None:
    browser = await web.sign_in(await web.person("teacher"))
    answer = await browser.post("/api/v1/way", json={})
    assert (answer.status_code, answer.json()["error"]["key"]) == (503, "no_node")
