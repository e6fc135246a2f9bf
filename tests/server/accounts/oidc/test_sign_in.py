"""The bureau's sign-in against a real provider over HTTP: who is let in, as whom, and every way of being refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from server.accounts.models import Person
from server.app import furnish
from server.audit.models import AuditEntry
from server.clock import FixedClock
from server.config import SettingsError, WebSettings, load
from server.database import Database
from server.jobs import NullJobs
from tests.support.oidc_provider import CLIENT, SECRET
from tests.support.processes import PYTHON, Process, accepts, free_ports, running
from tests.support.web import Browser, FakeNode, MemoryObjects, Web

pytestmark = pytest.mark.slow  # a process of its own, RSA keys


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_ports(1)
    log = tmp_path_factory.mktemp("oidc") / "log"
    with running(Process([PYTHON, "-m", "tests.support.oidc_provider", str(port)], log=log)) as process:
        process.wait_for(lambda: accepts(port), 60, "the provider")
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def web(
    routes: FastAPI, web_settings: WebSettings, database: Database, clock: FixedClock, provider: str
) -> AsyncIterator[Web]:
    told = {
        "oidc_issuer": provider, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET, "oidc_name": "天津教育云",
        "oidc_posts": "role=teacher:teacher", "oidc_links": "employee_number=login,phone_number=phone",
    }  # fmt: skip
    settings = WebSettings.model_validate({**web_settings.model_dump(), **told})
    furnish(routes, settings, clock=clock, database=database, objects=MemoryObjects(), jobs=NullJobs())
    held = Web(routes, database, clock, MemoryObjects(), NullJobs(), FakeNode())
    yield held
    for browser in held.browsers:
        await browser.aclose()
    await routes.state.nodes.aclose()


async def tell(provider: str, fault: str = "", new_key: bool = False, **claims: Any) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        told = {"claims": {"sub": "s1", **claims}, "fault": fault, "new_key": new_key}
        (await client.post(f"{provider}/control", json=told)).raise_for_status()


async def go(browser: Browser, next_path: str = "") -> httpx2.Response:
    """Press the button, let the provider answer, come back."""
    begun = await browser.get(f"/login/oidc?next={next_path}")
    assert begun.status_code == 303, begun.text
    async with httpx2.AsyncClient(trust_env=False) as client:
        sent = await client.get(begun.headers["location"])
    assert sent.status_code == 302, sent.text
    return await browser.get(sent.headers["location"])


async def the(web: Web, login: str) -> Person:
    async with web.database.reading() as session:
        query = select(Person).options(selectinload(Person.posts)).where(Person.login == login)
        return (await session.scalars(query)).one()


async def test_who_is_registered_comes_in_and_is_known_from_then_on(web: Web, provider: str) -> None:
    school = await web.school(await web.district())
    await web.person(school=school, login="t1001")
    browser = web.browser()
    page = (await browser.get("/login?next=/desk")).text
    assert "用天津教育云登录" in page and 'href="/login/oidc?next=' in page
    await tell(provider, preferred_username="T1001", role=["teacher", "boss"])
    back = await go(browser, "/desk")
    assert (back.status_code, back.headers["location"]) == (303, "/desk")
    assert (await browser.get("/desk")).status_code == 200
    person = await the(web, "t1001")
    assert (person.outside_issuer, person.outside_subject) == (provider, "s1")
    assert [post.post for post in person.posts] == ["teacher"], "by the settings' table, and nothing else"
    await tell(provider, preferred_username="renamed")
    assert (await go(web.browser())).status_code == 303, "the subject says who it is, whatever the claim has become"
    async with web.database.reading() as session:
        told = list(await session.scalars(select(AuditEntry).where(AuditEntry.act == "sign_in")))
    assert [(one.person_id, one.told) for one in told] == [(person.id, {"by": "oidc"})] * 2


async def test_several_claims_must_all_mean_one_person(web: Web, provider: str) -> None:
    """Found by 工号 or telephone; claims of two people, or a number that two have, let nobody in."""
    school = await web.school(await web.district())
    for login, phone in (("t1001", "13800000001"), ("t1002", "13800000002"), ("t1003", "13800000002")):
        person = await web.person(school=school, login=login)
        async with web.transaction() as session:
            (await session.get_one(Person, person.id)).phone = phone
    cases: list[tuple[dict[str, Any], str]] = [
        ({"employee_number": "t1001", "phone_number": "13800000002"}, "不止一人"),
        ({"preferred_username": "t1001", "employee_number": "t1002"}, "不止一人"),
        ({"phone_number": "13800000002"}, "不止一人"),
        ({"phone_number": "13800000001", "phone_number_verified": False}, "没有提供您的身份信息"),
        ({"employee_number": "t9999"}, "没有登记"),
    ]
    for claims, sentence in cases:
        await tell(provider, **claims)
        back = await go(web.browser())
        assert back.status_code == 422 and sentence in back.text, claims
    assert (await the(web, "t1001")).outside_subject is None
    await tell(provider, preferred_username="sso-77", employee_number="t1001", phone_number="13800000001")
    assert (await go(web.browser())).status_code == 303
    assert (await the(web, "t1001")).outside_subject == "s1"
    with pytest.raises(SettingsError, match="OIDC_LINKS"):
        load({"TONGTANG_OIDC_LINKS": "employee_number=name"})


async def test_nobody_is_made_and_nobody_becomes_an_administrator(web: Web, provider: str) -> None:
    await tell(provider, preferred_username="stranger", role="teacher")
    back = await go(web.browser())
    assert back.status_code == 422 and "没有登记" in back.text and "stranger" in back.text
    async with web.database.reading() as session:
        assert list(await session.scalars(select(Person))) == []
    with pytest.raises(SettingsError, match="OIDC_POSTS"):
        load({"TONGTANG_OIDC_POSTS": "role=boss:city_admin"})


@pytest.mark.parametrize(
    "fault", ["issuer", "audience", "expired", "nonce", "azp", "unsigned", "shared", "forged", "denied"]
)
async def test_a_token_that_is_not_right_opens_nothing(web: Web, provider: str, fault: str) -> None:
    await web.person(school=await web.school(await web.district()), login="t1001")
    await tell(provider, fault, preferred_username="t1001")
    browser = web.browser()
    back = await go(browser)
    assert back.status_code == 422 and "没有通过" in back.text
    assert (await browser.get("/desk")).status_code in (303, 401)
    assert (await the(web, "t1001")).outside_subject is None


async def test_a_sign_in_begun_elsewhere_does_not_end_here(web: Web, provider: str) -> None:
    await web.person(school=await web.school(await web.district()), login="t1001")
    await tell(provider, preferred_username="t1001")
    begun = await web.browser().get("/login/oidc")
    async with httpx2.AsyncClient(trust_env=False) as client:
        theirs = (await client.get(begun.headers["location"])).headers["location"]
    victim = web.browser()
    assert "重新点登录按钮" in (await victim.get(theirs)).text, "no cookie"
    await victim.get("/login/oidc")
    assert "重新点登录按钮" in (await victim.get(theirs)).text, "another state"
    state = parse_qs(urlsplit(theirs).query)["state"][0]
    assert (await victim.get(f"/login/oidc/back?code=made-up&state={state}")).status_code == 422


async def test_one_account_of_theirs_is_one_person_of_ours(web: Web, provider: str) -> None:
    school = await web.school(await web.district())
    await web.person(school=school, login="t1001")
    await tell(provider, preferred_username="t1001")
    assert (await go(web.browser())).status_code == 303
    await tell(provider, sub="s2", preferred_username="t1001")
    assert "已与另一个统一身份账号对应" in (await go(web.browser())).text


async def test_a_printed_password_ends_when_the_bureau_vouches_and_a_disabled_account_stays_out(
    web: Web, provider: str
) -> None:
    school = await web.school(await web.district())
    person = await web.person("teacher", school=school, login="t1001")
    async with web.transaction() as session:
        row = await session.get_one(Person, person.id)
        row.password_given, row.password_hash = True, "x"
    await tell(provider, preferred_username="t1001")
    browser = web.browser()
    assert (await go(browser)).status_code == 303 and (await browser.get("/desk")).status_code == 200
    held = await the(web, "t1001")
    assert (held.password_hash, held.password_given) == (None, False)
    async with web.transaction() as session:
        (await session.get_one(Person, person.id)).disabled_at = web.clock.now()
    assert "已停用" in (await go(web.browser())).text


async def test_new_keys_of_theirs_are_looked_up(web: Web, provider: str) -> None:
    await web.person(school=await web.school(await web.district()), login="t1001")
    await tell(provider, preferred_username="t1001")
    assert (await go(web.browser())).status_code == 303
    web.app.state.oidc._keys_at -= 60
    await tell(provider, new_key=True, preferred_username="t1001")
    assert (await go(web.browser())).status_code == 303


async def test_without_a_service_there_is_no_button(web: Web, web_settings: WebSettings) -> None:
    web.app.state.settings = web_settings
    web.app.state.oidc.settings = web_settings
    browser = web.browser()
    assert "/login/oidc" not in (await browser.get("/login")).text
    assert (await browser.get("/login/oidc")).status_code == 404


async def test_a_service_that_is_away_is_said(web: Web) -> None:
    held = web.app.state.oidc
    held.settings = held.settings.model_copy(update={"oidc_issuer": "http://127.0.0.1:1"})
    answer = await web.browser().get("/login/oidc")
    assert answer.status_code == 503 and "暂时连不上" in answer.text
