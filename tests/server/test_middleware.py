"""What every request passes: origin and token, size, pace, a database that is away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.rates import LIMITS
from tests.support.web import ORIGIN, Web

JSON = {"login": "nobody", "password": "guess"}
PATH = "/api/v1/accounts/sign-in"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 422),
        ({"sec-fetch-site": "same-origin"}, 422),
        ({"origin": "http://evil.test"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://class.test.evil.test"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"x-csrf": "guess"}, 403),
    ],
)
async def test_unsafe_requests_come_from_our_pages_with_their_token(
    web: Web, headers: dict[str, str], status: int
) -> None:
    assert (await web.browser().post(PATH, json=JSON, headers=headers)).status_code == status


async def test_a_browser_that_never_saw_a_page_has_no_token(web: Web) -> None:
    browser = web.browser()
    token = browser.csrf
    browser.cookies.clear()
    assert (await browser.post(PATH, json=JSON, headers={"x-csrf": token})).status_code == 403


async def test_a_page_brings_the_seed_and_its_token_works(web: Web) -> None:
    import re

    browser = web.browser()
    browser.cookies.clear()
    page = await browser.get("/login")
    found = re.search(r'name="csrf" content="([^"]+)"', page.text)
    assert found and "tongtang-seed" in browser.cookies
    for kind in ("data", "files"):
        form: dict[str, Any] = {"data": {"csrf": found[1], "login": "x", "password": "y"}}
        if kind == "files":
            form["files"] = {"other": ("a.txt", b"x")}
        request = browser.build_request("POST", "/login", headers={"origin": ORIGIN}, **form)
        assert (await browser.send(request)).status_code == 422, kind
    form = {"data": {"csrf": "wrong", "login": "x", "password": "y"}}
    request = browser.build_request("POST", "/login", headers={"origin": ORIGIN}, **form)
    assert (await browser.send(request)).status_code == 403


async def test_a_bearer_token_leaves_cookies_out_of_account(web: Web) -> None:
    browser = await web.sign_in(await web.person("teacher"))
    answer = await browser.get("/api/v1/accounts/me", headers={"authorization": "Bearer something"})
    assert answer.status_code == 401


async def test_a_body_announced_too_large_is_refused_with_a_sentence(web: Web) -> None:
    answer = await web.browser().post(PATH, content=b"x" * 1_000_001)
    assert (answer.status_code, answer.json()["error"]["key"]) == (413, "too_large")


async def test_a_body_that_grows_too_large_is_cut_off(web: Web) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 100_000

    answer = await web.browser().post(PATH, content=endless())
    assert (answer.status_code, answer.json()["error"]["key"]) == (413, "too_large")


async def test_nobody_asks_without_end(web: Web) -> None:
    browser = await web.sign_in(await web.person("teacher"))
    await browser.get("/api/v1/accounts/me")
    rates = web.app.state.rates
    from server.security import token_hash

    key = token_hash(browser.cookies["tongtang-person"])
    for _ in range(LIMITS["session"].amount - 1):
        await rates.hit("session", key)
    answer = await browser.get("/api/v1/accounts/me")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert (await web.browser().get("/login")).status_code == 200


async def test_an_absent_database_is_said_in_the_asker_s_language(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    def away(*_: Any) -> None:
        raise OperationalError("SELECT", {}, Exception("away"))

    browser = await web.sign_in(await web.person("teacher"))
    monkeypatch.setattr(web.database, "reading", away)
    answer = await browser.get("/api/v1/accounts/me", headers={"cookie": "lang=en; tongtang-person=x"})
    assert answer.status_code == 503
    assert "Nothing was lost" in answer.json()["error"]["message"]
    page = await browser.get("/me")
    assert page.status_code == 503 and "没有丢失任何内容" in page.text
    assert (await browser.get("/readyz")).status_code == 503
    assert (await browser.get("/healthz")).status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("IntegrityError", 409), ("DataError", 400)])
async def test_what_the_database_refuses_is_nobody_s_crash(
    web: Web, monkeypatch: pytest.MonkeyPatch, kind: str, status: int
) -> None:
    from sqlalchemy import exc

    def refused(*_: Any) -> None:
        raise getattr(exc, kind)("INSERT", {}, Exception("UNIQUE constraint failed"))

    monkeypatch.setattr(web.database, "reading", refused)
    answer = await web.browser().get("/api/v1/accounts/me", headers={"cookie": "tongtang-person=x"})
    assert answer.status_code == status
    assert "UNIQUE" not in answer.text


async def test_our_own_bug_says_so_and_shows_nothing_of_the_inside(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: Any) -> None:
        raise ZeroDivisionError("secret inside")

    monkeypatch.setattr(web.database, "reading", bug)
    browser = web.browser()
    browser.cookies.set("tongtang-person", "x", domain="class.test")
    answer = await browser.get("/me")
    assert answer.status_code == 500
    assert "secret inside" not in answer.text
