"""Machine tokens: made once, read only, within their place, no pupils; they end by clock or with their maker's post."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts.models import Person, PostHeld
from server.schools.models import Room, School
from server.tokens.models import MachineToken
from server.tokens.service import READABLE
from tests.support.web import Browser, Web

TOKENS = "/api/v1/tokens"


@dataclass
class City:
    here: School
    elsewhere: School
    room: Room
    pupil: Person
    admin: Person
    browser: Browser


@pytest.fixture
async def city(web: Web) -> City:
    district = await web.district()
    here, elsewhere = await web.school(district, "南里小学"), await web.school(await web.district("120114"), "别处小学")
    room = await web.room(here)
    pupil = await web.person("pupil", school=here, name="小学生")
    await web.person("teacher", school=here, name="李老师")
    admin = await web.person("district_admin", district=district, name="区管理员")
    return City(here, elsewhere, room, pupil, admin, await web.sign_in(admin))


async def make(browser: Browser, place: str = "district:120113") -> dict[str, Any]:
    answer = await browser.post(TOKENS, json={"name": "区数据平台", "place": place})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def bearer(made: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {made['token']}"}


async def test_a_machine_reads_its_place_and_nothing_else(web: Web, city: City) -> None:
    made = await make(city.browser)
    machine, shown = web.browser(), bearer(made)
    schools = (await machine.get("/api/v1/schools", headers=shown)).json()
    assert [one["name"] for one in schools["items"]] == ["南里小学"]
    assert (await machine.get(f"/api/v1/schools/{city.elsewhere.id}", headers=shown)).status_code == 404
    people = (await machine.get("/api/v1/people", headers=shown)).json()["items"]
    assert {one["name"] for one in people} == {"李老师", "区管理员"}, "a machine has no business with pupils"
    assert (await machine.get(f"/api/v1/people/{city.pupil.id}", headers=shown)).status_code == 404
    for path in ("/desk", "/admin/people", "/api/v1/accounts/me", "/api/v1/channels", TOKENS, "/api/v1/audit"):
        assert (await machine.get(path, headers=shown)).status_code == 403, path
    body = {"name": "x", "place": "district:120113"}
    assert (await machine.post(TOKENS, json=body, headers=shown)).status_code == 403
    assert (await machine.delete(f"/api/v1/schools/{city.here.id}", headers=shown)).status_code == 403


async def test_it_is_shown_once_and_kept_as_a_hash(web: Web, city: City) -> None:
    answer = await city.browser.post(
        "/admin/tokens", data={"name": "平台", "place": f"school:{city.here.id}", "days": "30"}
    )
    assert answer.status_code == 200 and "只显示这一次" in answer.text
    shown = answer.text.partition('id="made-token">')[2].partition("<")[0]
    assert (await web.browser().get("/api/v1/schools", headers={"authorization": f"Bearer {shown}"})).status_code == 200
    page = (await city.browser.get("/admin/tokens?lang=en")).text
    assert shown not in page and shown[3:] not in page and "Last used" in page
    async with web.database.reading() as session:
        (row,) = await session.scalars(select(MachineToken))
    assert shown not in (row.token_sha256, row.name) and row.expires_at == web.clock.now() + timedelta(days=30)
    assert row.seen_at == web.clock.now()


async def test_it_ends_when_revoked_when_it_runs_out_and_when_its_maker_goes(web: Web, city: City) -> None:
    revoked, old, orphan = [await make(city.browser) for _ in range(3)]

    async def status(made: dict[str, Any]) -> int:
        return (await web.browser().get("/api/v1/schools", headers=bearer(made))).status_code

    assert await status(revoked) == 200
    assert (await city.browser.delete(f"{TOKENS}/{revoked['id']}")).status_code == 204
    assert await status(revoked) == 401 and await status({"token": "tt-guessed"}) == 401
    assert (await web.browser().get("/healthz", headers=bearer(revoked))).status_code == 200
    async with web.transaction() as session:
        (await session.get_one(MachineToken, old["id"])).expires_at = web.clock.now()
    assert await status(old) == 401 and await status(orphan) == 200
    async with web.transaction() as session:
        post = (await session.scalars(select(PostHeld).where(PostHeld.person_id == city.admin.id))).one()
        post.ends_on = date(2026, 11, 1)
    assert await status(orphan) == 401, "its maker administers nothing any more"


async def test_nobody_makes_one_beyond_their_place_and_ten_are_enough(web: Web, city: City) -> None:
    for place, status in (("city", 403), ("district:120114", 403), (f"school:{city.elsewhere.id}", 404)):
        answer = await city.browser.post(TOKENS, json={"name": "x", "place": place})
        assert answer.status_code == status, place
    for who in ("teacher", "evaluator", "dean"):
        browser = await web.sign_in(await web.person(who, school=city.here))
        answer = await browser.post(TOKENS, json={"name": "x", "place": f"school:{city.here.id}"})
        assert answer.status_code == 403
        assert (await browser.get("/admin/tokens")).status_code == 403
    for _ in range(10):
        await make(city.browser)
    answer = await city.browser.post(TOKENS, json={"name": "x", "place": "district:120113"})
    assert answer.status_code == 409 and "10" in answer.json()["error"]["message"]


async def test_a_machine_that_asks_too_often_waits(web: Web, city: City) -> None:
    made = await make(city.browser)
    for _ in range(300):
        await web.app.state.rates.hit("token", made["id"])
    answer = await web.browser().get("/api/v1/schools", headers=bearer(made))
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 0


def test_no_recording_slide_or_seat_is_readable() -> None:
    for path in (
        "lessons/x/replay",
        "lessons/x/decks",
        "lessons/x/sound.m4a",
        "lessons/x/seat",
        "kiosk",
        "accounts/me",
    ):
        assert not READABLE.match(f"/api/v1/{path}"), path
    for path in (
        "lessons",
        "lessons/x",
        "schools/x/rooms",
        "lessons/x/changes",
        "reports/2026-11/city",
        "openapi.json",
    ):
        assert READABLE.match(f"/api/v1/{path}"), path
