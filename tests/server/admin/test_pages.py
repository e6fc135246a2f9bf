"""The administrators' overview and lessons: by scope, with trouble before the bell, create and cancel by form."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any, get_args

import pytest
from sqlalchemy import select

from server.admin import service
from server.admin.pages import bounds
from server.lessons.models import Lesson, Node, Receipt
from server.schools.models import SchoolClass
from server.scope import Post, Scope
from server.timetable.models import Term
from tests.support import timetable
from tests.support.web import Browser, Web

pytestmark = pytest.mark.slow

CITY = Scope(person="p", posts=frozenset({"city_admin"}), city=True)


async def publish(web: Web, admin: Browser, **change: str) -> tuple[str, int]:
    """Rooms and people for one lesson, posted through the form; the lesson's title and the answer's status."""
    school = await web.school(await web.district(), "和平小学")
    lead, far = await web.room(school, "主讲教室", kind="lead"), await web.room(school, "听讲教室")
    teacher = await web.person("teacher", school=school, name="林海棠")
    form = {
        "title": "茉莉花",
        "kind": "formal",
        "form": "delivery",
        "day": "2026-11-16",
        "starts": "09:20",
        "minutes": "40",
        "subject": "music",
        "grade": "4",
        "lead_room_id": lead.id,
        "teacher_id": teacher.id,
        "receivers.0.room_id": far.id,
    }
    answer = await admin.post("/admin/lessons/new", data=form | change)
    return answer.headers.get("location", answer.text), answer.status_code


async def test_every_page_opens_for_every_administrator(web: Web) -> None:
    district = await web.district()
    school = await web.school(district)
    people = [
        await web.person("city_admin"),
        await web.person("district_admin", district=district),
        await web.person("school_admin", school=school, of_school=school),
        await web.person("inspector"),
        await web.person("evaluator"),
    ]
    for person in people:
        browser = await web.sign_in(person)
        for path in ("/admin", "/admin/schools", "/admin/classrooms", "/admin/lessons", "/admin/lessons?span=week"):
            for lang in ("zh-CN", "en"):
                answer = await browser.get(path, params={"lang": lang})
                assert answer.status_code == 200, (person.posts, path)


HREF = re.compile(r'href="(/[a-z/]*)"')


async def test_whoever_holds_a_post_finds_its_pages_and_each_of_them_opens(web: Web) -> None:
    district = await web.district()
    school = await web.school(district)
    places: dict[str, dict[str, Any]] = {"district_admin": {"district": district}, "area_head": {"district": district}}
    found: dict[str, set[str]] = {}
    for post in get_args(Post):
        of = places.get(
            post, {} if post in ("city_admin", "inspector", "evaluator", "certifier") else {"of_school": school}
        )
        person = await web.person(post, school=school, **of)
        browser, paths = await web.sign_in(person), ["/"]
        for path in paths:  # grows: the head of each page, and the tabs below it
            answer = await browser.get(path)
            assert answer.status_code == 200, (post, path)
            head = answer.text.split("</header>")[0]
            tabs = "".join(re.findall(r'<ul class="tabs">.*?</ul>', answer.text, re.DOTALL))
            paths += [link for link in dict.fromkeys(HREF.findall(head + tabs)) if link not in paths]
        found[post] = set(paths)
    assert {"/admin/groups", "/admin/exchange", "/timetable/publish", "/invitations", "/indicators"} <= found["dean"]
    assert {"/admin/schools", "/admin/exchange", "/admin/live"} <= found["technician"]
    assert {"/admin/live", "/admin/classrooms", "/timetable/bells"} <= found["area_head"]
    assert "/admin/people" in found["certifier"]
    assert "/admin" not in found["teacher"] | found["pupil"]


@pytest.mark.parametrize(
    "path", ["/admin", "/admin/schools", "/admin/people", "/admin/classrooms", "/admin/lessons", "/admin/nodes"]
)
async def test_others_are_kept_out(web: Web, path: str) -> None:
    school = await web.school(await web.district())
    for post in ("assistant", "pupil", "studio_member"):
        browser = await web.sign_in(await web.person(post, school=school))
        assert (await browser.get(path)).status_code == 403
    answer = await web.browser().get(path)
    assert answer.status_code == 303 and answer.headers["location"].startswith("/login")


async def test_lesson_is_published_listed_and_cancelled(web: Web) -> None:
    admin = await web.sign_in(await web.person("city_admin"))
    where, status = await publish(web, admin)
    assert status == 303 and "day=2026-11-16" in where
    page = await admin.get(where)
    assert "茉莉花" in page.text and "09:20" in page.text
    lesson = (await admin.get("/api/v1/lessons")).json()
    rows = lesson["items"] if isinstance(lesson, dict) else lesson
    form = f"/admin/lessons/{rows[0]['id']}/cancel"
    assert (await admin.get(form)).status_code == 200
    assert (await admin.post(form, data={})).status_code == 422
    assert (await admin.post(form, data={"reason": "power"})).status_code == 303
    assert "停电" in (await admin.get("/admin/lessons?day=2026-11-16")).text
    async with web.database.reading() as session:
        assert (await session.get_one(Lesson, rows[0]["id"])).state == "cancelled"


async def test_the_form_names_class_and_assistant_of_each_receiving_room(web: Web) -> None:
    admin = await web.sign_in(await web.person("city_admin"))
    village = await web.school(await web.district("120114"), "南里小学")
    room, assistant = await web.room(village), await web.person("assistant", school=village)
    await web.add(SchoolClass(id="k", school_id=village.id, phase="primary", entry_year=2023, number=2, pupils=31))
    named = {"room_id": room.id, "class_id": "k", "assistant_id": assistant.id}
    _, status = await publish(web, admin, **{f"receivers.1.{name}": value for name, value in named.items()})
    assert status == 303
    async with web.database.reading() as session:
        receipts = list((await session.scalars(select(Receipt).order_by(Receipt.position))).unique())
    assert [(one.class_id, one.assistant_id, one.expected) for one in receipts][1] == ("k", assistant.id, 31)


async def test_a_class_of_another_school_is_refused_beside_the_rooms(web: Web) -> None:
    admin = await web.sign_in(await web.person("city_admin"))
    village = await web.school(await web.district("120114"), "南里小学")
    await web.add(SchoolClass(id="k", school_id=village.id, phase="primary", entry_year=2023, number=2, pupils=31))
    text, status = await publish(web, admin, **{"receivers.0.class_id": "k"})
    assert status == 422 and "和平小学" in text.split('class="wrong"')[1].split("</div>")[0]


async def test_form_says_what_is_missing(web: Web) -> None:
    admin = await web.sign_in(await web.person("city_admin"))
    text, status = await publish(web, admin, title="", starts="25:00")
    assert status == 422 and text.count('aria-invalid="true"') == 2


async def test_evaluator_may_not_publish(web: Web) -> None:
    evaluator = await web.sign_in(await web.person("evaluator"))
    assert (await evaluator.get("/admin/lessons/new")).status_code == 403
    _, status = await publish(web, evaluator)
    assert status == 403


async def test_trouble_before_the_bell(web: Web) -> None:
    admin = await web.sign_in(await web.person("city_admin"))
    await publish(web, admin)

    async def kinds() -> list[str]:
        async with web.database.reading() as session:
            return [one.kind for one in await service.troubles(session, CITY, web.clock.now())]

    assert await kinds() == ["unbound"]
    async with web.database.reading() as session:
        room = (await service.troubles(session, CITY, web.clock.now()))[0].room
    kiosk = await web.device(room)
    assert await kinds() == ["off"]
    await kiosk.get("/api/v1/kiosk")
    assert await kinds() == []
    web.clock.moment += timedelta(minutes=10)
    assert await kinds() == ["off"]
    assert "大屏不在线" in (await admin.get("/admin")).text


async def test_an_accepted_classroom_counts_once_however_many_terms_it_runs(web: Web) -> None:
    city = await timetable.made(web)
    later = Term(id="2026-2", name="第二学期", starts_on=date(2027, 2, 22), ends_on=date(2027, 7, 9))
    await web.add(later, *city.classroom(web, accepted_on=date(2026, 3, 1)))
    copy = city.classroom(web, accepted_on=date(2026, 3, 1))
    copy[0].term = "2026-2"
    await web.add(*copy)
    page = (await (await web.sign_in(await web.person("city_admin"))).get("/admin")).text
    assert "已验收 1 个" in page and "/admin/classrooms?term=2026-1" in page


async def test_nodes_are_for_the_city(web: Web) -> None:
    now = web.clock.now()
    await web.add(
        Node(
            id="node-1",
            public_url="ws://{host}:8001",
            control_url="http://127.0.0.1:8001",
            started_at=now,
            seen_at=now - timedelta(minutes=5),
            load=0.25,
            rooms=3,
            engine="python",
            spool_bytes=1,
            disk_free_bytes=10**11,
        )
    )
    page = await (await web.sign_in(await web.person("city_admin"))).get("/admin/nodes")
    assert "node-1" in page.text and "失联" in page.text
    district = await web.sign_in(await web.person("district_admin", district=await web.district()))
    assert (await district.get("/admin/nodes")).status_code == 403


def test_weeks_begin_on_monday() -> None:
    assert bounds(date(2026, 11, 22), "week") == (date(2026, 11, 16), date(2026, 11, 23))
    assert bounds(date(2026, 11, 22), "day") == (date(2026, 11, 22), date(2026, 11, 23))
