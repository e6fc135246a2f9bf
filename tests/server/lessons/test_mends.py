"""补签: three school days, a reason, the receiving school's approval; and every figure follows from the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from server.accounts.models import Person
from server.audit.models import AuditEntry
from server.indicators.models import RollUp
from server.lessons import registering
from server.lessons.mends.schemas import days_left
from server.lessons.models import Lesson
from server.notices.models import Notice
from server.participation import service as ledger
from server.participation.models import Attendance, FactRow
from server.schools.models import Room, School
from server.timetable.models import CalendarDay
from server.timetable.terms import SpecialDay
from tests.support.ledger import Story
from tests.support.web import Browser, Web

FRIDAY, TODAY = date(2026, 11, 13), date(2026, 11, 16)
HOLIDAY, MAKE_UP = SpecialDay(True), SpecialDay(False, runs_weekday=3)


@dataclass
class City:
    web: Web
    town: School
    village: School
    room: Room
    lead: Room
    teacher: Person
    assistant: Person
    admin: Person

    async def held(self, *, heard: int = 40, kind: str = "formal") -> Lesson:
        """A lesson of this morning that the room heard without anybody signing in."""
        lesson = await self.web.lesson(
            self.teacher, self.lead, self.room, assistant=self.assistant, starts=-timedelta(hours=1), kind=kind
        )
        story = Story(lesson).open().hears(self.room.id, 0, heard).close()
        async with self.web.transaction() as session:
            await ledger.ingest(session, story.facts, self.web.clock.now())
        await ledger.catch_up(self.web.database, self.web.clock)
        return lesson

    async def attended(self, lesson: Lesson) -> Attendance:
        await ledger.catch_up(self.web.database, self.web.clock)
        async with self.web.database.reading() as session:
            return (await session.scalars(select(Attendance).where(Attendance.lesson_id == lesson.id))).one()

    async def told(self, person: Person) -> list[str]:
        async with self.web.database.reading() as session:
            return list(await session.scalars(select(Notice.key).where(Notice.person_id == person.id)))

    async def facts(self) -> list[FactRow]:
        async with self.web.database.reading() as session:
            return list(await session.scalars(select(FactRow).where(FactRow.kind == "SignInMadeGood")))


@pytest.fixture
async def city(web: Web) -> City:
    district = await web.district()
    town, village = await web.school(district, "城关小学"), await web.school(district, "南里小学")
    return City(
        web,
        town,
        village,
        await web.room(village),
        await web.room(town, "录播教室", kind="lead"),
        await web.person("teacher", school=town, name="林老师"),
        await web.person("assistant", school=village, name="赵老师"),
        await web.person("school_admin", school=village, of_school=village, name="孙校长"),
    )


async def ask(browser: Browser, city: City, lesson: Lesson, status: int, **more: str) -> dict[str, str]:
    body = {"room_id": city.room.id, "reason": "forgot", **more}
    answer = await browser.post(f"/api/v1/lessons/{lesson.id}/mends", json=body)
    assert answer.status_code == status, answer.text
    found: dict[str, str] = answer.json()["error"] if status >= 400 else answer.json()
    return found


# --- the days -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("closed", "today", "special", "left"),
    [
        (TODAY, TODAY, {}, 3),
        (TODAY, TODAY + timedelta(days=1), {}, 3),
        (TODAY, TODAY + timedelta(days=3), {}, 1),
        (TODAY, TODAY + timedelta(days=4), {}, 0),
        (FRIDAY, FRIDAY + timedelta(days=1), {}, 3),
        (FRIDAY, FRIDAY + timedelta(days=1), {FRIDAY + timedelta(days=1): MAKE_UP}, 3),
        (FRIDAY, FRIDAY + timedelta(days=4), {FRIDAY + timedelta(days=1): MAKE_UP}, 1),
        (TODAY, TODAY + timedelta(days=3), {TODAY + timedelta(days=1): HOLIDAY}, 2),
    ],
)
def test_school_days_that_are_left(closed: date, today: date, special: dict[date, SpecialDay], left: int) -> None:
    assert days_left(closed, today, special) == left


# --- asked and approved -------------------------------------------------------------------------------------------


async def test_asked_by_the_assistant_approved_by_the_school_counted_by_the_ledger(city: City) -> None:
    lesson = await city.held()
    assert (await city.attended(lesson)).reason == "unsigned"
    assistant, admin = await city.web.sign_in(city.assistant), await city.web.sign_in(city.admin)
    [missing] = (await assistant.get("/api/v1/mends")).json()
    assert (missing["lesson"], missing["days_left"], missing["asked"]) == (lesson.id, 3, None)
    asked = await ask(assistant, city, lesson, 201)
    assert (asked["answer"], asked["person"]) == ("pending", city.assistant.id)
    assert await city.told(city.admin) == ["mend_asked"]
    assert (await ask(assistant, city, lesson, 409))["key"] == "mend_asked"
    assert (await city.attended(lesson)).reason == "unsigned", "asking is not signing"

    answer = await admin.post(f"/api/v1/mends/{asked['id']}/answer", json={"answer": "approve"})
    assert answer.json()["answer"] == "approved"
    assert await city.told(city.assistant) == ["mend_approved"]
    row = await city.attended(lesson)
    assert (row.effective, row.reason, row.signed_in_at) == (True, None, None) and row.made_good_at is not None
    [fact] = await city.facts()
    assert fact.id == f"{lesson.id}:0:signed-{city.room.id}" and fact.room_id == city.room.id
    assert fact.data == {
        "person": city.assistant.id, "asked_by": city.assistant.id, "approved_by": city.admin.id, "reason": "forgot",
    }  # fmt: skip
    async with city.web.transaction() as session:
        await ledger.rebuild(session, city.web.clock.now())
    assert (await city.attended(lesson)).effective, "the ledger alone says so"
    async with city.web.database.reading() as session:
        rates = list(await session.scalars(select(RollUp).where(RollUp.code == "L1", RollUp.level == "room")))
        told = list(await session.scalars(select(AuditEntry.kind).where(AuditEntry.kind == "sign_in_mends")))
    assert [(one.numerator, one.denominator) for one in rates if one.part == city.room.id] == [(1, 1)]
    assert len(told) == 2
    again = await admin.post(f"/api/v1/mends/{asked['id']}/answer", json={"answer": "approve"})
    assert again.status_code == 409 and (await admin.get("/api/v1/mends")).json() == []


async def test_a_refusal_says_why_and_may_be_asked_again(city: City) -> None:
    lesson = await city.held()
    assistant, admin = await city.web.sign_in(city.assistant), await city.web.sign_in(city.admin)
    asked = await ask(assistant, city, lesson, 201, reason="other", note="临时换了电脑")
    path = f"/api/v1/mends/{asked['id']}/answer"
    assert (await admin.post(path, json={"answer": "refuse"})).json()["error"]["key"] == "mend_why"
    assert (await admin.post(path, json={"answer": "refuse", "why": "当时不在班里"})).json()["answer"] == "refused"
    assert await city.told(city.assistant) == ["mend_refused"] and await city.facts() == []
    await ask(assistant, city, lesson, 201)


async def test_an_administrator_names_who_was_there_but_never_answers_for_himself(city: City) -> None:
    web, lesson = city.web, await city.held()
    other = await web.person("teacher", school=city.village, name="钱老师")
    stranger = await web.person("teacher", school=city.town, name="外校老师")
    admin = await web.sign_in(city.admin)
    assert (await ask(admin, city, lesson, 422, person_id=stranger.id))["key"] == "mend_person"
    entered = await ask(admin, city, lesson, 201, person_id=other.id)
    assert (entered["answer"], entered["answered_by"]) == ("approved", city.admin.id)
    assert (await city.attended(lesson)).effective

    mine = await city.held()
    async with web.transaction() as session:
        (await session.get_one(Lesson, mine.id)).receipts[0].assistant_id = city.admin.id
    asked = await ask(admin, city, mine, 201)
    assert asked["answer"] == "pending"
    own = await admin.post(f"/api/v1/mends/{asked['id']}/answer", json={"answer": "approve"})
    assert (own.status_code, own.json()["error"]["key"]) == (403, "mend_own")
    second = await web.sign_in(await web.person("school_admin", school=city.village, of_school=city.village))
    done = await second.post(f"/api/v1/mends/{asked['id']}/answer", json={"answer": "approve"})
    assert done.json()["answer"] == "approved"


async def test_the_dean_asks_and_does_not_approve(city: City) -> None:
    lesson = await city.held()
    dean = await city.web.sign_in(await city.web.person("dean", school=city.village, of_school=city.village))
    asked = await ask(dean, city, lesson, 201)
    assert (asked["answer"], asked["person"]) == ("pending", city.assistant.id)
    refused = await dean.post(f"/api/v1/mends/{asked['id']}/answer", json={"answer": "approve"})
    assert refused.status_code == 403


# --- refused ------------------------------------------------------------------------------------------------------


async def test_nobody_else_asks_or_answers(city: City) -> None:
    web, lesson = city.web, await city.held()
    people = [
        (city.teacher, 403),
        (await web.person("assistant", school=city.village), 403),
        (await web.person("school_admin", school=city.town, of_school=city.town), 403),
        (await web.person("inspector"), 403),
        (await web.person("assistant", school=await web.school(await web.district("120114"), "别处小学")), 404),
    ]
    asked = await ask(await web.sign_in(city.assistant), city, lesson, 201)
    for person, status in people:
        browser = await web.sign_in(person)
        await ask(browser, city, lesson, status)
        answer = await browser.post(f"/api/v1/mends/{asked['id']}/answer", json={"answer": "approve"})
        assert answer.status_code == status
        assert (await browser.get("/api/v1/mends")).json() == []
    assert await city.facts() == []


async def test_only_what_lacks_nothing_but_its_sign_in(city: City) -> None:
    assistant = await city.web.sign_in(city.assistant)
    for lesson in (await city.held(heard=20), await city.held(kind="trial")):
        assert (await ask(assistant, city, lesson, 409))["key"] == "mend_needless"
    assert (await assistant.get("/api/v1/mends")).json() == []
    lesson = await city.held()
    assert (await ask(assistant, city, lesson, 422, reason="other"))["key"] == "mend_note"


async def test_after_three_school_days_it_is_over(city: City) -> None:
    web, lesson = city.web, await city.held()
    await web.add(CalendarDay(day=TODAY + timedelta(days=2), kind="holiday", name="放假"))
    asked = await ask(await web.sign_in(city.assistant), city, lesson, 201)
    start = web.clock.now()
    web.clock.moment = start + timedelta(days=4)
    await registering.round_(web.database, web.clock)
    assistant = await web.sign_in(city.assistant)
    [missing] = (await assistant.get("/api/v1/mends")).json()
    assert missing["days_left"] == 1, "the holiday is not counted"
    web.clock.moment = start + timedelta(days=5)
    assistant, admin = await web.sign_in(city.assistant), await web.sign_in(city.admin)
    answer = await admin.post(f"/api/v1/mends/{asked['id']}/answer", json={"answer": "approve"})
    assert answer.json()["error"]["key"] == "mend_over"
    assert (await assistant.get("/api/v1/mends")).json() == [] and await city.facts() == []
    assert "未及核准" in (await assistant.get(f"/lessons/{lesson.id}")).text


# --- pages --------------------------------------------------------------------------------------------------------


async def test_the_pages_lead_from_the_desk_to_the_evidence(city: City) -> None:
    web, lesson = city.web, await city.held()
    assistant, admin = await web.sign_in(city.assistant), await web.sign_in(city.admin)
    for browser, path in ((assistant, "/desk"), (admin, "/admin")):
        assert "待补签 1 节，最近的还剩 3 个上课日" in (await browser.get(path)).text
        assert lesson.id in (await browser.get("/mends")).text
    assert "还剩 3 个上课日" in (await assistant.get(f"/lessons/{lesson.id}")).text
    wrong = await assistant.post(f"/lessons/{lesson.id}/mends", data={"room_id": city.room.id, "reason": "other"})
    assert wrong.status_code == 422 and "请写明情况" in wrong.text
    form = {"room_id": city.room.id, "reason": "phone", "note": "放在办公室"}
    sent = await assistant.post(f"/lessons/{lesson.id}/mends", data=form)
    assert sent.headers["location"] == f"/lessons/{lesson.id}#mends"
    page = (await admin.get(f"/lessons/{lesson.id}")).text
    assert "待学校核准" in page and "放在办公室" in page and "手机没带或没电" in page
    [missing] = (await admin.get("/api/v1/mends")).json()
    path = f"/mends/{missing['asked']['id']}/answer"
    assert (await admin.post(path, data={"answer": "refuse"})).status_code == 422
    assert (await admin.post(path, data={"answer": "approve"})).status_code == 303
    page = (await assistant.get(f"/lessons/{lesson.id}")).text
    assert "已补签" in page and "孙校长核准" in page and "待补签" not in page
    assert "待补签" not in (await assistant.get("/desk")).text
    await city.attended(lesson)
    evidence = (await admin.get(f"/indicators/lessons/{lesson.id}")).text
    assert "赵老师在班里，手机没带或没电；赵老师申请，孙校长核准" in evidence
    foreign = await web.sign_in(await web.person("teacher", school=city.town))
    assert "补签" not in (await foreign.get(f"/lessons/{lesson.id}")).text
