"""停课令: one act calls off what closed schools cannot hold, tells each person once, and is undone as one batch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.clock import city_date
from server.ids import new_id
from server.lessons.models import Lesson, LessonChange
from server.notices.models import Notice
from server.studios.activities.models import Activity, ActivityPerson, ActivityPlace
from server.studios.models import Studio
from tests.support.timetable import City, made
from tests.support.web import Browser, Web

pytestmark = pytest.mark.slow

PAGE = "/timetable/orders"


@pytest.fixture
async def city(web: Web) -> City:
    return await made(web)


async def states(web: Web) -> dict[str, str]:
    async with web.database.reading() as session:
        return {one.title: one.state for one in (await session.scalars(select(Lesson))).unique()}


async def notices(web: Web) -> list[tuple[str, str, Any]]:
    async with web.transaction() as session:
        rows = list(await session.scalars(select(Notice)))
        for row in rows:
            await session.delete(row)
        return [(row.person_id, row.key, row.words) for row in rows]


async def two_districts(web: Web, city: City) -> tuple[Any, Any]:
    """Lessons of tomorrow: led here; led elsewhere for our village alone; led elsewhere for ours and one of theirs."""
    far = await web.district("120114")
    school = await web.school(far, "远校")
    lead, room = await web.room(school, "主讲", kind="lead"), await web.room(school, "听讲")
    teacher = await web.person("teacher", school=school)
    chief = await web.person("school_admin", school=school, of_school=school)
    tomorrow, hour = timedelta(days=1), timedelta(hours=1)
    await web.lesson(city.teacher, city.lead, city.room, starts=tomorrow, title="本区一")
    await web.lesson(city.teacher, city.lead, city.room, starts=tomorrow + hour, title="本区二")
    await web.lesson(teacher, lead, city.room, starts=tomorrow + 2 * hour, title="只为本区")
    await web.lesson(teacher, lead, city.room, room, starts=tomorrow + 3 * hour, title="也为他区")
    await web.lesson(teacher, lead, room, starts=tomorrow + 4 * hour, title="他区自己")
    await web.lesson(city.teacher, city.lead, city.room, starts=timedelta(days=3), title="后天")
    return far, chief


def order(web: Web, **more: Any) -> dict[str, Any]:
    day = str(city_date(web.clock.now() + timedelta(days=1)))
    return {"reason": "weather", "note": "暴雪", "first": day, "last": day, **more}


async def given(browser: Browser, asked: dict[str, Any]) -> str:
    answer = await browser.post(PAGE, data={**asked, "csrf": browser.csrf})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def test_a_city_s_order_for_a_district_takes_what_nobody_there_could_hold_or_receive(
    web: Web, city: City
) -> None:
    _, chief = await two_districts(web, city)
    admin = await web.sign_in(await web.person("city_admin", name="钟市管"))
    asked = order(web, districts=city.district.id)
    page = (await admin.get(PAGE, params=asked)).text
    assert "将停 3 节课" in page and "另有 1 节课" in page
    assert set((await states(web)).values()) == {"published"}, "only shown"
    where = await given(admin, asked)
    off = {title for title, state in (await states(web)).items() if state == "cancelled"}
    assert off == {"本区一", "本区二", "只为本区"}
    told = await notices(web)
    mine = [(key, words["count"], words["note"]) for person, key, words in told if person == city.teacher.id]
    assert mine == [("cancelled_many", 2, "暴雪")], "told once of both"
    assert sorted(key for person, key, _ in told if person == chief.id) == ["cancelled", "order_left"]
    async with web.database.reading() as session:
        rows = list(await session.scalars(select(LessonChange)))
    assert {(row.kind, row.reason, row.by_name, row.note) for row in rows} == {("cancel", "weather", "钟市管", "暴雪")}
    page = (await admin.get(where)).text
    assert "已停 3 节课" in page and f"{PAGE}/undo/{rows[0].batch}" in page
    assert (await admin.post(f"{PAGE}/undo/{rows[0].batch}", data={"csrf": admin.csrf})).status_code == 303
    assert set((await states(web)).values()) == {"published"}
    again = [(key, words["count"]) for person, key, words in await notices(web) if person == city.teacher.id]
    assert again == [("undone_many", 2)]
    assert "已撤销" in (await admin.get(where)).text


async def test_an_order_lifted_early_brings_back_what_has_not_begun(web: Web, city: City) -> None:
    await two_districts(web, city)
    admin = await web.sign_in(await web.person("city_admin"))
    last = str(city_date(web.clock.now() + timedelta(days=3)))
    where = await given(admin, order(web, city="1", last=last))
    assert set((await states(web)).values()) == {"cancelled"}
    web.clock.moment += timedelta(days=2)
    admin = await web.sign_in(await web.person("city_admin"))
    assert (await admin.post(f"{PAGE}/undo/{where.split('=')[-1]}", data={"csrf": admin.csrf})).status_code == 303
    assert [title for title, state in (await states(web)).items() if state == "published"] == ["后天"]


async def test_a_district_orders_for_itself_and_nobody_below_it(web: Web, city: City) -> None:
    far, _ = await two_districts(web, city)
    admin = await web.sign_in(await web.person("district_admin", district=city.district))
    assert 'name="city"' not in (await admin.get(PAGE)).text
    for asked in ({"city": "1"}, {"districts": far.id}):
        answer = await admin.post(PAGE, data={**order(web, **asked), "csrf": admin.csrf})
        assert answer.status_code == 403, asked
    planned = {"reason": "weather", "districts": [city.district.id], **{k: order(web)[k] for k in ("first", "last")}}
    told = (await admin.post("/api/v1/lessons/cancel-many/plan", json=planned)).json()
    assert (len(told["lessons"]), len(told["left"])) == (2, 2), "what another district leads is its own to call off"
    await given(admin, order(web, districts=city.district.id))
    off = {title for title, state in (await states(web)).items() if state == "cancelled"}
    assert off == {"本区一", "本区二"}
    head = await web.sign_in(await web.person("school_admin", school=city.town, of_school=city.town))
    assert (await head.get(PAGE)).status_code == 403
    body = {**planned, "districts": [], "schools": [city.town.id]}
    refused = await head.post("/api/v1/lessons/cancel-many", json=body)
    assert refused.status_code in (403, 404)


async def test_one_school_is_closed_and_days_must_be_days(web: Web, city: City) -> None:
    await two_districts(web, city)
    admin = await web.sign_in(await web.person("city_admin"))
    page = (await admin.get(PAGE, params=order(web, **{"school.0": city.town.id}))).text
    assert "将停 2 节课" in page
    wrong = await admin.get(PAGE, params=order(web, city="1", last="2020-01-01"))
    assert wrong.status_code == 422 and "起止日期" in wrong.text
    assert "将停" not in (await admin.get(PAGE, params=order(web))).text, "nothing is chosen"


async def studio_plans(web: Web, city: City) -> dict[str, str]:
    """Activities of tomorrow by title: at the town's studio; of a far studio in our village and at home; far away."""
    far = await web.school(await web.district("120119", "far"), "山校")
    away = await web.room(far, "研修室")
    ids = {}
    for title, school, rooms, hour in (
        ("本区研修", city.town, [city.lead], 6),
        ("两处教研", far, [city.room, away], 7),
        ("只在本区", far, [city.room], 8),
        ("远处研修", far, [], 9),
    ):
        host = await web.person("studio_host", school=school, name=f"主持{title}")
        studio = Studio(
            id=new_id(), name=f"{title}工作室", subject="music", phase="primary", host_id=host.id, school_id=school.id,
            created_at=web.clock.now(),
        )  # fmt: skip
        start = web.clock.now() + timedelta(days=1, hours=hour)
        row = Activity(
            id=new_id(), studio_id=studio.id, kind="training", title=title, state="planned", starts_at=start,
            ends_at=start + timedelta(hours=1), created_at=web.clock.now(), sequence=0,
        )  # fmt: skip
        await web.add(studio)
        await web.add(row)
        places = [
            ActivityPlace(id=new_id(), activity_id=row.id, room_id=one.id, position=n) for n, one in enumerate(rooms)
        ]
        await web.add(*places, ActivityPerson(id=new_id(), activity_id=row.id, person_id=host.id))
        ids[title] = host.id
    return ids


async def planned(web: Web) -> set[str]:
    async with web.database.reading() as session:
        rows = (await session.scalars(select(Activity).where(Activity.state == "planned"))).unique()
        return {one.title for one in rows}


async def test_activities_are_listed_and_called_off_where_they_are_ticked(web: Web, city: City) -> None:
    hosts = await studio_plans(web, city)
    everything = set(hosts)
    admin = await web.sign_in(await web.person("city_admin"))
    asked = order(web, districts=city.district.id)
    page = (await admin.get(PAGE, params=asked)).text
    assert "另有 2 场研修活动没有勾选" in page and "两处教研" not in page and "timetable.order." not in page
    assert (await admin.post(PAGE, data={**asked, "csrf": admin.csrf})).status_code == 404, "nothing else to call off"
    assert "另停 2 场研修活动" in (await admin.get(PAGE, params={**asked, "activities": "1"})).text
    await notices(web)
    where = await given(admin, {**asked, "activities": "1"})
    assert await planned(web) == everything - {"本区研修", "只在本区"}
    told = [(person, key, words["note"]) for person, key, words in await notices(web)]
    assert {one for one in told if one[0] in hosts.values()} == {
        (hosts[title], "activity_cancelled", "暴雪") for title in ("本区研修", "只在本区")
    }
    assert "已停 2 场研修活动" in (await admin.get(where)).text
    batch = where.split("=")[-1]
    assert (await admin.post(f"{PAGE}/undo/{batch}", data={"csrf": admin.csrf})).status_code == 303
    assert await planned(web) == everything
    assert {key for person, key, _ in await notices(web) if person in hosts.values()} == {"activity"}
    assert (await admin.post(f"{PAGE}/undo/{batch}", data={"csrf": admin.csrf})).status_code == 404


async def test_lessons_and_activities_of_one_order_go_and_come_back_together(web: Web, city: City) -> None:
    await two_districts(web, city)
    hosts = await studio_plans(web, city)
    chief = await web.sign_in(await web.person("district_admin", district=city.district))
    body = {"reason": "weather", "districts": [city.district.id], "activities": True}
    body |= {key: order(web)[key] for key in ("first", "last")}
    told = (await chief.post("/api/v1/lessons/cancel-many/plan", json=body)).json()
    assert (len(told["lessons"]), len(told["activities"])) == (2, 1), "another district's studios are its own"
    done = (await chief.post("/api/v1/lessons/cancel-many", json=body)).json()
    assert (len(done["lessons"]), len(done["activities"])) == (2, 1)
    assert await planned(web) == set(hosts) - {"本区研修"}
    assert (await chief.post(f"/api/v1/changes/{done['batch']}/undo")).status_code == 200
    assert await planned(web) == set(hosts) and set((await states(web)).values()) == {"published"}


async def test_lifted_when_its_lessons_are_over_an_order_brings_the_activities_back(web: Web, city: City) -> None:
    await two_districts(web, city)
    hosts = await studio_plans(web, city)
    chief = await web.sign_in(await web.person("district_admin", district=city.district))
    body = {"reason": "weather", "districts": [city.district.id], "activities": True}
    body |= {key: order(web)[key] for key in ("first", "last")}
    done = (await chief.post("/api/v1/lessons/cancel-many", json=body)).json()
    web.clock.moment += timedelta(days=1, hours=5)
    again = await web.sign_in(await web.person("district_admin", district=city.district, name="值班"))
    answer = await again.post(f"/api/v1/changes/{done['batch']}/undo")
    assert answer.status_code == 200, answer.text
    assert await planned(web) == set(hosts)
    assert sorted((await states(web)).values()).count("cancelled") == len(done["lessons"])
