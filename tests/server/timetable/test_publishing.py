"""Weekly slots become dated lessons: once, without clashes, again without harm, on both databases with two at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, time, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from server.classrooms.models import Classroom
from server.clock import CITY
from server.database import Database, make_engine
from server.errors import ConflictError
from server.lessons.changes.record import snapshot
from server.lessons.models import Invitation, Lesson, LessonChange
from server.models import Base
from server.notices.models import Notice
from server.outbox.models import Channel, Delivery
from server.scope import Scope
from server.timetable import publishing
from server.timetable.models import CalendarHorizon, SchoolSpan, WeeklySlot
from tests.support.timetable import TERM, City, made, slot
from tests.support.web import Web

pytestmark = pytest.mark.slow

CITY_ADMIN = Scope(person=None, posts=frozenset({"city_admin"}), city=True)


@pytest.fixture
async def city(web: Web) -> City:
    return await made(web)


async def lessons(web: Web, *states: str) -> list[str]:
    async with web.database.reading() as session:
        query = select(Lesson).where(Lesson.state.in_(states or ("published",))).order_by(Lesson.starts_at)
        found = (await session.scalars(query)).unique()
        return [one.starts_at.astimezone(CITY).strftime("%m-%d %H:%M") for one in found]


async def publish(web: Web, *classrooms: str, **more: Any) -> publishing.Plan:
    async with web.transaction() as session:
        return await publishing.publish(session, CITY_ADMIN, TERM, classrooms, web.clock.now(), **more)


async def test_thursdays_lessons_with_holiday_and_makeup_day_once_however_often_published(web: Web, city: City) -> None:
    await web.add(*city.classroom(web, id="c"), slot("c", 4))
    plan = await publish(web, "c")
    wanted = ["11-19 10:00", "11-28 10:00", "12-03 10:00", "12-10 10:00"]
    assert (len(plan.add), plan.beyond) == (4, None)
    assert await lessons(web) == wanted
    plan = await publish(web, "c")
    assert (len(plan.add), plan.kept) == (0, 4)
    assert await lessons(web) == wanted
    async with web.database.reading() as session:
        invited = (await session.scalars(select(Invitation))).one()
        assert (invited.school_id, invited.answer, invited.due_on) == (city.village.id, "pending", date(2026, 11, 18))
        assert (await session.scalars(select(Notice.person_id))).all() == [city.teacher.id]


async def test_double_weeks_and_bells_of_the_season(web: Web, city: City) -> None:
    await web.add(*city.classroom(web, id="c"), slot("c", 2, weeks="even"), slot("c", 3, 9, follows_bell=True))
    await publish(web, "c")
    # week 12 begins on 16 November; the usual primary bell rings the second period at 09:15
    assert await lessons(web) == [
        "11-17 10:00",
        "11-18 09:15",
        "11-25 09:15",
        "12-01 10:00",
        "12-02 09:15",
        "12-09 09:15",
    ]


async def test_what_the_timetable_no_longer_holds_is_withdrawn_and_what_was_touched_stays(web: Web, city: City) -> None:
    held = slot("c", 4)
    await web.add(*city.classroom(web, id="c"), held)
    await publish(web, "c")
    async with web.transaction() as session:
        first = (await session.scalars(select(Lesson).order_by(Lesson.starts_at).limit(1))).one()
        first.changed_at = web.clock.now()
        (await session.get_one(WeeklySlot, held.id)).weekday = 5
    plan = await publish(web, "c")
    assert (len(plan.add), len(plan.withdraw)) == (4, 3)
    assert await lessons(web) == ["11-19 10:00", "11-20 10:00", "11-27 10:00", "12-04 10:00", "12-11 10:00"]
    async with web.transaction() as session:
        (await session.get_one(WeeklySlot, held.id)).weekday = 4
    plan = await publish(web, "c")
    assert (len(plan.restore), len(plan.withdraw), plan.kept) == (3, 4, 1)
    assert await lessons(web) == ["11-19 10:00", "11-28 10:00", "12-03 10:00", "12-10 10:00"]


async def test_a_lesson_moved_forward_and_over_is_not_made_again_on_its_old_day(web: Web, city: City) -> None:
    await web.add(*city.classroom(web, id="c"), slot("c", 4))
    await publish(web, "c")
    async with web.transaction() as session:
        first = (await session.scalars(select(Lesson).order_by(Lesson.starts_at).limit(1))).one()
        first.moved_from, first.changed_at = first.starts_at, web.clock.now()
        first.starts_at, first.ends_at = first.starts_at - timedelta(days=2), first.ends_at - timedelta(days=2)
    web.clock.moment = first.ends_at + timedelta(hours=1)
    plan = await publish(web, "c")
    assert (len(plan.add), len(plan.withdraw), plan.kept) == (0, 0, 4)
    assert len(await lessons(web)) == 4


async def test_a_bell_that_rings_later_today_makes_no_second_lesson_of_one_that_began(web: Web, city: City) -> None:
    held = slot("c", 4)
    await web.add(*city.classroom(web, id="c"), held)
    await publish(web, "c")
    async with web.transaction() as session:
        first = (await session.scalars(select(Lesson).order_by(Lesson.starts_at).limit(1))).one()
        (await session.get_one(WeeklySlot, held.id)).starts = time(11, 0)
        first.state = "live"
    web.clock.moment = first.starts_at + timedelta(minutes=10)
    plan = await publish(web, "c")
    assert (len(plan.add), len(plan.renew), plan.kept) == (0, 3, 1)


async def test_another_teacher_reaches_the_lessons_nobody_touched_more_than_once(web: Web, city: City) -> None:
    await web.add(*city.classroom(web, id="c"), slot("c", 4))
    await publish(web, "c")
    other = await web.person("teacher", school=city.town)
    for turn, teacher in enumerate((other, city.teacher), 1):
        web.clock.moment += timedelta(minutes=1)
        async with web.transaction() as session:
            (await session.get_one(Classroom, "c")).lead_teacher_id = teacher.id
        assert len((await publish(web, "c")).renew) == 4
        async with web.database.reading() as session:
            assert set(await session.scalars(select(Lesson.teacher_id))) == {teacher.id}
            assert set(await session.scalars(select(Lesson.sequence))) == {turn}
            assert set(await session.scalars(select(Lesson.changed_at))) == {web.clock.now()}, "calendars hear when"
    async with web.database.reading() as session:
        query = select(LessonChange.kind).where(LessonChange.kind != "publish")
        kinds = list(await session.scalars(query))
    assert kinds == ["renew"] * 8


async def test_a_new_name_reaches_them_and_disturbs_nobody(web: Web, city: City) -> None:
    await web.add(*city.classroom(web, id="c"), slot("c", 4))
    await publish(web, "c")
    await told(web)
    async with web.transaction() as session:
        row = await session.get_one(Classroom, "c")
        row.name, row.grade = "四年级音乐", 4
    assert len((await publish(web, "c")).renew) == 4
    async with web.database.reading() as session:
        assert {(one.title, one.grade) for one in (await session.scalars(select(Lesson))).unique()} == {
            ("四年级音乐", 4)
        }
        assert [one.answer for one in await session.scalars(select(Invitation))] == ["pending"]
    assert await told(web) == []
    assert len((await publish(web, "c")).renew) == 0


async def told(web: Web) -> list[tuple[str, str, dict[str, Any]]]:
    """Who was told what, since the last question."""
    async with web.transaction() as session:
        rows = list(await session.scalars(select(Notice).order_by(Notice.key, Notice.person_id)))
        for row in rows:
            await session.delete(row)
        return [(row.key, row.person_id, row.words) for row in rows]


async def test_everybody_concerned_is_told_once_of_what_was_withdrawn_and_changed(web: Web, city: City) -> None:
    theirs = await web.person("school_admin", school=city.village, of_school=city.village)
    held, [row, receiver] = slot("c", 4), city.classroom(web, id="c")
    receiver.assistant_id = city.assistant.id
    await web.add(row, receiver, held, slot("c", 5))
    await publish(web, "c")
    await told(web)
    listening = {"kind": "webhook", "name": "平台", "district_id": city.district.id, "created_at": web.clock.now()}
    hook = Channel(id="h", endpoint="https://example.org/h", secret="s", events=[], **listening)
    await web.add(hook)
    other = await web.person("teacher", school=city.town)
    async with web.transaction() as session:
        await session.delete(await session.get_one(WeeklySlot, held.id))
        (await session.get_one(Classroom, "c")).lead_teacher_id = other.id
    plan = await publish(web, "c")
    assert (len(plan.add), len(plan.renew), len(plan.withdraw)) == (0, 4, 4)
    found = await told(web)
    mine = {person: words for key, person, words in found if key == "replanned"}
    both = {"added": 0, "changed": 4, "withdrawn": 4}
    assert {person: {name: words[name] for name in both} for person, words in mine.items()} == {
        city.teacher.id: both,
        city.assistant.id: both,
        theirs.id: both,
        other.id: {**both, "withdrawn": 0},
    }
    assert [(key, person) for key, person, _ in found if key != "replanned"] == [("invited", theirs.id)]
    async with web.database.reading() as session:
        events = [one.event for one in await session.scalars(select(Delivery))]
        changes = list(await session.scalars(select(LessonChange).where(LessonChange.kind == "cancel")))
    assert sorted(events) == ["lesson.cancelled"] * 4 + ["timetable.published"]
    assert {(one.reason, one.after["state"]) for one in changes} == {("replanned", "cancelled")} and len(changes) == 4


async def test_the_history_of_each_lesson_says_who_published_it(web: Web, city: City) -> None:
    admin = await web.person("city_admin", name="钟市管")
    await web.add(*city.classroom(web, id="c"), slot("c", 4))
    async with web.transaction() as session:
        scope = Scope(person=admin.id, posts=frozenset({"city_admin"}), city=True)
        await publishing.publish(session, scope, TERM, ["c"], web.clock.now())
    async with web.database.reading() as session:
        rows = list(await session.scalars(select(LessonChange)))
        held = {one.id: one for one in (await session.scalars(select(Lesson))).unique()}
    assert {row.lesson_id for row in rows} == set(held) and len(rows) == 4
    assert {(row.kind, row.by, row.by_name, row.at) for row in rows} == {
        ("publish", admin.id, "钟市管", web.clock.now())
    } and len({row.batch for row in rows}) == 1
    for row in rows:
        assert row.after == snapshot(held[row.lesson_id]), "what was published, with its receiving rooms"
    browser = await web.sign_in(admin)
    assert "钟市管" in (await browser.get(f"/lessons/{rows[0].lesson_id}")).text
    undo = await browser.post(f"/api/v1/changes/{rows[0].batch}/undo")
    assert undo.status_code == 403, "a timetable is withdrawn by publishing it anew"


async def test_whoever_is_concerned_by_several_parts_hears_of_the_publishing_once(web: Web, city: City) -> None:
    theirs = await web.person("school_admin", school=city.village, of_school=city.village)
    held = slot("c", 4)
    for id_, name in (("c", "三年级音乐"), ("d", "三年级美术"), ("e", "三年级科学")):
        await web.add(*city.classroom(web, name, id=id_))
    await web.add(held, slot("d", 2), slot("e", 3))
    await publish(web, "c", run="one")
    async with web.transaction() as session:
        for row in await session.scalars(select(Notice)):
            assert row.key in ("published", "invited") and row.words["name"] == "三年级音乐"
            row.read_at = web.clock.now()
    await publish(web, "d", run="one")
    await publish(web, "e", run="one")
    async with web.database.reading() as session:
        rows = {row.person_id: row for row in await session.scalars(select(Notice))}
        assert len(rows) == 2 and all(row.read_at is None for row in rows.values())
    mine, asked = rows[city.teacher.id], rows[theirs.id]
    assert (mine.key, mine.words["count"], mine.words["added"], mine.href) == ("published_many", 3, 12, "/timetable")
    assert (asked.key, asked.words["count"], asked.href) == ("invited_many", 3, "/invitations")
    assert "3 个课堂" in (await (await web.sign_in(city.teacher)).get("/notices")).text
    await publish(web, "d", run="another")
    assert len(await told(web)) == 2, "nothing new in it, nobody told"
    async with web.transaction() as session:
        (await session.get_one(WeeklySlot, held.id)).weekday = 5
    await publish(web, "d", "e", run="two")
    await publish(web, "c", run="two")
    again = {person: (key, words["added"], words["withdrawn"]) for key, person, words in await told(web)}
    assert again[city.teacher.id] == ("replanned", 4, 4)


async def test_an_archived_classroom_s_lessons_are_withdrawn_when_asked_and_come_back_with_it(
    web: Web, city: City
) -> None:
    theirs = await web.person("school_admin", school=city.village, of_school=city.village)
    admin = await web.sign_in(await web.person("district_admin", district=city.district))
    await web.add(*city.classroom(web, id="c"), slot("c", 4))
    await publish(web, "c")
    await told(web)
    path, csrf = "/admin/classrooms/c", {"csrf": admin.csrf}
    assert (await admin.post(f"{path}/withdraw", data=csrf)).status_code == 409, "it is running"
    assert (await admin.post(f"{path}/archive", data=csrf)).status_code == 303
    page = (await admin.get(path)).text
    assert "还有 4 节" in page and f"{path}/withdraw" in page
    assert (await admin.post(f"{path}/withdraw", data=csrf)).status_code == 303
    assert await lessons(web) == [] and len(await lessons(web, "cancelled")) == 4
    found = await told(web)
    assert {(key, person, words["withdrawn"]) for key, person, words in found} == {
        ("replanned", city.teacher.id, 4),
        ("replanned", theirs.id, 4),
    } and len(found) == 2
    assert f"{path}/withdraw" not in (await admin.get(path)).text
    assert (await admin.post(f"{path}/restore", data=csrf)).status_code == 303
    assert len((await publish(web, "c")).restore) == 4


async def test_a_clash_is_named_and_nothing_is_published(web: Web, city: City) -> None:
    await web.add(*city.classroom(web, id="c", name="三年级音乐"), slot("c", 4))
    await publish(web, "c")
    other = await web.person("teacher", school=city.town)
    room = await web.room(city.town, "第二主讲教室", kind="lead")
    more = {"lead_teacher_id": other.id, "lead_room_id": room.id}
    await web.add(*city.classroom(web, id="d", name="四年级美术", **more), slot("d", 4), slot("d", 5))
    with pytest.raises(ConflictError) as refused:
        await publish(web, "d")
    assert refused.value.key == "publish_clashes"
    assert refused.value.params["count"] == 4
    named = refused.value.params["clashes"][0]
    assert (named["kind"], named["title"], named["day"]) == ("room", "三年级音乐", "2026-11-19")
    assert city.village.short_name in named["name"]
    assert len(await lessons(web)) == 4
    plan = await publish(web, "d", without_clashing=True)
    assert len(plan.add) == 4 and len(await lessons(web)) == 8


async def test_two_times_in_one_period_are_said_not_stumbled_over(web: Web, city: City) -> None:
    """From before they were refused: lessons are known by classroom, day and period."""
    await web.add(*city.classroom(web, id="c"), slot("c", 4), slot("c", 4, 14))
    async with web.transaction() as session:
        for one in await session.scalars(select(WeeklySlot)):
            one.period = 1
    admin = await web.sign_in(await web.person("city_admin"))
    page = await admin.get("/timetable/publish?term=2026-1&classroom=c")
    assert page.status_code == 200 and "有两个时段都是第 1 节" in page.text
    refused = await admin.post("/api/v1/timetable/publish", json={"term": TERM, "classrooms": ["c"]})
    assert (refused.status_code, refused.json()["error"]["key"]) == (422, "publish_period_twice")


async def test_days_away_are_left_out_and_what_is_not_known_is_said(web: Web, city: City) -> None:
    now = web.clock.now()
    span = SchoolSpan(
        id="s", school_id=city.village.id, kind="sports", name="运动会", first_on=date(2026, 12, 2),
        last_on=date(2026, 12, 4), created_at=now,
    )  # fmt: skip
    await web.add(*city.classroom(web, id="c"), slot("c", 4), span)
    async with web.transaction() as session:
        (await session.get_one(CalendarHorizon, "city")).known_until = date(2026, 11, 30)
    plan = await publish(web, "c")
    assert [(one.name) for _, one in plan.away] == ["运动会"]
    assert plan.beyond == date(2026, 11, 30)
    assert await lessons(web) == ["11-19 10:00", "11-28 10:00", "12-10 10:00"]


# --- two administrators at once ---------------------------------------------------------------------------------------


@pytest.fixture
async def elsewhere(postgres_url: str, web: Web) -> AsyncIterator[Web]:
    """The same web on PostgreSQL."""
    held = Database(make_engine(postgres_url))
    async with held.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    before, web.database = web.database, held
    yield web
    web.database = before
    await held.dispose()


async def race(web: Web, city: City) -> None:
    """Eight administrators publish classrooms that want one receiving room at the same times: one gets it."""
    for number in range(8):
        teacher = await web.person("teacher", school=city.town)
        room = await web.room(city.town, f"主讲{number}", kind="lead")
        more = {"lead_teacher_id": teacher.id, "lead_room_id": room.id}
        await web.add(*city.classroom(web, id=f"c{number}", name=f"课堂{number}", **more), slot(f"c{number}", 4))
    outcomes = await asyncio.gather(*(publish(web, f"c{n}") for n in range(8)), return_exceptions=True)
    won = [one for one in outcomes if isinstance(one, publishing.Plan)]
    lost = [one for one in outcomes if isinstance(one, ConflictError)]
    assert (len(won), len(lost)) == (1, 7), outcomes
    assert {one.key for one in lost} == {"publish_clashes"}
    async with web.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Lesson)) == 4


async def test_of_many_at_once_one_wins_on_sqlite(web: Web, city: City) -> None:
    await race(web, city)


@pytest.mark.real
async def test_of_many_at_once_one_wins_on_postgresql(elsewhere: Web) -> None:
    await race(elsewhere, await made(elsewhere))


async def crosswise(web: Web, city: City) -> None:
    """Two lessons moved at once onto each other's free time, many times: never both there, never a deadlock."""
    from server.lessons.changes import service as changes
    from server.lessons.changes.schemas import MoveBody

    other = await web.person("teacher", school=city.town)
    second = await web.room(city.town, "主讲二", kind="lead")
    one = await web.lesson(city.teacher, city.lead, city.room, starts=timedelta(days=1))
    two = await web.lesson(other, second, city.room, starts=timedelta(days=2))

    async def move(lesson: Lesson, days: int) -> str:
        body = MoveBody(starts_at=web.clock.now() + timedelta(days=days))
        try:
            async with web.transaction() as session:
                await changes.move(session, CITY_ADMIN, lesson.id, body, web.clock.now())
        except ConflictError as error:
            return error.key
        return "moved"

    for days in (5, 6, 7, 8):
        assert sorted(await asyncio.gather(move(one, days), move(two, days))) == ["lesson_room_busy", "moved"]


async def test_two_moves_at_once_on_sqlite(web: Web, city: City) -> None:
    await crosswise(web, city)


@pytest.mark.real
async def test_two_moves_at_once_on_postgresql(elsewhere: Web) -> None:
    await crosswise(elsewhere, await made(elsewhere))
