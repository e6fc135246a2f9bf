"""Every page of the timetable stands, in both languages, for everybody who may see it; forms do what they say."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.classrooms.models import Classroom, Receiver
from server.lessons.models import Invitation, Lesson
from server.timetable import pages, publishing
from server.timetable.models import BellSchedule, CalendarDay, SchoolSpan, Term
from tests.support.timetable import City, made, slot
from tests.support.web import Browser, Web

pytestmark = pytest.mark.slow


@pytest.fixture
async def city(web: Web) -> City:
    held = await made(web)
    await web.add(*held.classroom(web, id="c"), slot("c", 4), slot("c", 5, 9, follows_bell=True))
    return held


@pytest.fixture
async def admin(web: Web, city: City) -> Browser:
    return await web.sign_in(await web.person("city_admin", name="郑主任"))


def raw(text: str) -> list[str]:
    """Text keys that show as themselves."""
    return re.findall(r">\s*((?:timetable|lessons|common|notices|errors)\.[a-z_.0-9]+)", text)


PAGES = (
    "/timetable",
    "/timetable?of=district&id=120113&day=2026-11-19",
    "/timetable?of=classroom&id=c&day=2026-11-19",
    "/timetable/find",
    "/timetable/find?term=2026-1&classroom_id=c&prefer=3",
    "/timetable/find?term=2026-1&lead_room_id=nowhere",
    "/timetable/publish",
    "/timetable/publish?term=2026-1&classroom=c",
    "/timetable/calendar",
    "/timetable/bells",
    "/timetable/wizard",
    "/invitations",
    "/notices",
)


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_stands_in_both_languages(web: Web, admin: Browser, path: str) -> None:
    for lang in ("zh-CN", "en"):
        answer = await admin.get(path + ("&" if "?" in path else "?") + f"lang={lang}")
        assert answer.status_code == (422 if "nowhere" in path else 200), answer.text[-2000:]
        assert raw(answer.text) == []


async def test_who_plans_sees_their_district_or_school_first_and_who_teaches_their_own_week(
    web: Web, city: City, admin: Browser
) -> None:
    shown = re.compile(r'<option value="([^"]*)" selected>')
    assert shown.findall((await admin.get("/timetable")).text)[0] == "district"
    dean = await web.sign_in(await web.person("dean", school=city.village, of_school=city.village))
    assert shown.findall((await dean.get("/timetable")).text) == ["school", city.village.id]
    both = await web.sign_in(await web.person("dean", "teacher", school=city.town, of_school=city.town, name="黄老师"))
    assert "黄老师" in (await both.get("/timetable")).text.split("</header>")[1].split("<select")[0]


async def test_a_term_is_published_moved_and_undone_by_page(web: Web, city: City, admin: Browser) -> None:
    done = await admin.post("/timetable/publish", data={"term": "2026-1", "classroom": "c", "csrf": admin.csrf})
    assert done.status_code == 303, done.text[-1000:]
    assert "已发布 8 节课" in (await admin.get(done.headers["location"])).text
    async with web.database.reading() as session:
        lesson = (await session.scalars(select(Lesson).order_by(Lesson.starts_at).limit(1))).unique().one()
    page = (await admin.get("/timetable?of=classroom&id=c&day=2026-11-19")).text
    assert f'data-lesson="{lesson.id}"' in page and 'data-starts="2026-11-20T10:00:00+08:00"' in page
    change = {"day": "2026-11-20", "starts": "10:10", "note": "体检", "sequence": "0", "csrf": admin.csrf}
    done = await admin.post(f"/lessons/{lesson.id}/change/move", data=change)
    assert done.status_code == 303, done.text[-1000:]
    page = (await admin.get(f"/lessons/{lesson.id}")).text
    assert "体检" in page and "原定时间" in page and "郑主任" in page
    again = await admin.post(f"/lessons/{lesson.id}/change/move", data=change)
    assert again.status_code == 422 and "刚刚被别人改过" in again.text
    way = re.search(rf"/lessons/{lesson.id}/undo/[a-z0-9]+", page)
    assert way is not None
    back = await admin.post(way[0], data={"csrf": admin.csrf})
    assert back.status_code == 303
    async with web.database.reading() as session:
        assert (await session.get_one(Lesson, lesson.id)).starts_at == lesson.starts_at


async def test_a_lesson_that_was_called_off_stays_on_the_week_struck_through(
    web: Web, city: City, admin: Browser
) -> None:
    publish = {"term": "2026-1", "classrooms": ["c"]}
    assert (await admin.post("/api/v1/timetable/publish", json=publish)).status_code == 200
    found = (await admin.get("/api/v1/lessons?classroom=c")).json()
    first, day = found[0], found[0]["starts_at"][:10]
    await admin.post(f"/api/v1/lessons/{first['id']}/call-off", json={"reason": "power"})
    page = (await admin.get(f"/timetable?of=classroom&id=c&day={day}")).text
    assert page.count("week-lesson cancelled") == 1 and "day-row cancelled" in page
    assert f'data-lesson="{first["id"]}"' not in page, "nobody drags it"
    async with web.transaction() as session:
        (await session.get_one(Lesson, first["id"])).cancel_reason = "replanned"
    page = (await admin.get(f"/timetable?of=classroom&id=c&day={day}")).text
    assert "week-lesson cancelled" not in page, "the timetable itself has no lesson there any more"


async def test_more_classrooms_than_one_transaction_carries_are_published_in_parts(
    web: Web, city: City, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "MOST_CLASSROOMS", 1)
    await web.add(*city.classroom(web, "四年级美术", id="d"), slot("d", 1))
    page = (await admin.get("/timetable/publish")).text
    assert "分 2 批发布" in page and 'name="part" value="1"' in page
    done = await admin.post("/timetable/publish", data={"term": "2026-1", "part": "1"})
    assert done.status_code == 303 and "part=2" in done.headers["location"], done.text[-1000:]
    page = (await admin.get(done.headers["location"])).text
    assert "已发布" in page and 'name="part" value="2"' in page
    done = await admin.post("/timetable/publish", data={"term": "2026-1", "part": "2"})
    assert raw((await admin.get(done.headers["location"])).text) == []
    async with web.database.reading() as session:
        assert set(await session.scalars(select(Lesson.classroom_id))) == {"c", "d"}


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("cancel", {"reason": "power"}),
        ("about", {"title": "《牧歌》", "unit": "第三单元"}),
        ("teacher", {"teacher_id": "other"}),
        ("room", {"to_room_id": "spare"}),
        ("assistant", {"assistant_id": ""}),
    ],
)
async def test_each_dialog_of_a_lesson_does_what_it_says(
    web: Web, city: City, admin: Browser, kind: str, more: dict[str, Any]
) -> None:
    lesson = await web.lesson(city.teacher, city.lead, city.room, assistant=city.assistant, starts=timedelta(days=1))
    other = await web.person("teacher", school=city.town)
    spare = await web.room(city.village, "备用教室")
    ids = {"other": other.id, "spare": spare.id}
    data = {key: ids.get(value, value) for key, value in more.items()}
    page = (await admin.get(f"/lessons/{lesson.id}")).text
    assert f'id="change-{kind}"' in page
    if kind in ("room", "assistant"):
        data["room_id"] = city.room.id
    answer = await admin.post(f"/lessons/{lesson.id}/change/{kind}", data={**data, "sequence": "0", "csrf": admin.csrf})
    assert answer.status_code == 303, answer.text[-1500:]
    assert raw((await admin.get(f"/lessons/{lesson.id}")).text) == []


async def test_the_calendar_is_the_citys(web: Web, city: City, admin: Browser) -> None:
    day = {"day": "2026-12-24", "kind": "holiday", "name": "测试假", "csrf": admin.csrf}
    assert (await admin.post("/timetable/calendar/days", data=day)).status_code == 303
    bad = await admin.post("/timetable/calendar/days", data={**day, "kind": "makeup"})
    assert bad.status_code == 422 and "按哪一天" in bad.text
    term = {"id": "2026-2", "name": "第二学期", "starts_on": "2027-02-22", "ends_on": "2027-07-09"}
    assert (await admin.post("/timetable/calendar/terms", data={**term, "csrf": admin.csrf})).status_code == 303
    over = {**term, "id": "2025-2", "starts_on": "2026-09-05", "ends_on": "2026-12-01", "csrf": admin.csrf}
    assert (await admin.post("/timetable/calendar/terms", data=over)).status_code == 422
    assert (await admin.post("/timetable/calendar/seed", data={"csrf": admin.csrf})).status_code == 303
    known = {"known_until": "2027-08-31", "csrf": admin.csrf}
    assert (await admin.post("/timetable/calendar/horizon", data=known)).status_code == 303
    dropped = await admin.post("/timetable/calendar/days/2026-12-24/delete", data={"csrf": admin.csrf})
    assert dropped.status_code == 303
    async with web.database.reading() as session:
        assert await session.get(CalendarDay, date(2026, 12, 24)) is None
        assert await session.get(Term, "2026-2") is not None
    school = await web.sign_in(await web.person("school_admin", of_school=city.town))
    assert (await school.get("/timetable/calendar")).status_code == 200
    for path in ("days", "terms", "seed", "horizon"):
        body = {**day, **term, "known_until": "2027-08-31", "csrf": school.csrf}
        allowed = {"days": ("day", "kind", "name"), "terms": tuple(term), "horizon": ("known_until",), "seed": ()}[path]
        data = {key: value for key, value in body.items() if key in (*allowed, "csrf")}
        assert (await school.post(f"/timetable/calendar/{path}", data=data)).status_code == 403, path


async def test_a_school_keeps_its_bells_and_says_when_it_is_away(web: Web, city: City, admin: Browser) -> None:
    await admin.post("/timetable/publish", data={"term": "2026-1", "csrf": admin.csrf})
    school = await web.sign_in(await web.person("school_admin", school=city.village, of_school=city.village))
    bells = {"phase": "primary", "name": "冬季", "begins": "10-01", "minutes": "40", "starts.1": "08:10"}
    bells["csrf"] = school.csrf
    path = f"/timetable/bells/{city.village.id}"
    assert (await school.post(path, data={**bells, "starts.2": "08:40"})).status_code == 422
    assert (await school.post(path, data={**bells, "starts.2": "08:50"})).status_code == 303
    assert (await school.post(path, data={**bells, "starts.2": "09:00"})).status_code == 303, "the same season anew"
    assert (await school.post(f"/timetable/bells/{city.town.id}", data=bells)).status_code in (403, 404)
    span = {"school_id": city.village.id, "kind": "sports", "name": "运动会", "csrf": school.csrf}
    made_ = await school.post("/timetable/spans", data={**span, "first_on": "2026-12-03", "last_on": "2026-12-04"})
    assert made_.status_code == 303, made_.text[-1000:]
    ticks = re.compile(r'name="lessons" value="([a-z0-9]+)"')
    page = (await school.get(made_.headers["location"])).text
    assert "影响 2 节课" in page and not ticks.findall(page) and "由城关小学或其所在区停课" in page
    here = made_.headers["location"].split("?")[0]
    page = (await admin.get(here)).text
    ids = ticks.findall(page)
    assert len(ids) == 2 and "停全部 2 节" in page
    body = {"reason": "school_event", "csrf": admin.csrf}
    assert (await admin.post(f"{here}/cancel", data=body)).status_code == 422
    done = await admin.post(f"{here}/cancel", data={**body, "all": "1"})
    page = (await admin.get(done.headers["location"])).text
    assert "已停 2 节课" in page
    back = re.search(rf"{here}/undo/[a-z0-9]+", page)
    assert back is not None and (await admin.post(back[0], data={"csrf": admin.csrf})).status_code == 303
    assert ticks.findall((await admin.get(here)).text) == ids
    assert (await admin.post(f"{here}/cancel", data={**body, "lessons": ids})).status_code == 303
    async with web.database.reading() as session:
        assert len((await session.scalars(select(BellSchedule))).all()) == 1
        assert len((await session.scalars(select(SchoolSpan))).all()) == 1
        states = {one.state for one in (await session.scalars(select(Lesson).where(Lesson.id.in_(ids)))).unique()}
    assert states == {"cancelled"}


async def test_the_new_term_copies_promotes_and_lists_what_has_lapsed(web: Web, city: City, admin: Browser) -> None:
    await web.add(Term(id="2027-1", name="新学期", starts_on=date(2027, 9, 1), ends_on=date(2028, 1, 20)))
    page = (await admin.get("/timetable/wizard?old=2026-1&new=2027-1")).text
    assert "四年级" in page and "结对届时已到期" in page and "请先补上放假安排" in page
    data = {"old": "2026-1", "new": "2027-1", "promote": "1", "csrf": admin.csrf}
    none = await admin.post("/timetable/wizard", data=data)
    assert none.headers["location"].endswith("done=0"), "every box unticked copies nothing"
    data["classrooms"] = "c"
    done = await admin.post("/timetable/wizard", data=data)
    assert done.status_code == 303 and done.headers["location"].endswith("done=1")
    found = (await admin.get("/api/v1/classrooms")).json()
    text = str(found)
    assert "四年级音乐" in text
    again = await admin.post("/timetable/wizard", data=data)
    assert again.headers["location"].endswith("done=0")


async def test_who_moved_to_another_school_is_not_taken_along_unsaid(web: Web, city: City, admin: Browser) -> None:
    await web.add(Term(id="2027-1", name="新学期", starts_on=date(2027, 9, 1), ends_on=date(2028, 1, 20)))
    async with web.transaction() as session:
        classroom = await session.get_one(Classroom, "c")
        classroom.lead_teacher.school_id = city.village.id
    page = (await admin.get("/timetable/wizard?old=2026-1&new=2027-1")).text
    assert f"主讲教师 {classroom.lead_teacher.name} 届时已不任职" in page


async def test_a_wizard_of_many_classrooms_goes_page_by_page(
    web: Web, city: City, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "A_PAGE", 1)
    other = city.classroom(web, "三年级音乐二", id="d")
    other[1].room_id = (await web.room(city.village, "三年级2班")).id
    await web.add(*other, Term(id="2026-2", name="第二学期", starts_on=date(2027, 2, 22), ends_on=date(2027, 7, 9)))
    there = "/timetable/wizard?old=2026-1&new=2026-2"
    first, second = [(await admin.get(f"{there}&page={n}")).text for n in (1, 2)]
    assert ('value="c"' in first, 'value="d"' in first) == (True, False) and "请逐页复制" in first
    assert ('value="c"' in second, 'value="d"' in second) == (False, True)
    data = {"old": "2026-1", "new": "2026-2", "csrf": admin.csrf, "classrooms": "d"}
    done = await admin.post("/timetable/wizard?page=2", data=data)
    assert done.headers["location"] == f"{there}&page=2&done=1"
    assert "新学期已有" in (await admin.get(done.headers["location"])).text


async def test_parallel_classrooms_of_one_lead_room_are_copied_each(web: Web, city: City, admin: Browser) -> None:
    beside = await web.room(city.village, "三年级2班", pupils=25)
    other = city.classroom(web, "三年级音乐二", id="d")
    other[1].room_id = beside.id
    await web.add(*other, Term(id="2026-2", name="第二学期", starts_on=date(2027, 2, 22), ends_on=date(2027, 7, 9)))
    data = {"old": "2026-1", "new": "2026-2", "promote": "1", "csrf": admin.csrf}
    for chosen, count in (("c", 1), ("d", 1), ("d", 0)):
        done = await admin.post("/timetable/wizard", data={**data, "classrooms": chosen})
        assert done.headers["location"].endswith(f"done={count}"), chosen
    third = await web.room(city.village, "三年级3班")
    async with web.transaction() as session:
        moved = (await session.scalars(select(Receiver).where(Receiver.room_id == beside.id))).unique().all()
        copy = next(one for one in moved if one.classroom_id != "d")
        copy.room_id = third.id
    again = await admin.post("/timetable/wizard", data={**data, "classrooms": "d"})
    assert again.headers["location"].endswith("done=0"), "its rooms were changed since; it is there all the same"


async def test_a_receiving_school_answers_on_the_page_and_reads_its_notices(
    web: Web, city: City, admin: Browser
) -> None:
    head = await web.sign_in(await web.person("school_admin", school=city.village, of_school=city.village))
    await admin.post("/timetable/publish", data={"term": "2026-1", "csrf": admin.csrf})
    async with web.database.reading() as session:
        asked = (await session.scalars(select(Invitation))).one()
    assert "请确认" in (await head.get("/notices")).text
    notice = (await head.get("/api/v1/notices")).json()
    assert notice["unread"] == 1
    assert (await head.post(f"/notices/{notice['notices'][0]['id']}/open", data={"csrf": head.csrf})).status_code == 303
    assert (await head.get("/api/v1/notices")).json()["unread"] == 0
    assert "三年级音乐" in (await head.get("/invitations")).text
    path = f"/invitations/{asked.id}/answer"
    assert (await head.post(path, data={"answer": "object", "csrf": head.csrf})).status_code == 422
    assert (await head.post(path, data={"answer": "confirm", "csrf": head.csrf})).status_code == 303
    assert "没有等待答复" in (await head.get("/invitations")).text
