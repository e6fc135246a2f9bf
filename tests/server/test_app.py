"""The composition root: health, headers, statics, languages, error pages."""

from __future__ import annotations

import pytest

from server.templating import assets_version
from tests.support.web import Web


async def test_health_and_readiness(web: Web) -> None:
    assert (await web.browser().get("/healthz")).json() == {"status": "ok"}
    assert (await web.browser().get("/readyz")).json() == {"status": "ok", "database": "ok"}


async def test_every_answer_carries_the_policy(web: Web) -> None:
    for path in ("/healthz", "/login", "/nothing", "/static/x/nothing.js"):
        headers = (await web.browser().get(path)).headers
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "connect-src 'self' ws://class.test:8001 http://class.test:8001" in policy
        assert headers["x-content-type-options"] == "nosniff"


async def test_a_host_header_cannot_write_policy(web: Web) -> None:
    answer = await web.browser().get("/healthz", headers={"host": "a; script-src *"})
    assert "script-src *" not in answer.headers["content-security-policy"]


async def test_assets_are_kept_for_ever_under_their_version_only(web: Web) -> None:
    browser = web.browser()
    current = await browser.get(f"/static/{assets_version()}/styles/tokens.css")
    if current.status_code == 200:
        assert "immutable" in current.headers["cache-control"]
        assert (await browser.get("/static/old/styles/tokens.css")).headers["cache-control"] == "no-cache"
    for path in (
        "templates/base.html",
        "locale/en/common.json",
        "modules/../templates/base.html",
        "%2e%2e/server/app.py",
    ):
        assert (await browser.get(f"/static/x/{path}")).status_code == 404


@pytest.mark.parametrize(("accept", "kind"), [("text/html", "text/html"), ("application/json", "application/json")])
async def test_errors_speak_the_asker_s_format(web: Web, accept: str, kind: str) -> None:
    answer = await web.browser().get("/nothing", headers={"accept": accept})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith(kind)


async def test_language_is_chinese_until_switched_and_then_remembered(web: Web) -> None:
    browser = web.browser()
    assert 'lang="zh-CN"' in (await browser.get("/login")).text
    assert 'lang="en"' in (await browser.get("/login?lang=en")).text
    assert 'lang="en"' in (await browser.get("/login")).text
    assert 'lang="en"' in (await browser.get("/login?lang=xx")).text


async def test_a_signed_out_page_leads_to_sign_in_and_back(web: Web) -> None:
    answer = await web.browser().get("/me?done=password")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fme%3Fdone%3Dpassword"
    assert (await web.browser().get("/api/v1/accounts/me")).status_code == 401


async def test_openapi_is_served(web: Web) -> None:
    assert "/api/v1/accounts/sign-in" in (await web.browser().get("/api/v1/openapi.json")).json()["paths"]
