"""Synchronous classrooms: who sees and writes them, which rooms and people may stand in them, clashes of times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts.models import Person
from server.audit.models import AuditEntry
from server.classrooms import service, store
from server.classrooms.models import Classroom
from server.classrooms.pages import ROWS
from server.classrooms.schemas import ClassroomBody
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.forms import rows_of
from server.ids import new_id
from server.schools.models import District, Pairing, Room, School, SchoolClass
from server.scope import Scope
from server.timetable.models import Term
from tests.support.web import Web

CITY = Scope(person="p", posts=frozenset({"city_admin"}), city=True)


def of_district(*ids: str) -> Scope:
    return Scope(person="p", posts=frozenset({"district_admin"}), districts=frozenset(ids))


@dataclass
class Place:
    town: District
    far: District
    lead: School
    village: School
    lead_room: Room
    room: Room
    teacher: Person
    assistant: Person

    def body(self, **change: Any) -> ClassroomBody:
        plain: dict[str, Any] = {
            "name": "四年级音乐同步课堂",
            "subject": "music",
            "grade": 4,
            "term": "2026-1",
            "lead_room_id": self.lead_room.id,
            "lead_teacher_id": self.teacher.id,
            "receivers": [{"room_id": self.room.id, "assistant_id": self.assistant.id}],
            "slots": [{"weekday": 2, "period": 3, "starts": time(10, 10), "minutes": 40}],
        }
        return ClassroomBody(**{**plain, **change})


@pytest.fixture
async def place(web: Web) -> Place:
    town, far = await web.district("120101", "central"), await web.district("120119", "far")
    lead, village = await web.school(town, "和平小学"), await web.school(far, "山村小学")
    await web.add(
        Term(id="2026-1", name="第一学期", starts_on=date(2026, 9, 1), ends_on=date(2027, 1, 20)),
        Pairing(
            id=new_id(),
            lead_school_id=lead.id,
            village_school_id=village.id,
            kind="one_to_one",
            starts_on=date(2026, 9, 1),
        ),
    )
    return Place(
        town,
        far,
        lead,
        village,
        await web.room(lead, "主讲教室", kind="lead"),
        await web.room(village),
        await web.person("teacher", school=lead, name="林老师"),
        await web.person("assistant", school=village, name="赵老师"),
    )


async def made(web: Web, place: Place, scope: Scope = CITY, **change: Any) -> Classroom:
    async with web.transaction() as session:
        return await service.create(session, scope, place.body(**change), web.clock.now())


async def test_lead_district_creates_and_receiving_district_sees(web: Web, place: Place) -> None:
    classroom = await made(web, place, of_district("120101"))
    async with web.database.reading() as session:
        for scope in (of_district("120119"), Scope(person=place.assistant.id), Scope(person=place.teacher.id), CITY):
            assert await store.classroom(session, scope, classroom.id) is not None
        for scope in (of_district("120115"), Scope(person="somebody"), Scope()):
            assert await store.classroom(session, scope, classroom.id) is None
    async with web.transaction() as session:
        with pytest.raises(ForbiddenError):
            await service.archive(session, of_district("120119"), classroom.id, web.clock.now())
        with pytest.raises(NotFoundError):
            await service.archive(session, of_district("120115"), classroom.id, web.clock.now())


async def test_receiving_rooms_are_ones_own_or_paired(web: Web, place: Place) -> None:
    elsewhere = await web.room(await web.school(await web.district("120115"), "别处小学"))
    receivers = [{"room_id": elsewhere.id}]
    with pytest.raises(InvalidError, match="classroom_unpaired"):
        await made(web, place, of_district("120101"), receivers=receivers)
    await made(web, place, CITY, receivers=receivers)


async def test_rooms_and_people_must_fit(web: Web, place: Place) -> None:
    one = {"room_id": place.room.id}
    cases: list[tuple[str, dict[str, Any]]] = [
        ("classroom_lead_room", {"lead_room_id": place.room.id}),
        ("classroom_receiving_room", {"receivers": [{"room_id": "nowhere"}]}),
        ("classroom_rooms_twice", {"receivers": [one, one]}),
        ("classroom_teacher", {"lead_teacher_id": place.assistant.id}),
        ("classroom_assistant", {"receivers": [{"room_id": place.room.id, "assistant_id": place.teacher.id}]}),
        ("classroom_term", {"term": "2030-1"}),
    ]
    for key, change in cases:
        with pytest.raises(InvalidError, match=key):
            await made(web, place, CITY, **change)
    with pytest.raises(ValueError, match="receivers"):
        place.body(receivers=[])
    with pytest.raises(ValueError, match="receivers"):
        place.body(receivers=[{"room_id": f"r{n}"} for n in range(4)])


async def test_no_room_and_no_teacher_twice_at_once(web: Web, place: Place) -> None:
    await made(web, place)
    overlapping = [{"weekday": 2, "period": 4, "starts": time(10, 49), "minutes": 40}]
    with pytest.raises(ConflictError, match="classroom_busy"):
        await made(web, place, name="另一课堂", slots=overlapping)
    after = [{"weekday": 2, "period": 4, "starts": time(10, 50), "minutes": 40}]
    await made(web, place, name="另一课堂", slots=after)
    twice = [{"weekday": 1, "period": n, "starts": time(8, 0), "minutes": 40} for n in (1, 2)]
    with pytest.raises(InvalidError, match="classroom_slots_twice"):
        await made(web, place, name="第三课堂", slots=twice)
    same_period = [{"weekday": 1, "period": 1, "starts": time(hour, 0), "minutes": 40} for hour in (8, 14)]
    with pytest.raises(InvalidError, match="classroom_slots_twice"):
        await made(web, place, name="第三课堂", slots=same_period)
    taking_turns = [{**one, "weeks": weeks} for one, weeks in zip(same_period, ("odd", "even"), strict=True)]
    await made(web, place, name="第三课堂", slots=taking_turns)


async def test_a_stranger_s_classroom_is_not_named(web: Web, place: Place) -> None:
    third = await web.school(await web.district("120118", "far"), "静海小学")
    teacher, lead = await web.person("teacher", school=third), await web.room(third, "主讲", kind="lead")
    await made(web, place, name="别区的课堂", lead_room_id=lead.id, lead_teacher_id=teacher.id)
    with pytest.raises(ConflictError, match="classroom_taken") as refused:
        await made(web, place, of_district("120101"))
    assert "name" not in refused.value.params
    with pytest.raises(ConflictError, match="classroom_busy"):
        await made(web, place)


async def test_editing_replaces_rooms_and_times_and_does_not_clash_with_itself(web: Web, place: Place) -> None:
    classroom = await made(web, place)
    async with web.transaction() as session:
        body = place.body(name="新名称", receivers=[{"room_id": place.room.id}])
        again = await service.edit(session, CITY, classroom.id, body, web.clock.now())
        assert (again.name, again.receivers[0].assistant_id) == ("新名称", None)
    async with web.database.reading() as session:
        slots = await store.slots(session, CITY, [classroom.id])
        assert [(s.weekday, s.starts) for s in slots[classroom.id]] == [(2, time(10, 10))]


async def test_archived_classrooms_free_their_times(web: Web, place: Place) -> None:
    classroom = await made(web, place)
    async with web.transaction() as session:
        await service.archive(session, CITY, classroom.id, web.clock.now())
    await made(web, place, name="接替课堂")
    async with web.database.reading() as session:
        running, _ = await store.list_classrooms(session, CITY, store.ClassroomFilter(), 1, 9)
        archived, _ = await store.list_classrooms(session, CITY, store.ClassroomFilter(state="archived"), 1, 9)
        assert ([c.name for c in running], [c.id for c in archived]) == (["接替课堂"], [classroom.id])


async def test_the_log_knows_what_an_edit_took_away(web: Web, place: Place) -> None:
    classroom = await made(web, place)
    async with web.database.reading() as session:
        old = (await store.slots(session, CITY, [classroom.id]))[classroom.id][0]
    times = [{"weekday": 5, "period": 3, "starts": time(10, 10), "minutes": 40}]
    async with web.transaction() as session:
        await service.edit(session, CITY, classroom.id, place.body(slots=times), web.clock.now())
    async with web.database.reading() as session:
        entries = (await session.scalars(select(AuditEntry).where(AuditEntry.act == "delete"))).all()
        assert [(one.kind, one.row_id, one.told["weekday"]) for one in entries] == [("weekly_slots", old.id, [2, None])]
        assert [one.weekday for one in (await store.slots(session, CITY, [classroom.id]))[classroom.id]] == [5]


async def test_form_makes_a_classroom_and_marks_the_wrong_row(web: Web, place: Place) -> None:
    admin = await web.sign_in(await web.person("district_admin", district=place.town))
    page = await admin.get("/admin/classrooms/new")
    assert page.status_code == 200 and place.room.id in page.text
    form = {
        "name": "四年级音乐",
        "subject": "music",
        "grade": "4",
        "term": "2026-1",
        "lead_room_id": place.lead_room.id,
        "lead_teacher_id": place.teacher.id,
        "receivers.0.room_id": place.room.id,
        "receivers.0.assistant_id": "",
        "slots.0.weekday": "3",
        "slots.0.period": "2",
        "slots.0.starts": "08:55",
        "slots.0.minutes": "900",
        "slots.1.weekday": "1",
        "slots.1.period": "1",
        "slots.1.starts": "",
        "slots.1.minutes": "40",
    }
    page = await admin.post("/admin/classrooms/new", data=form)
    assert page.status_code == 422 and "四年级音乐" in page.text
    page = await admin.post("/admin/classrooms/new", data=form | {"slots.0.minutes": "40"})
    assert page.status_code == 303
    shown = await admin.get(page.headers["location"])
    assert "周三" in shown.text and "08:55" in shown.text
    assert (await admin.get("/admin/classrooms?q=山村")).text.count("四年级音乐") >= 1


async def test_teacher_reads_own_classroom_but_cannot_write(web: Web, place: Place) -> None:
    classroom = await made(web, place)
    teacher = await web.sign_in(place.teacher)
    assert (await teacher.get(f"/api/v1/classrooms/{classroom.id}")).json()["lead_teacher"] == "林老师"
    body = place.body().model_dump(mode="json")
    assert (await teacher.put(f"/api/v1/classrooms/{classroom.id}", json=body)).status_code == 403
    assert (await teacher.get(f"/admin/classrooms/{classroom.id}/edit")).status_code == 403


def test_empty_rows_of_the_form_are_dropped() -> None:
    flat = {"name": "x", "receivers.1.room_id": "r", "receivers.2.assistant_id": "p", "slots.0.weekday": "1"}
    assert rows_of(flat, ROWS) == {"name": "x", "receivers": [{"room_id": "r"}], "slots": []}


async def test_each_receiving_room_names_its_class(web: Web, place: Place) -> None:
    """The class's headcount is 应到; it cannot sit in another classroom at the same time."""
    held = SchoolClass(
        id=new_id(), school_id=place.village.id, phase="primary", entry_year=2023, number=2, pupils=19, name="启明班"
    )
    foreign = SchoolClass(id=new_id(), school_id=place.lead.id, phase="primary", entry_year=2023, number=1, pupils=40)
    await web.add(held, foreign)
    admin = await web.sign_in(await web.person("district_admin", district=place.town))
    form = {
        "name": "四年级音乐", "subject": "music", "grade": "4", "term": "2026-1", "lead_room_id": place.lead_room.id,
        "lead_teacher_id": place.teacher.id, "receivers.0.room_id": place.room.id, "slots.0.weekday": "2",
        "slots.0.period": "3", "slots.0.starts": "10:10", "slots.0.minutes": "40",
    }  # fmt: skip
    page = (await admin.get("/admin/classrooms/new")).text
    assert "启明班 (19)" in page
    wrong = await admin.post("/admin/classrooms/new", data={**form, "receivers.0.class_id": foreign.id})
    assert wrong.status_code == 422 and "请选择山村小学在读的一个班" in wrong.text
    done = await admin.post("/admin/classrooms/new", data={**form, "receivers.0.class_id": held.id})
    assert done.status_code == 303, done.text
    shown = (await admin.get(done.headers["location"])).text
    assert "启明班" in shown and '<td class="num" data-label="应到">19</td>' in shown and "还没有上过" in shown
    second = await web.room(place.village, "另一间")
    others = await web.person("teacher", school=place.lead, name="李老师")
    lead = await web.room(place.lead, "另一间主讲", kind="lead")
    clash = await admin.post(
        "/admin/classrooms/new",
        data={**form, "receivers.0.class_id": held.id, "receivers.0.room_id": second.id, "lead_room_id": lead.id,
              "lead_teacher_id": others.id},
    )  # fmt: skip
    assert clash.status_code == 422 and "同一教室、教师或班级" in clash.text


@pytest.mark.parametrize("number", ["99999999", "x", "-1", "²"])
async def test_rows_that_our_form_never_sends_are_no_bug_and_no_burden(web: Web, number: str) -> None:
    admin = await web.sign_in(await web.person("city_admin"))
    page = await admin.post("/admin/classrooms/new", data={f"slots.{number}.weekday": "1", "csrf": admin.csrf})
    assert page.status_code == 422
    assert len(page.content) < 100_000
