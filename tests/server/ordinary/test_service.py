"""One hour put, changed, taken away over JSON: whose it may be, when it is, what stands in its way, who may."""

from __future__ import annotations

from datetime import time
from typing import Any

from sqlalchemy import select

from server.audit.models import AuditEntry
from server.ids import new_id
from server.schools.models import SchoolClass
from tests.support.timetable import City, ordinary, slot
from tests.support.web import Browser, Web

PATH = "/api/v1/ordinary"


def hour(city: City, **more: Any) -> dict[str, Any]:
    plain = {"school_id": city.town.id, "term": "2026-1", "weekday": 3, "period": 2, "subject": "maths"}
    return {**plain, **more}


async def test_an_hour_rings_by_the_bell_unless_it_says_otherwise(
    web: Web, city: City, pupils: SchoolClass, dean: Browser
) -> None:
    made = await dean.post(PATH, json=hour(city, class_id=pupils.id, teacher_id=city.teacher.id))
    assert made.status_code == 201, made.text
    held = made.json()
    assert (held["starts"], held["minutes"], held["follows_bell"]) == ("09:15:00", 40, True)
    assert (held["school_class"], held["teacher"], held["room"]) == ("2023级2班", "王老师", None)
    own = {"period": 12, "starts": "16:30", "minutes": 60, "follows_bell": False, "class_id": pupils.id}
    late = await dean.post(PATH, json=hour(city, **own))
    assert (late.status_code, late.json()["starts"]) == (201, "16:30:00")
    refused = await dean.post(PATH, json=hour(city, period=12, weekday=4, class_id=pupils.id))
    assert (refused.status_code, refused.json()["error"]["key"]) == (422, "ordinary_bell")
    listed = (await dean.get(PATH, params={"term": "2026-1", "of": "class", "id": pupils.id, "size": 1})).json()
    assert (listed["count"], listed["pages"], len(listed["items"])) == (2, 2, 1)
    assert (await dean.get(PATH, params={"weekday": 5})).json()["count"] == 0


async def test_whose_it_is_must_be_there_and_of_the_school(
    web: Web, city: City, pupils: SchoolClass, dean: Browser
) -> None:
    gone = SchoolClass(
        id=new_id(), school_id=city.town.id, phase="primary", entry_year=2022, number=1, pupils=1,
        closed_on=web.clock.now().date(),
    )  # fmt: skip
    pupil = await web.person("pupil", school=city.town)
    await web.add(gone)
    wrong: list[tuple[dict[str, str], str]] = [
        ({}, "ordinary_who"),
        ({"class_id": gone.id}, "ordinary_school"),
        ({"teacher_id": city.assistant.id}, "ordinary_school"),
        ({"teacher_id": pupil.id}, "ordinary_school"),
        ({"room_id": city.room.id}, "ordinary_school"),
        ({"class_id": pupils.id, "term": "2031-1"}, "ordinary_term"),
    ]
    for more, key in wrong:
        refused = await dean.post(PATH, json=hour(city, **more))
        assert (refused.status_code, refused.json()["error"]["key"]) == (422, key), more


async def test_nobody_is_in_two_ordinary_hours_at_once(
    web: Web, city: City, pupils: SchoolClass, dean: Browser
) -> None:
    first = (await dean.post(PATH, json=hour(city, class_id=pupils.id, teacher_id=city.teacher.id))).json()["id"]
    twice = await dean.post(PATH, json=hour(city, teacher_id=city.teacher.id, subject="music"))
    error = twice.json()["error"]
    assert (twice.status_code, error["key"]) == (409, "ordinary_busy")
    assert "王老师周三第2节已有本校课：2023级2班 数学" in error["message"]
    fixed = {"starts": "09:50", "minutes": 40, "follows_bell": False, "period": 3}
    clock = await dean.post(PATH, json=hour(city, class_id=pupils.id, **fixed))
    assert clock.status_code == 409, "five minutes of both"
    put = {key: value for key, value in hour(city, class_id=pupils.id, weeks="odd").items() if key != "school_id"}
    assert (await dean.put(f"{PATH}/{first}", json=put)).status_code == 200, "an hour is not in its own way"
    even = await dean.post(PATH, json=hour(city, class_id=pupils.id, weeks="even", subject="art"))
    assert even.status_code == 201
    assert (await dean.put(f"{PATH}/{first}", json={**put, "weeks": "all"})).status_code == 409
    assert (await dean.delete(f"{PATH}/{even.json()['id']}")).status_code == 204
    assert (await dean.put(f"{PATH}/{first}", json={**put, "weeks": "all"})).status_code == 200
    async with web.database.reading() as session:
        told = await session.scalars(select(AuditEntry).where(AuditEntry.kind == "ordinary_slots"))
        assert sorted(one.act for one in told.all()) == ["change", "change", "create", "create", "delete"]


async def test_an_hour_upon_a_synchronous_lesson_is_taken_and_shown(
    web: Web, city: City, pupils: SchoolClass, dean: Browser
) -> None:
    """The lesson stands: it is several schools', the hour is one's own."""
    await web.add(slot("c", 3, 9, weeks="odd"))
    upon = await dean.post(PATH, json=hour(city, teacher_id=city.teacher.id, class_id=pupils.id))
    assert upon.status_code == 201
    await dean.post(PATH, json=hour(city, weekday=4, class_id=pupils.id))
    found = (await dean.get(f"{PATH}/beside", params={"term": "2026-1", "school": city.town.id})).json()
    assert [(one["hour"]["id"], one["kind"], one["name"]) for one in found] == [(upon.json()["id"], "person", "王老师")]
    assert (found[0]["classroom"], found[0]["starts"]) == ("三年级音乐", "09:00:00")
    there = (await dean.get(f"{PATH}/beside", params={"term": "2026-1", "school": city.village.id})).status_code
    assert there == 404


async def test_who_reads_and_who_writes(web: Web, city: City, pupils: SchoolClass) -> None:
    mine = ordinary(city.town, 1, 8, teacher_id=city.teacher.id)
    await web.add(
        mine, ordinary(city.town, 2, 8, class_id=pupils.id), ordinary(city.village, 2, 8, room_id=city.room.id)
    )
    far = await web.district("120119", "far")
    town, village = {"of_school": city.town}, {"of_school": city.village}
    cases: list[tuple[str, dict[str, Any], int, int]] = [
        ("city_admin", {}, 3, 204),
        ("district_admin", {"district": city.district}, 3, 204),
        ("district_admin", {"district": far}, 0, 404),
        ("school_admin", {**town, "school": city.town}, 2, 204),
        ("dean", {**town, "school": city.town}, 2, 204),
        ("dean", {**village, "school": city.village}, 1, 404),
        ("inspector", {"district": city.district}, 3, 403),
        ("technician", {**town, "school": city.town}, -1, 404),
        ("pupil", {"school": city.town}, -1, 404),
        ("teacher", {"school": city.town}, 0, 404),
    ]
    for post, of, count, status in cases:
        browser = await web.sign_in(await web.person(post, **of))
        answer = await browser.get(PATH)
        assert (answer.json()["count"] if answer.status_code == 200 else -1) == count, (post, of)
        assert (await browser.delete(f"{PATH}/{mine.id}")).status_code == status, (post, of)
        if status == 204:
            mine = ordinary(city.town, 1, 8, teacher_id=city.teacher.id)
            await web.add(mine)
    own = await web.sign_in(city.teacher)
    assert [one["id"] for one in (await own.get(PATH)).json()["items"]] == [mine.id]
    assert (await own.get(f"{PATH}/{mine.id}")).json()["starts"] == time(8).isoformat()
    assert (await own.delete(f"{PATH}/{mine.id}")).status_code == 403
