"""Secret calendar addresses: stable ids, rising numbers, cancellations that are said; nobody without the address."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from icalendar import Calendar

from server.clock import CITY
from server.lessons.models import Lesson
from tests.support.web import Browser, Web


async def made(web: Web) -> tuple[Lesson, Browser, Browser]:
    """A lesson, its teacher's browser and an administrator's."""
    district = await web.district()
    town, village = await web.school(district, "城关小学"), await web.school(district, "南里小学")
    lead, room = await web.room(town, "录播教室", kind="lead"), await web.room(village)
    teacher = await web.person("teacher", school=town)
    lesson = await web.lesson(teacher, lead, room, starts=timedelta(days=1))
    return lesson, await web.sign_in(teacher), await web.sign_in(await web.person("city_admin"))


async def events(web: Web, url: str) -> dict[str, Any]:
    answer = await web.browser().get(url)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/calendar")
    read = Calendar.from_ical(answer.content)
    return {str(event["uid"]): event for event in read.walk("VEVENT")}


async def test_a_feed_says_when_and_where_and_that_it_changed(web: Web) -> None:
    lesson, teacher, admin = await made(web)
    url = (await teacher.post("/api/v1/feeds", json={})).json()["url"]
    [(uid, event)] = (await events(web, url)).items()
    assert uid.startswith(f"{lesson.id}@")
    assert (event["dtstart"].dt, event["sequence"], event["status"]) == (lesson.starts_at, 0, "CONFIRMED")
    assert event["dtstart"].params["TZID"] == str(CITY)
    await admin.post(
        f"/api/v1/lessons/{lesson.id}/move", json={"starts_at": (lesson.starts_at + timedelta(days=1)).isoformat()}
    )
    [(same, event)] = (await events(web, url)).items()
    assert (same, event["sequence"], event["dtstart"].dt) == (uid, 1, lesson.starts_at + timedelta(days=1))
    await admin.post(f"/api/v1/lessons/{lesson.id}/call-off", json={"reason": "power"})
    [(same, event)] = (await events(web, url)).items()
    assert (same, event["sequence"], event["status"]) == (uid, 2, "CANCELLED")


async def test_a_new_address_makes_the_old_one_stop(web: Web) -> None:
    _, teacher, _ = await made(web)
    old = (await teacher.post("/api/v1/feeds", json={})).json()["url"]
    new = (await teacher.post("/api/v1/feeds", json={})).json()["url"]
    assert old != new
    assert (await web.browser().get(old)).status_code == 404
    assert len(await events(web, new)) == 1
    assert (await teacher.delete("/api/v1/feeds")).status_code == 204
    assert (await web.browser().get(new)).status_code == 404
    assert (await web.browser().get("/calendar/guess.ics")).status_code == 404


async def test_a_room_has_a_feed_for_those_who_administer_it(web: Web) -> None:
    lesson, teacher, admin = await made(web)
    room = {"room": lesson.receipts[0].room_id}
    assert (await teacher.post("/api/v1/feeds", json=room)).json()["error"]["key"] == "feed_room"
    url = (await admin.post("/api/v1/feeds", json=room)).json()["url"]
    assert len(await events(web, url)) == 1


async def test_the_address_is_made_on_a_page_and_shown_once(web: Web) -> None:
    _, teacher, _ = await made(web)
    assert 'action="/feeds"' in (await teacher.get("/timetable")).text
    page = await teacher.post("/feeds", data={"csrf": teacher.csrf})
    assert page.status_code == 200
    url = page.text.split('class="feed-url">')[1].split("<")[0]
    assert len(await events(web, url)) == 1


async def test_a_disabled_persons_and_a_closed_rooms_address_is_silent(web: Web) -> None:
    lesson, teacher, admin = await made(web)
    room = lesson.receipts[0].room_id
    mine = (await teacher.post("/api/v1/feeds", json={})).json()["url"]
    rooms = (await admin.post("/api/v1/feeds", json={"room": room})).json()["url"]
    assert (await admin.post(f"/api/v1/people/{lesson.teacher_id}/disable")).status_code == 204
    assert (await web.browser().get(mine)).status_code == 404
    assert len(await events(web, rooms)) == 1
    assert (await admin.post(f"/api/v1/rooms/{room}/close")).status_code == 200
    assert (await web.browser().get(rooms)).status_code == 404


async def test_an_address_is_looked_at_and_stopped(web: Web) -> None:
    lesson, teacher, admin = await made(web)
    room = lesson.receipts[0].room_id
    for browser, query in ((teacher, ""), (admin, f"?room={room}")):
        assert (await browser.get(f"/api/v1/feeds{query}")).json() == []
        assert "现在没有订阅地址" in (await browser.get(f"/feeds{query}")).text
        url = (await browser.post("/api/v1/feeds", json={"room": room} if query else {})).json()["url"]
        assert len((await browser.get(f"/api/v1/feeds{query}")).json()) == 1
        assert 'action="/feeds/revoke"' in (await browser.get(f"/feeds{query}")).text
        if query:
            assert (await browser.delete(f"/api/v1/feeds{query}")).status_code == 204
        else:
            assert (await browser.post("/feeds/revoke", data={"room": ""})).status_code == 303
        assert (await web.browser().get(url)).status_code == 404
    for answer in (
        await teacher.get(f"/api/v1/feeds?room={room}"),
        await teacher.delete(f"/api/v1/feeds?room={room}"),
        await teacher.get(f"/feeds?room={room}"),
    ):
        assert answer.status_code == 422, "somebody else's room"
    assert 'href="/feeds"' in (await teacher.get("/timetable")).text
