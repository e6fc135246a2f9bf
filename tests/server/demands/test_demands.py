"""The exchange from end to end: a gap becomes a need with one press, offers come, one becomes a timetable."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from server.accounts.models import Person, PostHeld
from server.classrooms.models import Classroom
from server.demands.models import Demand
from server.ids import new_id
from server.lessons.models import Invitation, Lesson
from server.notices.models import Notice
from server.schools.models import Gap, Room, School, SchoolClass
from server.studios.models import Studio
from server.timetable.models import Term
from tests.support.web import Browser, Web

DEMANDS = "/api/v1/demands"
DAY = timedelta(days=1)


@dataclass
class Side:
    school: School
    room: Room
    teacher: Person
    admin: Person
    browser: Browser
    shown: dict[str, str] = field(default_factory=dict)


@dataclass
class City:
    village: Side
    town: Side
    other: Side
    gap: Gap


async def side(web: Web, district: str, name: str, kind: str) -> Side:
    school = await web.school(await web.district(district), name)
    room = await web.room(school, f"{name[:2]}教室", kind=kind)
    teacher = await web.person("teacher", school=school, name=f"{name[:2]}老师")
    admin = await web.person("school_admin", school=school, of_school=school, name=f"{name[:2]}主任")
    return Side(school, room, teacher, admin, await web.sign_in(admin))


@pytest.fixture
async def city(web: Web) -> City:
    await web.add(Term(id="2026-1", name="第一学期", starts_on=date(2026, 9, 1), ends_on=date(2027, 1, 20)))
    village = await side(web, "120113", "南里小学", "receiving")
    town = await side(web, "120101", "城关小学", "lead")
    other = await side(web, "120102", "东门小学", "lead")
    gap = Gap(
        id=new_id(), school_id=village.school.id, term="2026-1", grade=4, subject="music", note="没有钢琴",
        declared_on=date(2026, 9, 2),
    )  # fmt: skip
    await web.add(gap)
    return City(village, town, other, gap)


async def need(city: City) -> dict[str, Any]:
    answer = await city.village.browser.post(f"{DEMANDS}/from-gap/{city.gap.id}")
    assert answer.status_code == 201, answer.text
    wish = {"weekday": 3, "half": "pm", "note": "周三下午最好"}
    answer = await city.village.browser.put(f"{DEMANDS}/{answer.json()['id']}/wish", json=wish)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def proposals(side: Side, demand: str) -> list[dict[str, Any]]:
    asked = f"{DEMANDS}/{demand}/proposals?lead_room={side.room.id}&teacher={side.teacher.id}"
    answer = await side.browser.get(asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["proposals"]
    return found


async def offer(side: Side, demand: str, which: int = 0) -> dict[str, Any]:
    time = (await proposals(side, demand))[which]
    body = {
        "lead_room_id": side.room.id,
        "teacher_id": side.teacher.id,
        "weekday": time["weekday"],
        "starts": time["starts"],
        "note": f"{side.school.name}的备注",
    }
    answer = await side.browser.post(f"{DEMANDS}/{demand}/offers", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def told(web: Web, person: Person) -> list[str]:
    async with web.database.reading() as session:
        query = select(Notice.key).where(Notice.person_id == person.id).order_by(Notice.at, Notice.id)
        return list(await session.scalars(query))


async def test_a_gap_becomes_a_timetable(web: Web, city: City) -> None:
    page = await city.village.browser.get("/admin/gaps")
    assert "发布到需求对接" in page.text
    pressed = await city.village.browser.post(f"/demands/from-gap/{city.gap.id}")
    assert pressed.status_code == 303
    made = await need(city)
    assert pressed.headers["location"].startswith(f"/demands/{made['id']}"), "pressed twice it is one need"
    assert (made["room_id"], made["grade"], made["subject"]) == (city.village.room.id, 4, "music")
    assert "已发布，查看" in (await city.village.browser.get("/admin/gaps")).text

    listed = (await city.town.browser.get(DEMANDS)).json()
    assert [one["id"] for one in listed["items"]] == [made["id"]], "of another district, and not paired"
    times = await proposals(city.town, made["id"])
    assert times[0]["weekday"] == 3 and times[0]["starts"] >= "12:00", "as wished, first"
    chosen, passed = await offer(city.town, made["id"]), await offer(city.other, made["id"], 1)
    assert await told(web, city.village.admin) == ["offer_made", "offer_made"]

    answer = await city.village.browser.post(f"{DEMANDS}/{made['id']}/offers/{chosen['id']}/accept")
    assert answer.status_code == 200, answer.text
    agreed = answer.json()
    assert agreed["state"] == "agreed"
    assert {one["id"]: one["state"] for one in agreed["offers"]} == {chosen["id"]: "accepted", passed["id"]: "passed"}
    async with web.database.reading() as session:
        classroom = await session.get_one(Classroom, agreed["classroom_id"])
        lessons = list((await session.scalars(select(Lesson).where(Lesson.classroom_id == classroom.id))).unique())
        asked = (await session.scalars(select(Invitation))).one()
    assert classroom.name == "城关小学—南里小学 四年级音乐" and classroom.lead_room_id == city.town.room.id
    assert len(lessons) == times[0]["days"] and {one.state for one in lessons} == {"published"}
    assert (asked.school_id, asked.answer, asked.answered_by) == (
        city.village.school.id,
        "confirmed",
        city.village.admin.id,
    ), "who accepts an offer is not asked again"
    assert "invited" not in await told(web, city.village.admin)
    assert "offer_accepted" in await told(web, city.town.admin)
    assert "offer_passed" in await told(web, city.other.admin)
    assert (await city.other.browser.get(f"{DEMANDS}/{made['id']}")).json()["offers"][0]["state"] == "passed"


async def test_who_offered_what_is_for_those_concerned(web: Web, city: City) -> None:
    made = await need(city)
    await offer(city.town, made["id"])
    seen = (await city.other.browser.get(f"{DEMANDS}/{made['id']}")).json()
    assert seen["offers"] == []
    assert "城关小学的备注" not in (await city.other.browser.get(f"/demands/{made['id']}")).text
    for side in (city.village, city.town):
        assert "城关小学的备注" in (await side.browser.get(f"/demands/{made['id']}")).text


async def test_rights_and_states(web: Web, city: City) -> None:
    made = await need(city)
    held, base = await offer(city.town, made["id"]), f"{DEMANDS}/{made['id']}"
    for browser in (city.town.browser, city.other.browser):
        assert (await browser.post(f"{base}/offers/{held['id']}/accept")).status_code == 403
        assert (await browser.post(f"{base}/withdraw")).status_code == 403
        assert (await browser.put(f"{base}/wish", json={})).status_code == 403
    assert (await city.other.browser.post(f"{base}/offers/{held['id']}/withdraw")).status_code == 403
    teacher = await web.sign_in(city.town.teacher)
    assert (await teacher.get("/demands")).status_code == 200
    body = {"lead_room_id": city.town.room.id, "teacher_id": city.town.teacher.id, "weekday": 3, "starts": "14:00"}
    assert (await teacher.post(f"{base}/offers", json=body)).status_code == 403
    assert (await city.town.browser.post(f"{base}/offers", json={**body, "starts": "03:10"})).status_code == 422
    assert (await city.other.browser.post(f"{base}/offers", json=body)).status_code == 403
    evaluator = await web.sign_in(await web.person("evaluator"))
    assert (await evaluator.get(base)).json()["offers"][0]["id"] == held["id"]
    assert (await evaluator.post(f"{base}/withdraw")).status_code == 403

    assert (await city.town.browser.post(f"{base}/offers/{held['id']}/withdraw")).json()["state"] == "withdrawn"
    assert (await city.village.browser.post(f"{base}/offers/{held['id']}/accept")).status_code == 409
    assert (await city.village.browser.get(base)).json()["state"] == "open", "and nothing of it stays"
    again = await offer(city.town, made["id"])
    assert (await city.village.browser.post(f"{base}/withdraw")).json()["state"] == "withdrawn"
    assert "demand_withdrawn" in await told(web, city.town.admin)
    assert (await city.village.browser.post(f"{base}/offers/{again['id']}/accept")).status_code == 409
    assert (await city.town.browser.post(f"{base}/offers", json=body)).status_code == 409
    assert (await city.other.browser.get(base)).status_code == 404, "no longer open, and never theirs"


async def test_who_assists_and_which_class_sits_there_is_said_with_the_acceptance(web: Web, city: City) -> None:
    made, village = await need(city), city.village
    held = await offer(city.town, made["id"])
    aide = await web.person("assistant", school=village.school, name="赵春华")
    four = SchoolClass(id=new_id(), school_id=village.school.id, phase="primary", entry_year=2023, number=1, pupils=23)
    await web.add(four)
    page = (await village.browser.get(f"/demands/{made['id']}")).text
    assert "赵春华" in page and four.id in page
    where, said = f"/demands/{made['id']}/offers/{held['id']}/accept", {"assistant_id": aide.id, "class_id": four.id}
    wrong = await village.browser.post(where, data={**said, "assistant_id": city.town.teacher.id})
    assert wrong.status_code == 422
    assert (await village.browser.post(where, data=said)).status_code == 303
    async with web.database.reading() as session:
        (receiver,) = (await session.scalars(select(Classroom))).unique().one().receivers
        assert (receiver.assistant_id, receiver.class_id) == (aide.id, four.id)
        (receipt,) = (await session.scalars(select(Lesson).limit(1))).unique().one().receipts
        assert (receipt.assistant_id, receipt.expected) == (aide.id, 23)


async def test_a_time_that_is_taken_meanwhile_changes_nothing_and_is_named(web: Web, city: City) -> None:
    made = await need(city)
    held = await offer(city.town, made["id"])
    async with web.database.reading() as session:
        hers = await session.get_one(Person, city.town.teacher.id)
    second = await web.room(city.other.school, "另一间", kind="receiving")
    weekday = held["weekday"]
    days = (weekday - 1) % 7 + 7
    start = web.clock.now().replace(hour=int(held["starts"][:2]) - 8, minute=int(held["starts"][3:5]))
    await web.lesson(hers, city.town.room, second, title="已有的课", starts=start - web.clock.now() + days * DAY)
    page = await city.village.browser.post(f"/demands/{made['id']}/offers/{held['id']}/accept")
    assert page.status_code == 422 and "冲突" in page.text
    async with web.database.reading() as session:
        assert (await session.get_one(Demand, made["id"])).state == "open"
        assert await session.scalar(select(func.count()).select_from(Classroom)) == 0


async def test_a_studio_offers_a_room_of_its_school(web: Web, city: City) -> None:
    host = await web.person("teacher", school=city.town.school, name="名师")
    studio = Studio(
        id=new_id(), name="音乐工作室", subject="music", phase="primary", school_id=city.town.school.id,
        host_id=host.id, created_at=web.clock.now(),
    )  # fmt: skip
    await web.add(studio)
    post = PostHeld(id=new_id(), person_id=host.id, post="studio_host", studio_id=studio.id, starts_on=date(2026, 1, 1))
    await web.add(post)
    elsewhere = await web.person("teacher", school=city.town.school, name="数学名师")
    maths = Studio(
        id=new_id(), name="数学工作室", subject="maths", phase="primary", school_id=city.town.school.id,
        host_id=elsewhere.id, created_at=web.clock.now(),
    )  # fmt: skip
    await web.add(maths)
    day = date(2026, 1, 1)
    await web.add(PostHeld(id=new_id(), person_id=elsewhere.id, post="studio_host", studio_id=maths.id, starts_on=day))
    made, browser = await need(city), await web.sign_in(host)
    assert await told(web, host) == ["demand_posted"] and await told(web, elsewhere) == []
    page = f"/demands/{made['id']}?lead_room_id={city.town.room.id}&teacher_id={host.id}&studio_id={studio.id}"
    shown = (await browser.get(page)).text
    assert "正是希望的时间" in shown and 'name="slot"' in shown
    slot = shown.partition('name="slot" value="')[2].partition('"')[0]
    form = {"slot": slot, "lead_room_id": city.town.room.id, "teacher_id": host.id, "studio_id": studio.id}
    foreign = {**form, "lead_room_id": city.other.room.id}
    assert (await browser.post(f"/demands/{made['id']}/offers", data=foreign)).status_code == 422
    without = {key: value for key, value in form.items() if key != "studio_id"}
    assert (await browser.post(f"/demands/{made['id']}/offers", data=without)).status_code == 403
    assert (await browser.post(f"/demands/{made['id']}/offers", data=form)).status_code == 303
    assert "工作室" in (await city.village.browser.get(f"/demands/{made['id']}")).text


async def test_posting_by_hand_and_its_bounds(web: Web, city: City) -> None:
    form = {"room_id": city.village.room.id, "term": "2026-1", "grade": "3", "subject": "art", "half": "am"}
    posted = await city.village.browser.post("/demands", data=form)
    assert posted.status_code == 303
    assert (await city.village.browser.get(posted.headers["location"] + "&lang=en")).status_code == 200
    assert (await city.town.browser.post("/demands", data=form)).status_code == 403
    wrong = await city.village.browser.post("/demands", data={**form, "grade": "12"})
    assert wrong.status_code == 422
    assert (await city.village.browser.post("/demands", data={**form, "term": "2020-1"})).status_code == 422
    for n in range(19):
        body = {"room_id": city.village.room.id, "term": "2026-1", "grade": n % 9 + 1, "subject": "art"}
        assert (await city.village.browser.post(DEMANDS, json=body)).status_code == 201
    full = await city.village.browser.post(DEMANDS, json=body)
    assert full.status_code == 409 and "20" in full.json()["error"]["message"]
    mine = (await city.town.browser.get(f"{DEMANDS}?mine=1")).json()
    assert mine["count"] == 0
