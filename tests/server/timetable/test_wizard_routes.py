"""开学向导 and days away as JSON: what the pages show, and no more."""

from __future__ import annotations

from datetime import date

import pytest

from server.timetable.models import Term
from tests.support import timetable
from tests.support.timetable import City
from tests.support.web import Browser, Web


@pytest.fixture
async def city(web: Web) -> City:
    held = await timetable.with_classroom(web)
    await web.add(Term(id="2027-1", name="新学期", starts_on=date(2027, 9, 1), ends_on=date(2028, 1, 20)))
    return held


@pytest.fixture
async def admin(web: Web, city: City) -> Browser:
    return await web.sign_in(await web.person("city_admin"))


WIZARD = "/api/v1/timetable/wizard"


async def test_a_draft_and_its_copy(web: Web, city: City, admin: Browser) -> None:
    drawn = (await admin.get(f"{WIZARD}?old=2026-1&new=2027-1")).json()
    (one,) = drawn["items"]
    assert (one["classroom_id"], one["grade"], one["new_grade"], one["copied"]) == ("c", 3, 4, False)
    assert {"pairing"} <= {lapsed["what"] for lapsed in one["lapsed"]} and drawn["count"] == 1
    assert (await admin.get(f"{WIZARD}?old=2026-1&new=2027-1&promote=false")).json()["items"][0]["new_grade"] == 3
    body = {"old": "2026-1", "new": "2027-1", "classrooms": []}
    assert (await admin.post(WIZARD, json=body)).json() == {"classrooms": []}
    made = await admin.post(WIZARD, json={**body, "classrooms": ["c"]})
    assert made.status_code == 201 and len(made.json()["classrooms"]) == 1
    assert (await admin.post(WIZARD, json={**body, "classrooms": ["c"]})).json() == {"classrooms": []}
    assert (await admin.get(f"{WIZARD}?old=2026-1&new=2027-1")).json()["items"][0]["copied"] is True


async def test_who_may_not_draw(web: Web, city: City, admin: Browser) -> None:
    assert (await admin.get(f"{WIZARD}?old=2027-1&new=2026-1")).json()["error"]["key"] == "wizard_terms"
    assert (await admin.get(f"{WIZARD}?old=2020-1&new=2026-1")).status_code == 404
    assert (await admin.get(f"{WIZARD}?old=2026-1")).status_code == 422
    teacher = await web.sign_in(city.teacher)
    assert (await teacher.get(f"{WIZARD}?old=2026-1&new=2027-1")).status_code == 403
    assert (await teacher.post(WIZARD, json={"old": "2026-1", "new": "2027-1"})).status_code == 403
    other = await web.sign_in(await web.person("district_admin", district=await web.district("120115", "far")))
    shown = (await other.get(f"{WIZARD}?old=2026-1&new=2027-1")).json()
    assert shown.get("items") == [], shown


async def test_days_away_are_a_list(web: Web, city: City, admin: Browser) -> None:
    days = [("2026-12-03", "2026-12-04"), ("2026-11-18", "2026-11-18"), ("2026-12-20", "2026-12-24")]
    for number, (first, last) in enumerate(days):
        school = city.town if number else city.village
        body = {"school_id": school.id, "kind": "sports", "name": f"{number}", "first_on": first, "last_on": last}
        assert (await admin.post("/api/v1/spans", json=body)).status_code == 201

    async def names(browser: Browser, query: str = "") -> list[str]:
        return [one["name"] for one in (await browser.get(f"/api/v1/spans{query}")).json()["items"]]

    assert await names(admin) == ["2", "0", "1"]
    assert await names(admin, f"?school={city.village.id}") == ["0"]
    assert await names(admin, "?first=2026-12-04&last=2026-12-20") == ["2", "0"]
    assert await names(admin, "?size=2&page=2") == ["1"]
    village = await web.sign_in(await web.person("school_admin", school=city.village, of_school=city.village))
    assert await names(village) == ["0"]
    found = (await village.get("/api/v1/spans")).json()["items"][0]
    assert (await village.get(f"/api/v1/spans/{found['id']}")).json() == {**found, "lessons": []}
