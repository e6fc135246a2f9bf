"""调课, 停课, 补课, 代课, 换教室: the lesson stays itself, everybody is told, and it can be undone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts.models import Person
from server.audit.models import AuditEntry
from server.clock import city_date
from server.indicators import store as indicators
from server.indicators.rollup import month_of
from server.lessons import registering
from server.lessons.invitations import service as invitations
from server.lessons.models import Invitation, Lesson, LessonChange
from server.notices.models import Notice
from server.schools.models import District, Room, School
from server.scope import SYSTEM
from server.timetable.models import Term
from tests.support.web import Browser, Web

pytestmark = pytest.mark.slow


@dataclass
class City:
    district: District
    town: School
    village: School
    lead: Room
    room: Room
    teacher: Person
    assistant: Person
    village_admin: Person


@pytest.fixture
async def city(web: Web) -> City:
    district = await web.district()
    town, village = await web.school(district, "城关小学"), await web.school(district, "南里小学")
    return City(
        district,
        town,
        village,
        await web.room(town, "录播教室", kind="lead"),
        await web.room(village, pupils=27),
        await web.person("teacher", school=town, name="林老师"),
        await web.person("assistant", school=village, name="赵老师"),
        await web.person("school_admin", school=village, of_school=village),
    )


@pytest.fixture
async def lesson(web: Web, city: City) -> Lesson:
    return await web.lesson(city.teacher, city.lead, city.room, assistant=city.assistant, starts=timedelta(days=1))


@pytest.fixture
async def admin(web: Web, city: City) -> Browser:
    return await web.sign_in(await web.person("district_admin", district=city.district, name="周主任"))


async def held(web: Web, lesson: Lesson) -> Lesson:
    async with web.database.reading() as session:
        return await session.get_one(Lesson, lesson.id)


async def told(web: Web) -> dict[str, set[str]]:
    """Who was told what, since the last question."""
    async with web.transaction() as session:
        found: dict[str, set[str]] = {}
        for row in await session.scalars(select(Notice)):
            found.setdefault(row.key, set()).add(row.person_id)
            await session.delete(row)
        return found


def later(web: Web, **much: float) -> str:
    return (web.clock.now() + timedelta(**much)).isoformat()


async def test_a_moved_lesson_is_the_same_lesson_and_moving_back_leaves_no_mark(
    web: Web, city: City, lesson: Lesson, admin: Browser
) -> None:
    answer = await admin.post(
        f"/api/v1/lessons/{lesson.id}/move", json={"starts_at": later(web, days=2), "note": "会议", "sequence": 0}
    )
    assert answer.status_code == 200, answer.text
    now = await held(web, lesson)
    assert (now.starts_at - lesson.starts_at, now.moved_from) == (timedelta(days=1), lesson.starts_at)
    assert (now.ends_at - now.starts_at, now.sequence, now.state) == (timedelta(minutes=40), 1, "published")
    assert await told(web) == {"moved": {city.teacher.id, city.assistant.id, city.village_admin.id}}
    stale = await admin.post(f"/api/v1/lessons/{lesson.id}/move", json={"starts_at": later(web, days=3), "sequence": 0})
    assert (stale.status_code, stale.json()["error"]["key"]) == (409, "lesson_changed")
    web.clock.moment += timedelta(minutes=1)
    await admin.post(f"/api/v1/lessons/{lesson.id}/move", json={"starts_at": lesson.starts_at.isoformat()})
    back = await held(web, lesson)
    assert (back.starts_at, back.ends_at, back.moved_from) == (lesson.starts_at, lesson.ends_at, None)
    [first, second] = (await admin.get(f"/api/v1/lessons/{lesson.id}/changes")).json()
    assert (first["by"], first["note"], second["kind"]) == ("周主任", "会议", "move")
    async with web.database.reading() as session:
        answers = [row.answer for row in await session.scalars(select(Invitation).order_by(Invitation.asked_at))]
    assert answers[-1] == "pending"


async def test_a_move_onto_something_is_refused_by_name(web: Web, city: City, lesson: Lesson, admin: Browser) -> None:
    other = await web.person("teacher", school=city.town)
    lead = await web.room(city.town, "另一间", kind="lead")
    await web.lesson(other, lead, city.room, starts=timedelta(days=2), title="美术课")
    answer = await admin.post(f"/api/v1/lessons/{lesson.id}/move", json={"starts_at": later(web, days=2, minutes=39)})
    assert (answer.status_code, answer.json()["error"]["key"]) == (409, "lesson_room_busy")
    assert "美术课" in answer.json()["error"]["message"]
    assert (await held(web, lesson)).starts_at == lesson.starts_at
    touching = await admin.post(f"/api/v1/lessons/{lesson.id}/move", json={"starts_at": later(web, days=2, minutes=40)})
    assert touching.status_code == 200


async def test_cancelled_and_undone(web: Web, city: City, lesson: Lesson, admin: Browser) -> None:
    answer = await admin.post(f"/api/v1/lessons/{lesson.id}/call-off", json={"reason": "teacher_ill"})
    assert answer.json()["state"] == "cancelled"
    await told(web)
    undone = await admin.post(f"/api/v1/changes/{answer.json()['batch']}/undo")
    assert undone.status_code == 200, undone.text
    now = await held(web, lesson)
    assert (now.state, now.cancel_reason, now.cancelled_at, now.sequence) == ("published", None, None, 2)
    assert set(await told(web)) == {"undone"}
    again = await admin.post(f"/api/v1/changes/{answer.json()['batch']}/undo")
    assert again.status_code == 404


async def test_an_undo_waits_for_later_changes_and_for_free_rooms(
    web: Web, city: City, lesson: Lesson, admin: Browser
) -> None:
    first = (await admin.post(f"/api/v1/lessons/{lesson.id}/move", json={"starts_at": later(web, days=2)})).json()
    second = (await admin.post(f"/api/v1/lessons/{lesson.id}/move", json={"starts_at": later(web, days=3)})).json()
    answer = await admin.post(f"/api/v1/changes/{first['batch']}/undo")
    assert answer.json()["error"]["key"] == "change_overtaken"
    await web.lesson(city.teacher, city.lead, city.room, starts=timedelta(days=2), title="占了")
    answer = await admin.post(f"/api/v1/changes/{second['batch']}/undo")
    assert answer.json()["error"]["key"] == "lesson_teacher_busy"
    assert (await held(web, lesson)).starts_at == web.clock.now() + timedelta(days=3)


async def test_only_the_district_takes_a_lesson_out_of_the_figures(
    web: Web, city: City, lesson: Lesson, admin: Browser
) -> None:
    school = await web.sign_in(await web.person("school_admin", of_school=city.town))
    path = f"/api/v1/lessons/{lesson.id}/call-off"
    assert (await school.post(path, json={"reason": "weather"})).json()["error"]["key"] == "cancel_exempt"
    assert (await admin.post(path, json={"reason": "weather"})).status_code == 200


async def test_a_makeup_lesson_names_what_it_repays_and_the_pair_counts_once(
    web: Web, city: City, lesson: Lesson, admin: Browser
) -> None:
    body = {"starts_at": later(web, days=3)}
    early = await admin.post(f"/api/v1/lessons/{lesson.id}/repay", json=body)
    assert early.json()["error"]["key"] == "repay_not_cancelled"
    await admin.post(f"/api/v1/lessons/{lesson.id}/call-off", json={"reason": "power"})
    repaid = await admin.post(f"/api/v1/lessons/{lesson.id}/repay", json=body)
    assert repaid.status_code == 201, repaid.text
    assert [one["room"] for one in repaid.json()["receipts"]] == [city.room.id]
    twice = await admin.post(f"/api/v1/lessons/{lesson.id}/repay", json={"starts_at": later(web, days=4)})
    assert twice.json()["error"]["key"] == "repay_twice"

    async def counted(when: datetime) -> set[str]:
        async with web.database.reading() as session:
            return {one.lesson for one in await indicators.due_receipts(session, SYSTEM, month_of("2026-11"), when)}

    now = web.clock.now()
    assert await counted(now + timedelta(days=2)) == {lesson.id}, "owed until it is repaid"
    assert await counted(now + timedelta(days=4)) == {repaid.json()["id"]}, "then the pair counts once"


async def test_many_lessons_are_called_off_and_brought_back_at_once(web: Web, city: City, admin: Browser) -> None:
    day = city_date(web.clock.now() + timedelta(days=1))
    some = [
        await web.lesson(city.teacher, city.lead, city.room, starts=timedelta(days=1, hours=hours))
        for hours in range(3)
    ]
    far = await web.district("120114")
    elsewhere = await web.school(far, "远校")
    their = await web.lesson(
        await web.person("teacher", school=elsewhere), await web.room(elsewhere, "主讲", kind="lead"), city.room,
        starts=timedelta(days=1, hours=5),
    )  # fmt: skip
    body = {"reason": "school_event", "school_id": city.village.id, "first": str(day), "last": str(day)}
    answer = (await admin.post("/api/v1/lessons/cancel-many", json=body)).json()
    assert sorted(answer["lessons"]) == sorted(one.id for one in some)
    assert answer["passed_over"] == [their.id], "it is another district's lesson"
    page = (await admin.get(f"/lessons/{some[0].id}")).text
    one = await admin.post(f"/lessons/{some[0].id}/undo/{answer['batch']}", data={"csrf": admin.csrf})
    assert one.status_code == 303 and f"/undo/{answer['batch']}" in page
    states = [(await held(web, lesson)).state for lesson in some]
    assert states == ["published", "cancelled", "cancelled"], "the button on one lesson brings back that one"
    undone = await admin.post(f"/api/v1/changes/{answer['batch']}/undo")
    assert [one["state"] for one in undone.json()] == ["published", "published"]


async def test_a_substitute_keeps_the_lesson_and_takes_the_seat(
    web: Web, city: City, lesson: Lesson, admin: Browser
) -> None:
    await web.node()
    soon = await web.lesson(city.teacher, city.lead, city.room, assistant=city.assistant)
    teacher = await web.sign_in(city.teacher)
    assert (await teacher.post(f"/api/v1/lessons/{soon.id}/seat", json={"role": "teacher"})).status_code == 200
    other = await web.person("teacher", school=city.town, name="代老师")
    answer = await admin.post(f"/api/v1/lessons/{soon.id}/teacher", json={"teacher_id": other.id})
    assert answer.status_code == 200, answer.text
    assert (await teacher.post(f"/api/v1/lessons/{soon.id}/seat", json={"role": "teacher"})).status_code in (403, 404)
    put, revoked = web.nodes.calls[-2:]
    assert (put[0], put[2]["teacher_seat"], put[2]["teacher"]) == ("PUT", f"t-{other.id}", "代老师")
    assert revoked == ("POST", f"n1/rooms/{soon.id}/revoke", {"seat": f"t-{city.teacher.id}"})
    assert city.teacher.id in (await told(web))["teacher"]
    assert (
        await (await web.sign_in(other)).post(f"/api/v1/lessons/{soon.id}/seat", json={"role": "teacher"})
    ).is_success
    nobody = await admin.post(f"/api/v1/lessons/{soon.id}/teacher", json={"teacher_id": city.assistant.id})
    assert nobody.json()["error"]["key"] == "lesson_teacher"


async def test_who_loses_the_seat_by_an_undo_is_thrown_out_of_an_open_room(
    web: Web, city: City, admin: Browser
) -> None:
    await web.node()
    soon = await web.lesson(city.teacher, city.lead, city.room, assistant=city.assistant)
    other = await web.person("teacher", school=city.town, name="代老师")
    spare = await web.room(city.village, "阶梯教室", pupils=27)
    base = f"/api/v1/lessons/{soon.id}"
    asked = {
        "teacher": {"teacher_id": other.id},
        "assistant": {"room_id": city.room.id, "assistant_id": None},
        "room": {"room_id": city.room.id, "to_room_id": spare.id},
    }
    teacher = await web.sign_in(city.teacher)
    assert (await teacher.post(f"{base}/seat", json={"role": "teacher"})).is_success
    seats = {"teacher": f"t-{other.id}", "assistant": f"a-{city.room.id}", "room": f"r-{spare.id}"}
    for kind, body in asked.items():
        done = (await admin.post(f"{base}/{kind}", json=body)).json()
        web.nodes.calls.clear()
        undone = await admin.post(f"/lessons/{soon.id}/undo/{done['batch']}", data={"csrf": admin.csrf})
        assert undone.status_code == 303, undone.text
        put, revoked = web.nodes.calls
        assert (put[0], put[2]["teacher_seat"]) == ("PUT", f"t-{city.teacher.id}")
        assert revoked == ("POST", f"n1/rooms/{soon.id}/revoke", {"seat": seats[kind]}), kind


async def test_a_receiving_school_names_its_assistant_and_room_and_nothing_else(
    web: Web, city: City, lesson: Lesson
) -> None:
    school = await web.sign_in(city.village_admin)
    spare = await web.room(city.village, "阶梯教室", pupils=27)
    new = await web.person("assistant", school=city.village, name="临时老师")
    base = f"/api/v1/lessons/{lesson.id}"
    done = await school.post(f"{base}/assistant", json={"room_id": city.room.id, "assistant_id": new.id})
    assert done.status_code == 200, done.text
    done = await school.post(f"{base}/room", json={"room_id": city.room.id, "to_room_id": spare.id})
    assert done.status_code == 200, done.text
    now = await held(web, lesson)
    assert [(one.room_id, one.assistant_id) for one in now.receipts] == [(spare.id, new.id)]
    for path, body in (
        ("move", {"starts_at": later(web, days=2)}),
        ("call-off", {"reason": "power"}),
        ("teacher", {"teacher_id": new.id}),
        ("room", {"room_id": city.lead.id, "to_room_id": spare.id}),
    ):
        assert (await school.post(f"{base}/{path}", json=body)).status_code == 403, path
    kiosk = await web.device(spare)
    assert (await kiosk.get("/api/v1/kiosk")).json()["next"]["id"] == lesson.id
    assert (await (await web.device(city.room)).get("/api/v1/kiosk")).json()["next"] is None


async def test_a_receiving_school_confirms_objects_or_is_answered_for(
    web: Web, city: City, lesson: Lesson, admin: Browser
) -> None:
    school = await web.sign_in(city.village_admin)
    await admin.post(f"/api/v1/lessons/{lesson.id}/move", json={"starts_at": later(web, days=7)})
    [asked] = (await school.get("/api/v1/invitations")).json()
    assert (asked["lesson"], asked["due_on"]) == (lesson.id, "2026-11-18")
    path = f"/api/v1/invitations/{asked['id']}/answer"
    assert (await admin.post(path, json={"answer": "confirm"})).status_code == 200, "the district answers for it"
    silent = await school.post(path, json={"answer": "object"})
    assert silent.json()["error"]["key"] == "invitation_objection"
    await told(web)
    assert (await school.post(path, json={"answer": "object", "objection": "与体检冲突"})).status_code == 200
    assert set(await told(web)) == {"objected"}
    async with web.transaction() as session:
        row = await session.get_one(Invitation, asked["id"])
        row.answer = "pending"
    web.clock.moment += timedelta(days=2)
    async with web.transaction() as session:
        assert await invitations.escalate(session, web.clock.now()) == 0, "Wednesday is still theirs"
    web.clock.moment += timedelta(days=1)
    async with web.transaction() as session:
        assert await invitations.escalate(session, web.clock.now()) == 1
        assert await invitations.escalate(session, web.clock.now()) == 0, "once"
    assert set(await told(web)) == {"silent"}


async def test_lessons_are_registered_and_archived_by_the_job(web: Web, city: City) -> None:
    today = city_date(web.clock.now())
    await web.add(Term(id="2026-1", name="第一学期", starts_on=today, ends_on=today + timedelta(days=30)))
    closed = await web.lesson(city.teacher, city.lead, city.room, state="closed", closed_at=web.clock.now())
    start = web.clock.now()
    for days, state in ((3, "closed"), (4, "registered"), (40, "registered"), (45, "archived")):
        web.clock.moment = start + timedelta(days=days)
        await registering.round_(web.database, web.clock)
        assert (await held(web, closed)).state == state, days
    async with web.database.reading() as session:
        query = select(AuditEntry).where(AuditEntry.kind == "lessons", AuditEntry.act == "change")
        told = [(one.told["rows"], one.told["state"], one.district_id) for one in await session.scalars(query)]
    district = city.lead.school.supervised_by
    assert sorted(told) == [(1, ["closed", "registered"], district), (1, ["registered", "archived"], district)]


async def test_a_dispute_is_settled_by_the_district(web: Web, city: City, admin: Browser) -> None:
    lesson = await web.lesson(city.teacher, city.lead, city.room, state="closed", closed_at=web.clock.now())
    school = await web.sign_in(city.village_admin)
    assert (await school.post(f"/api/v1/lessons/{lesson.id}/dispute", json={"note": ""})).status_code == 422
    answer = await school.post(f"/api/v1/lessons/{lesson.id}/dispute", json={"note": "我们在线"})
    assert answer.json()["state"] == "disputed"
    assert (await school.post(f"/api/v1/lessons/{lesson.id}/settle", json={"note": "好"})).status_code == 403
    settled = await admin.post(f"/api/v1/lessons/{lesson.id}/settle", json={"note": "好"})
    assert settled.json()["state"] == "registered"


async def test_the_teacher_says_what_the_lesson_is_about(web: Web, city: City, lesson: Lesson) -> None:
    teacher = await web.sign_in(city.teacher)
    body: dict[str, Any] = {
        "title": "《牧歌》",
        "edition": "人音版",
        "volume": "上册",
        "unit": "第三单元",
        "part": "第2课时",
    }
    assert (await teacher.post(f"/api/v1/lessons/{lesson.id}/about", json=body)).status_code == 200
    now = await held(web, lesson)
    assert (now.title, now.unit, now.part) == ("《牧歌》", "第三单元", "第2课时")
    stranger = await web.sign_in(await web.person("teacher", school=city.town))
    assert (await stranger.post(f"/api/v1/lessons/{lesson.id}/about", json=body)).status_code == 403


async def test_a_class_is_behind_by_what_was_called_off_and_not_repaid(web: Web, city: City, admin: Browser) -> None:
    from server.classrooms.models import Classroom, Receiver
    from server.ids import new_id
    from server.participation.models import Attendance

    now = web.clock.now()
    await web.add(
        Classroom(
            id="c", name="音乐", subject="music", grade=3, lead_room_id=city.lead.id, lead_teacher_id=city.teacher.id,
            term="2026-1", created_at=now,
        )
    )  # fmt: skip
    await web.add(Receiver(id=new_id(), classroom_id="c", position=1, room_id=city.room.id))
    told = ((9, "closed", "一"), (7, "cancelled", None), (5, "closed", "二"), (-3, "published", None))
    had, lost, owed, _ = [
        await web.lesson(
            city.teacher, city.lead, city.room, starts=timedelta(days=-days), classroom_id="c", state=state, unit=unit
        )
        for days, state, unit in told
    ]  # fmt: skip
    await web.add(
        Attendance(
            id="a", lesson_id=had.id, room_id=city.room.id, planned_ms=1, delivered_ms=1, online_ms=1, heard_ms=1,
            heard=[], online=[], hands=0, effective=True, fact_count=1, computed_at=now,
        )
    )  # fmt: skip
    [row] = (await admin.get("/api/v1/classrooms/c/progress")).json()
    assert (row["planned"], row["received"], row["behind"], row["last_part"]) == (3, 1, 2, "一")
    assert set(row["lost"]) == {lost.id, owed.id}


async def test_the_change_that_was_kept_says_only_what_changed(web: Web, lesson: Lesson, admin: Browser) -> None:
    await admin.post(f"/api/v1/lessons/{lesson.id}/call-off", json={"reason": "power", "note": "线路检修"})
    async with web.database.reading() as session:
        row = (await session.scalars(select(LessonChange))).one()
    assert set(row.after) == {"state", "cancel_reason", "cancelled_at", "cancelled_by"}
    assert (row.before["state"], row.reason, row.note) == ("published", "power", "线路检修")


async def test_who_has_not_read_of_it_is_rung_half_an_hour_before_the_bell(
    web: Web, city: City, admin: Browser
) -> None:
    soon = await web.lesson(city.teacher, city.lead, city.room, assistant=city.assistant, starts=timedelta(minutes=90))
    other = await web.person("teacher", school=city.town, name="代课老师")
    await admin.post(f"/api/v1/lessons/{soon.id}/teacher", json={"teacher_id": other.id})
    assert "请打电话" not in (await admin.get("/notices")).text
    web.clock.moment += timedelta(minutes=65)
    page = (await admin.get("/notices")).text
    assert "请打电话" in page and "代课老师" in page and "赵老师" in page
    theirs = await web.sign_in(other)
    await theirs.post("/api/v1/notices/read-all")
    page = (await admin.get("/notices")).text
    assert "代课老师</strong>" not in page and "赵老师</strong>" in page
    assert "请打电话" not in (await theirs.get("/notices")).text
