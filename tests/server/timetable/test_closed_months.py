"""The calendar of months that are over stays as it was: terms, holidays, days away; open days may change."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from server.scope import SYSTEM
from server.timetable import calendar
from server.timetable.models import CalendarDay, SchoolSpan, Term
from tests.server.exchange.test_roundtrip import export, packed, send, state_of, write
from tests.support import timetable
from tests.support.timetable import City
from tests.support.web import Browser, Web

OCTOBER = date(2026, 10, 15)
"""Today is 16 November: October is over, its report stands."""


@pytest.fixture
async def city(web: Web) -> City:
    held = await timetable.made(web)
    await web.add(CalendarDay(day=OCTOBER, kind="holiday", name="台风"))
    return held


@pytest.fixture
async def admin(web: Web, city: City) -> Browser:
    return await web.sign_in(await web.person("city_admin", name="市管理员"))


def refused(answer: Any, key: str = "calendar_closed") -> bool:
    return answer.status_code == 422 and answer.json()["error"]["key"] == key


async def held(web: Web, kind: Any, key: Any) -> Any:
    async with web.database.reading() as session:
        return await session.get(kind, key)


async def test_days_of_closed_months(web: Web, admin: Browser) -> None:
    makeup = {"kind": "makeup", "name": "补课日", "runs_weekday": 1}
    for day in (OCTOBER, OCTOBER + timedelta(days=1), date(2026, 10, 31)):
        assert refused(await admin.put(f"/api/v1/calendar/{day}", json=makeup))
    assert refused(await admin.delete(f"/api/v1/calendar/{OCTOBER}"))
    assert (await held(web, CalendarDay, OCTOBER)).kind == "holiday"
    assert (await admin.put("/api/v1/calendar/2026-11-01", json=makeup)).status_code == 200, "this month is open"
    page = (await admin.get("/timetable/calendar")).text
    assert "days/2026-11-01/delete" in page and f"days/{OCTOBER}/delete" not in page
    data = {"day": str(OCTOBER), "kind": "holiday", "name": "改名"}
    said = await admin.post("/timetable/calendar/days", data=data)
    assert said.status_code == 422 and "2026-11-01 之前的月份已经结算" in said.text


@pytest.mark.parametrize(
    ("first", "last", "key"),
    [
        ("2026-09-02", "2026-12-11", "term_begun"),
        ("2026-08-31", "2026-12-11", "term_begun"),
        ("2026-11-03", "2026-12-11", "term_begun"),
        ("2026-09-01", "2026-10-30", "term_over"),
        ("2026-09-01", "2026-10-31", ""),
        ("2026-09-01", "2027-01-20", ""),
    ],
)
async def test_days_of_a_running_term(admin: Browser, first: str, last: str, key: str) -> None:
    answer = await admin.put(
        "/api/v1/terms", json={"id": timetable.TERM, "name": "第一学期", "starts_on": first, "ends_on": last}
    )
    assert refused(answer, key) if key else answer.status_code == 200, answer.text


async def test_a_term_entered_this_month_is_still_being_entered(web: Web, admin: Browser) -> None:
    async with web.transaction() as session:
        await session.delete(await session.get_one(Term, timetable.TERM))
    body = {"id": "2026-1", "name": "第一学期", "starts_on": "2026-08-01", "ends_on": "2027-01-20"}
    assert (await admin.put("/api/v1/terms", json=body)).status_code == 200, "a server that starts in November"
    assert (await admin.put("/api/v1/terms", json={**body, "starts_on": "2026-09-01"})).status_code == 200
    web.clock.moment += timedelta(days=30)
    admin = await web.sign_in(await web.person("city_admin"))
    assert refused(await admin.put("/api/v1/terms", json={**body, "starts_on": "2026-09-02"}), "term_begun")
    old = {"id": "2025-2", "name": "上学期", "starts_on": "2026-02-23", "ends_on": "2026-07-10"}
    assert refused(await admin.put("/api/v1/terms", json=old), "term_over")


async def test_days_away(web: Web, city: City, admin: Browser) -> None:
    body = {"school_id": city.town.id, "kind": "sports", "name": "运动会"}
    for first, last in (("2026-10-20", "2026-10-21"), ("2026-10-30", "2026-11-20")):
        assert refused(await admin.post("/api/v1/spans", json={**body, "first_on": first, "last_on": last}))
    made = web.clock.now()
    await web.add(
        SchoolSpan(id="over", first_on=date(2026, 10, 20), last_on=date(2026, 10, 21), created_at=made, **body),
        SchoolSpan(id="both", first_on=date(2026, 10, 30), last_on=date(2026, 11, 20), created_at=made, **body),
        SchoolSpan(id="open", first_on=date(2026, 11, 2), last_on=date(2026, 11, 3), created_at=made, **body),
    )
    assert refused(await admin.delete("/api/v1/spans/over"))
    assert "spans/over/delete" not in (await admin.get("/timetable/spans/over")).text
    assert "spans/both/delete" in (await admin.get("/timetable/spans/both")).text
    for one in ("both", "open"):
        assert (await admin.delete(f"/api/v1/spans/{one}")).status_code == 204
    assert (await held(web, SchoolSpan, "both")).last_on == date(2026, 10, 31), "its closed days stay"
    assert await held(web, SchoolSpan, "open") is None


async def test_a_file_changes_no_closed_day(web: Web, admin: Browser) -> None:
    grid = await export(admin, "calendar")
    row = next(one for one in grid[1:] if one[2] == "台风")
    open_row = [date(2026, 12, 24), row[1], "测试假", None, None]
    await write(web, admin, "calendar", packed([*grid, open_row]))
    for wrong in ([*row[:2], "大风", None, None], [date(2026, 10, 20), row[1], "台风", None, None]):
        place, page = await send(web, admin, "calendar", packed([grid[0], wrong]))
        found = (await state_of(web, place)).problems
        assert [(one["column"], one["key"]) for one in found] == [("day", "errors.calendar_closed")]
        assert "请从文件里删去这一行" in page


async def test_the_seed_adds_nothing_to_closed_months(web: Web, city: City) -> None:
    async with web.transaction() as session:
        (await calendar.set_horizon(session, SYSTEM, date(2026, 9, 1))).set_by = None
    async with web.transaction() as session:
        await calendar.seed(session, SYSTEM, web.clock.now())
    assert await held(web, CalendarDay, date(2026, 10, 1)) is None
