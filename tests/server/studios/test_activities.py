"""Studios' activities: take people and rooms as lessons do, tell everybody, stand on week and in calendar feeds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import select

from server.accounts.models import Person, PostHeld
from server.ids import new_id
from server.notices.models import Notice
from server.studios.models import Studio, StudioMember
from tests.support.timetable import City, made
from tests.support.web import Browser, Web


@dataclass
class Case:
    city: City
    studio: Studio
    host: Person
    member: Person
    dean: Person
    browser: Browser

    def body(self, web: Web, hours: float = 24, **more: Any) -> dict[str, Any]:
        start = web.clock.now() + timedelta(hours=hours)
        plain = {
            "kind": "research",
            "title": "同步教研：识谱教学",
            "starts_at": start.isoformat(),
            "minutes": 60,
            "rooms": [self.city.lead.id, self.city.room.id],
            "people": [self.member.id],
        }
        return {**plain, **more}

    @property
    def door(self) -> str:
        return f"/api/v1/studios/{self.studio.id}/activities"


@pytest.fixture
async def case(web: Web) -> Case:
    """A host in town; a member who teaches in the village; the village's dean answers for its rooms."""
    city = await made(web)
    host = await web.person(school=city.town, name="林海棠")
    member = await web.person("studio_member", "teacher", school=city.village, name="赵春华")
    dean = await web.person("dean", school=city.village, of_school=city.village)
    studio = Studio(
        id=new_id(), name="林海棠音乐名师工作室", subject="music", phase="primary", school_id=city.town.id,
        host_id=host.id, created_at=web.clock.now(),
    )  # fmt: skip
    await web.add(studio)
    today = date(2026, 9, 1)
    await web.add(
        StudioMember(id=new_id(), studio_id=studio.id, person_id=member.id, role="core", joined_on=today),
        PostHeld(id=new_id(), person_id=host.id, post="studio_host", studio_id=studio.id, starts_on=today),
    )
    return Case(city, studio, host, member, dean, await web.sign_in(host))


async def notices(web: Web) -> dict[str, set[str]]:
    async with web.database.reading() as session:
        rows = await session.scalars(select(Notice))
        found: dict[str, set[str]] = {}
        for row in rows:
            found.setdefault(row.key, set()).add(row.person_id)
        return found


async def test_the_host_plans_and_everybody_concerned_is_told(web: Web, case: Case) -> None:
    made_one = await case.browser.post(case.door, json=case.body(web))
    assert made_one.status_code == 201, made_one.text
    assert set(made_one.json()["people"]) == {"林海棠", "赵春华"}
    assert (await notices(web)) == {"activity": {case.member.id, case.dean.id}}
    member = await web.sign_in(case.member)
    for path in ("/desk", f"/studios/{case.studio.id}", "/timetable?of=teacher&day=2026-11-17", "/notices"):
        page = (await member.get(path)).text
        assert "同步教研：识谱教学" in page, path


async def test_it_clashes_with_lessons_and_lessons_with_it(web: Web, case: Case) -> None:
    lesson = await web.lesson(case.member, case.city.lead, case.city.room, starts=timedelta(hours=24), title="音乐课")
    refused = await case.browser.post(case.door, json=case.body(web))
    assert (refused.status_code, refused.json()["error"]["params"]["title"]) == (409, "音乐课")
    assert {one["kind"] for one in refused.json()["error"]["params"]["clashes"]} == {"person", "room"}
    assert (await case.browser.post(case.door, json=case.body(web, 24 + 40 / 60))).status_code == 201
    admin = await web.sign_in(await web.person("city_admin"))
    later = (web.clock.now() + timedelta(hours=25)).isoformat()
    moved = await admin.post(f"/api/v1/lessons/{lesson.id}/move", json={"starts_at": later})
    clash = moved.json()["error"]["params"]["clashes"][0]
    assert moved.status_code == 409 and clash["title"] == "同步教研：识谱教学"
    assert clash["href"].startswith("/activities/")


async def test_changed_and_called_off_it_keeps_its_id_and_frees_its_time(web: Web, case: Case) -> None:
    row = (await case.browser.post(case.door, json=case.body(web))).json()
    away = f"/api/v1/activities/{row['id']}"
    moved = await case.browser.put(away, json=case.body(web, 48, people=[], rooms=[], sequence=0))
    assert (moved.status_code, moved.json()["sequence"], moved.json()["rooms"]) == (200, 1, [])
    assert case.member.id in (await notices(web))["activity_moved"], "who is no longer asked is told as well"
    stale = await case.browser.put(away, json=case.body(web, 72, sequence=0))
    assert (stale.status_code, stale.json()["error"]["key"]) == (409, "lesson_changed")
    off = await case.browser.post(f"{away}/cancel", json={"note": "主持人外出"})
    assert (off.status_code, off.json()["state"]) == (200, "cancelled")
    again = await case.browser.put(away, json=case.body(web, 72))
    assert (again.status_code, again.json()["error"]["key"]) == (409, "activity_over")
    assert (await case.browser.post(case.door, json=case.body(web, 48))).status_code == 201, "its time is free"


async def test_rooms_and_people_are_the_studios(web: Web, case: Case) -> None:
    far = await web.room(await web.school(await web.district("120119"), "远处小学"))
    stranger = await web.person("teacher", school=case.city.town)
    answers = [
        await case.browser.post(case.door, json=case.body(web, **wrong))
        for wrong in ({"rooms": [far.id]}, {"people": [stranger.id]}, {"starts_at": "2026-11-01T09:00:00+08:00"})
    ]
    assert [(one.status_code, one.json()["error"]["key"]) for one in answers] == [
        (422, "activity_room"),
        (422, "activity_people"),
        (422, "activity_when"),
    ]


async def test_nobody_else_plans_for_it(web: Web, case: Case) -> None:
    for person in (case.member, case.dean, case.city.teacher):
        browser = await web.sign_in(person)
        assert (await browser.post(case.door, json=case.body(web))).status_code == 403
        assert "安排活动" not in (await browser.get(f"/studios/{case.studio.id}")).text
    row = (await case.browser.post(case.door, json=case.body(web))).json()
    foreign = await web.sign_in(await web.person("teacher", school=await web.school(case.city.district, "别校")))
    assert (await foreign.get(f"/activities/{row['id']}")).status_code == 404


async def test_it_stands_in_the_calendar_of_its_people_and_rooms(web: Web, case: Case) -> None:
    row = (await case.browser.post(case.door, json=case.body(web))).json()
    member = await web.sign_in(case.member)
    url = (await member.post("/api/v1/feeds", json={})).json()["url"]
    event = Calendar.from_ical((await web.browser().get(url)).text).walk("VEVENT")[0]
    assert (str(event["SUMMARY"]), int(event["SEQUENCE"]), str(event["STATUS"])) == (
        "同步教研：识谱教学",
        0,
        "CONFIRMED",
    )
    await case.browser.post(f"/api/v1/activities/{row['id']}/cancel", json={})
    event = Calendar.from_ical((await web.browser().get(url)).text).walk("VEVENT")[0]
    assert (int(event["SEQUENCE"]), str(event["STATUS"])) == (1, "CANCELLED")


async def test_by_page(web: Web, case: Case) -> None:
    new = f"/studios/{case.studio.id}/activities/new"
    page = (await case.browser.get(new)).text
    assert "南里小学" in page and "赵春华" in page
    form = {"title": "听评课", "kind": "training", "day": "2026-11-18", "starts": "14:00", "minutes": "90",
            "rooms": case.city.room.id, "people": case.member.id}  # fmt: skip
    wrong = await case.browser.post(new, data={**form, "day": "昨天"})
    assert wrong.status_code == 422 and "听评课" in wrong.text
    done = await case.browser.post(new, data=form)
    assert done.status_code == 303, done.text
    where = done.headers["location"]
    assert "14:00–15:30" in (await case.browser.get(where)).text
    await web.lesson(case.member, case.city.lead, case.city.room, starts=timedelta(days=3), title="音乐课")
    edit = await case.browser.get(where + "/edit")
    assert 'value="14:00"' in edit.text
    clash = await case.browser.post(
        where + "/edit", data={**form, "day": "2026-11-19", "starts": "09:00", "sequence": "0"}
    )
    assert clash.status_code == 422 and "音乐课" in clash.text
    moved = await case.browser.post(
        where + "/edit", data={**form, "day": "2026-11-19", "starts": "10:00", "sequence": "0"}
    )
    assert moved.status_code == 303, moved.text
    assert (await case.browser.post(where + "/cancel", data={"note": "停电"})).status_code == 303
    assert "停电" in (await case.browser.get(where)).text
