"""Signing in and out: what the form does, what is refused, what ends when."""

from __future__ import annotations

import asyncio
import re
from datetime import date, timedelta

import pytest

from server.accounts.models import Person, PostHeld, SignIn
from server.accounts.service import scope_of
from server.security import Passwords
from tests.support.web import ORIGIN, Browser, Web

PASSWORD = "三年二班的密码"


@pytest.fixture(scope="session")
def password_hash() -> str:
    return asyncio.run(Passwords().hash(PASSWORD))


@pytest.fixture
async def teacher(web: Web, password_hash: str) -> Person:
    return await web.person("teacher", login="wang", password_hash=password_hash)


async def sign_in(browser: Browser, login: str = "wang", password: str = PASSWORD, **more: str) -> int:
    answer = await browser.post("/login", data={"login": login, "password": password, **more})
    return int(answer.status_code)


async def test_the_form_signs_in_and_leads_home(web: Web, teacher: Person) -> None:
    browser = web.browser()
    answer = await browser.post("/login", data={"login": " WANG ", "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/home")
    assert (await browser.get("/home")).headers["location"] == "/desk"
    assert (await browser.get("/api/v1/accounts/me")).json()["name"] == "王老师"


async def test_cookies_are_out_of_reach_of_scripts(web: Web, teacher: Person) -> None:
    answer = await web.browser().post("/login", data={"login": "wang", "password": PASSWORD})
    cookies = answer.headers.get_list("set-cookie")
    assert any(cookie.startswith("tongtang-person=") for cookie in cookies)
    for cookie in cookies:
        assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie


async def test_over_https_cookies_are_bound_to_the_host(web: Web, teacher: Person) -> None:
    browser = web.browser()
    browser.cookies.set("__Host-tongtang-seed", browser.seed, domain="class.test")
    answer = await browser.post(
        "https://class.test/login",
        data={"login": "wang", "password": PASSWORD},
        headers={"origin": "https://class.test"},
    )
    assert answer.status_code == 303
    assert "max-age=31536000" in answer.headers["strict-transport-security"]
    for cookie in answer.headers.get_list("set-cookie"):
        assert cookie.startswith("__Host-tongtang-") and "Secure" in cookie


@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        ("/lessons/x", "/lessons/x"),
        ("https://evil.test/", "/home"),
        ("//evil.test", "/home"),
        ("/\\evil.test", "/home"),
        ("javascript:alert(1)", "/home"),
    ],
)
async def test_signing_in_leads_nowhere_but_here(web: Web, teacher: Person, asked: str, goes: str) -> None:
    answer = await web.browser().post("/login", data={"login": "wang", "password": PASSWORD, "next": asked})
    assert answer.headers["location"] == goes


async def test_a_wrong_password_and_an_unknown_name_look_the_same(web: Web, teacher: Person) -> None:
    wrong = await web.browser().post("/login", data={"login": "wang", "password": "guess"})
    unknown = await web.browser().post("/login", data={"login": "wong", "password": "guess"})
    assert wrong.status_code == unknown.status_code == 422
    blank = re.compile(r'content="[^"]+"|value="[^"]*"')
    assert blank.sub("", wrong.text) == blank.sub("", unknown.text)
    assert "用户名或密码不对" in wrong.text


async def test_guessing_is_stopped_even_for_the_right_password(web: Web, teacher: Person) -> None:
    for _ in range(5):
        assert await sign_in(web.browser(), password="guess") == 422
    assert await sign_in(web.browser()) == 429
    assert await sign_in(web.browser(), login="li", password="x") == 422, "one account's lock is nobody else's"


async def test_a_disabled_account_is_out_at_once(web: Web, teacher: Person) -> None:
    browser = await web.sign_in(teacher)
    assert (await browser.get("/api/v1/accounts/me")).status_code == 200
    async with web.transaction() as session:
        (await session.get_one(Person, teacher.id)).disabled_at = web.clock.now()
    assert (await browser.get("/api/v1/accounts/me")).status_code == 401
    assert await sign_in(web.browser()) == 422


async def test_a_sign_in_ends_after_twelve_hours_without_use_and_lives_on_with_it(web: Web, teacher: Person) -> None:
    used, idle = await web.sign_in(teacher), await web.sign_in(teacher)
    for _ in range(3):
        web.clock.moment += timedelta(hours=5)
        assert (await used.get("/api/v1/accounts/me")).status_code == 200
    assert (await idle.get("/api/v1/accounts/me")).status_code == 401


async def test_signing_out_ends_this_session_only(web: Web, teacher: Person) -> None:
    here, there = await web.sign_in(teacher), await web.sign_in(teacher)
    token = here.cookies["tongtang-person"]
    assert (await here.post("/logout", data={"csrf": here.csrf})).status_code == 303
    here.cookies.set("tongtang-person", token, domain="class.test")
    assert (await here.get("/api/v1/accounts/me")).status_code == 401, "the token itself is dead, not only the cookie"
    assert (await there.get("/api/v1/accounts/me")).status_code == 200


async def test_my_sign_ins_can_be_seen_and_revoked_one_by_one_or_all(web: Web, teacher: Person) -> None:
    here, lost, third = [await web.sign_in(teacher) for _ in range(3)]
    seen = (await here.get("/api/v1/accounts/sign-ins")).json()
    assert [one["current"] for one in seen].count(True) == 1 and len(seen) == 3
    current_of_lost = (await lost.get("/api/v1/accounts/sign-ins")).json()
    mine = next(one["id"] for one in current_of_lost if one["current"])
    assert (await here.delete(f"/api/v1/accounts/sign-ins/{mine}")).status_code == 204
    assert (await lost.get("/api/v1/accounts/me")).status_code == 401
    assert (await here.post("/me/sign-out-everywhere")).status_code == 303
    assert (await third.get("/api/v1/accounts/me")).status_code == 401
    assert (await here.get("/api/v1/accounts/me")).status_code == 200


async def test_nobody_revokes_another_s_sign_in(web: Web, teacher: Person) -> None:
    other = await web.sign_in(await web.person("teacher"))
    mine = await web.sign_in(teacher)
    theirs = (await other.get("/api/v1/accounts/sign-ins")).json()[0]["id"]
    assert (await mine.delete(f"/api/v1/accounts/sign-ins/{theirs}")).status_code == 404
    for guess in ("%", "_" * 16, "a"):
        assert (await mine.delete(f"/api/v1/accounts/sign-ins/{guess}")).status_code in (404, 405)
    assert (await other.get("/api/v1/accounts/me")).status_code == 200


async def test_changing_the_password_throws_everybody_else_out(web: Web, teacher: Person) -> None:
    here, thief = await web.sign_in(teacher), await web.sign_in(teacher)
    short = await here.post("/me/password", data={"current": PASSWORD, "new": "kurz"})
    assert short.status_code == 422 and "至少 8 个字符" in short.text
    assert (await here.post("/me/password", data={"current": "guess", "new": "新的密码新的密码"})).status_code == 422
    answer = await here.post("/me/password", data={"current": PASSWORD, "new": "新的密码新的密码"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/me?done=password")
    assert (await thief.get("/api/v1/accounts/me")).status_code == 401
    assert (await here.get("/me?done=password")).status_code == 200
    assert await sign_in(web.browser()) == 422
    assert await sign_in(web.browser(), password="新的密码新的密码") == 303


async def test_only_hashes_of_tokens_are_kept(web: Web, teacher: Person) -> None:
    browser = await web.sign_in(teacher)
    async with web.database.reading() as session:
        rows = (await session.execute(SignIn.__table__.select())).mappings().all()
    assert browser.cookies["tongtang-person"] not in str([dict(row) for row in rows])


async def test_demo_accounts_are_offered_in_a_demo_database_only(web: Web, password_hash: str) -> None:
    person = await web.person("teacher", login="teacher", password_hash=password_hash)
    assert "accounts.demo" not in (page := (await web.browser().get("/login")).text) and "演示账号" not in page
    async with web.transaction() as session:
        (await session.get_one(Person, person.id)).demo = True
    web.app.state.demo = True
    assert "演示账号" in (await web.browser().get("/login")).text


async def test_a_signed_in_person_is_not_asked_again(web: Web, teacher: Person) -> None:
    answer = await (await web.sign_in(teacher)).get("/login?next=/me")
    assert (answer.status_code, answer.headers["location"]) == (303, "/me")


def person(*posts: tuple[str, str | None, str | None], ends: date | None = None) -> Person:
    held = [
        PostHeld(post=post, district_id=district, school_id=school, starts_on=date(2026, 9, 1), ends_on=ends)
        for post, district, school in posts
    ]
    return Person(id="p", login="p", name="p", school_id="work", posts=held)


@pytest.mark.parametrize(
    ("posts", "city", "districts", "schools", "readonly"),
    [
        ([("teacher", None, None)], False, set(), set(), False),
        ([("school_admin", None, "s")], False, set(), {"s"}, False),
        ([("district_admin", "120113", None)], False, {"120113"}, set(), False),
        ([("city_admin", None, None)], True, set(), set(), False),
        ([("inspector", None, None)], True, set(), set(), True),
        ([("evaluator", "120113", None)], False, {"120113"}, set(), True),
        # Who administers a school and inspects the city may not change the city.
        ([("school_admin", None, "s"), ("inspector", None, None)], False, set(), {"s"}, False),
    ],
)
def test_posts_make_a_scope(
    posts: list[tuple[str, str | None, str | None]], city: bool, districts: set[str], schools: set[str], readonly: bool
) -> None:
    scope = scope_of(person(*posts), date(2026, 11, 16))
    assert (scope.city, set(scope.districts), set(scope.schools), scope.readonly) == (
        city,
        districts,
        schools,
        readonly,
    )


def test_a_post_that_ended_gives_nothing() -> None:
    assert (
        scope_of(person(("city_admin", None, None), ends=date(2026, 11, 15)), date(2026, 11, 16)).posts == frozenset()
    )


def test_origin_of_tests_is_no_real_host() -> None:
    assert ORIGIN.endswith(".test")
