"""The slot finder's page: asked by rooms as well as by a classroom, and a proposal taken with one press."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlalchemy import select

from server.classrooms.models import Classroom
from server.timetable.models import WeeklySlot
from tests.support.timetable import City, with_classroom
from tests.support.web import Browser, Web

pytestmark = pytest.mark.slow


@pytest.fixture
async def city(web: Web) -> City:
    return await with_classroom(web)


@pytest.fixture
async def admin(web: Web, city: City) -> Browser:
    return await web.sign_in(await web.person("district_admin", district=city.district))


def first_form(text: str) -> dict[str, str]:
    form = text.split('action="/timetable/find/take"', 1)[1].split("</form>", 1)[0]
    return dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))


async def test_a_proposal_taken_is_the_classrooms_slot(web: Web, city: City, admin: Browser) -> None:
    page = (await admin.get("/timetable/find?term=2026-1&classroom_id=c&prefer=3")).text
    asked = first_form(page)
    assert (asked["slot.weekday"], asked["classroom_id"], asked["prefer"]) == ("3", "c", "3")
    done = await admin.post("/timetable/find/take", data=asked)
    assert done.status_code == 303, done.text[-1000:]
    assert "时段已加入" in (await admin.get(done.headers["location"])).text
    async with web.database.reading() as session:
        found = (await session.scalars(select(WeeklySlot).where(WeeklySlot.weekday == 3))).one()
    assert (found.classroom_id, f"{found.starts:%H:%M}", found.minutes) == ("c", asked["slot.starts"], 40)
    again = await admin.post("/timetable/find/take", data=asked)
    assert again.status_code == 422 and "冲突" in again.text and "合适的时段" in again.text
    bad = await admin.post("/timetable/find/take", data={**asked, "slot.period": "99"})
    assert bad.status_code == 422


async def test_rooms_are_asked_without_a_classroom_and_lead_to_its_form(web: Web, city: City, admin: Browser) -> None:
    rooms = {"lead_room_id": city.lead.id, "receivers.0.room_id": city.room.id, "grade": "5"}
    page = (await admin.get("/timetable/find?" + urlencode({"term": "2026-1", **rooms}))).text
    href = unescape(re.findall(r'href="(/admin/classrooms/new[^"]+)"', page)[0])
    given = {key: values[0] for key, values in parse_qs(urlsplit(href).query).items()}
    assert given.items() >= {**rooms, "term": "2026-1", "slots.0.minutes": "40"}.items()
    form = (await admin.get(href)).text
    for id_ in (city.lead.id, city.room.id, given["slots.0.starts"]):
        assert f'value="{id_}" selected' in form or f'value="{id_}"' in form
    body = {**given, "name": "五年级音乐", "subject": "music", "lead_teacher_id": city.teacher.id}
    assert (await admin.post("/admin/classrooms/new", data={**body, "csrf": admin.csrf})).status_code == 303
    async with web.database.reading() as session:
        new = (await session.scalars(select(Classroom).where(Classroom.grade == 5))).unique().one()
        assert (await session.scalars(select(WeeklySlot).where(WeeklySlot.classroom_id == new.id))).one()
    nothing = await admin.get("/timetable/find?term=2026-1")
    assert nothing.status_code == 422 and "请选择一个主讲教室" in nothing.text


async def test_who_may_not_write_the_classroom_looks_only(web: Web, city: City, admin: Browser) -> None:
    dean = await web.sign_in(await web.person("dean", school=city.town, of_school=city.town))
    page = (await dean.get("/timetable/find?term=2026-1&classroom_id=c")).text
    assert "合适的时段" in page and "/timetable/find/take" not in page
    data = {**first_form((await admin.get("/timetable/find?term=2026-1&classroom_id=c")).text), "csrf": dean.csrf}
    assert (await dean.post("/timetable/find/take", data=data)).status_code == 403
