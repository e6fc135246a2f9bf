"""Classes: grades follow the calendar, headcounts keep what they were, only the school's own people write them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from server.classes.grades import entry_year, grade_on, years
from server.classes.service import KEPT
from server.schools.models import Past
from tests.support.web import Web


@pytest.mark.parametrize(
    ("phase", "year", "day", "grade"),
    [
        ("primary", 2026, date(2026, 9, 1), 1),
        ("primary", 2026, date(2026, 8, 31), None),
        ("primary", 2024, date(2026, 11, 16), 3),
        ("primary", 2021, date(2027, 8, 31), 6),
        ("primary", 2021, date(2027, 9, 1), None),
        ("junior", 2024, date(2026, 11, 16), 9),
    ],
)
def test_a_grade_follows_from_the_day(phase: str, year: int, day: date, grade: int | None) -> None:
    assert grade_on(phase, year, day) == grade
    if grade is not None:
        assert entry_year(phase, grade, day) == year
        assert year in years(phase, day)


async def test_a_school_keeps_its_own_classes(web: Web) -> None:
    district = await web.district()
    mine, other = await web.school(district, "甲小学"), await web.school(district, "乙小学")
    dean = await web.sign_in(await web.person("dean", school=mine))
    body = {"school_id": mine.id, "phase": "primary", "entry_year": 2024, "number": 1, "pupils": 38}
    made = await dean.post("/api/v1/classes", json=body)
    assert (made.status_code, made.json()["grade"]) == (201, 3)
    assert (await dean.post("/api/v1/classes", json=body)).status_code == 409
    assert (await dean.post("/api/v1/classes", json={**body, "phase": "junior"})).status_code == 422
    assert (await dean.post("/api/v1/classes", json={**body, "entry_year": 2010})).status_code == 422
    assert (await dean.post("/api/v1/classes", json={**body, "school_id": other.id})).status_code == 404
    one = made.json()["id"]
    assert (await dean.put(f"/api/v1/classes/{one}", json={"pupils": 36})).json()["pupils"] == 36
    async with web.database.reading() as session:
        past = (await session.scalars(select(Past).where(Past.kind == "class"))).one()
    assert past.was == dict.fromkeys(KEPT) | {"pupils": 38}
    assert (await dean.get("/api/v1/classes?grade=3")).json()["count"] == 1
    assert (await dean.get("/api/v1/classes?grade=4")).json()["count"] == 0
    page = await dean.get(f"/admin/classes?school={mine.id}")
    assert "2024级1班" in page.text and "三年级" in page.text
    edited = await dean.post(f"/admin/classes/{one}", data={"pupils": "37", "consent_on": "2026-09-10"})
    assert edited.status_code == 303
    assert (await dean.get("/api/v1/classes?state=consent")).json()["count"] == 0


async def test_a_consent_says_who_to_what_until_when(web: Web) -> None:
    """MONDAY is the 16th of November 2026."""
    school = await web.school(await web.district())
    dean = await web.sign_in(await web.person("dean", school=school))
    body = {"school_id": school.id, "phase": "primary", "entry_year": 2024, "number": 1, "pupils": 38}
    one = (await dean.post("/api/v1/classes", json=body)).json()["id"]
    given = {"consent_on": "2026-09-10", "consent_by": "王主任", "consent_version": "2026年9月版"}
    given |= {"consent_channel": "paper", "consent_until": "2026-11-16"}
    cases: list[tuple[dict[str, str | None], str]] = [
        ({}, "held"),
        ({"consent_until": "2026-11-15"}, "ended"),
        ({"consent_withdrawn_on": "2026-11-16"}, "withdrawn"),
        ({"consent_withdrawn_on": "2026-11-17"}, "held"),
    ]
    for change, said in cases:
        answer = await dean.put(f"/api/v1/classes/{one}", json={"pupils": 38, **given, **change})
        assert answer.json()["consent"] == said and answer.json()["consent_by"] == "王主任"
        count = (await dean.get("/api/v1/classes?state=consent")).json()["count"]
        assert count == (said != "held")
    wrong: list[tuple[dict[str, str | None], str]] = [
        ({"consent_on": None}, "先填写家长同意的日期"),
        ({"consent_until": "2026-09-09"}, "不能早于同意的日期"),
    ]
    for change, sentence in wrong:
        data = {"pupils": "38", **{name: value for name, value in (given | change).items() if value}}
        page = await dean.post(f"/admin/classes/{one}", data=data)
        assert page.status_code == 422 and sentence in page.text
    page = await dean.get(f"/admin/classes/{one}")
    assert "王主任" in page.text and "2026年9月版" in page.text and "admin.classes." not in page.text
    withdrawn = await dean.post(
        f"/admin/classes/{one}", data={"pupils": "38", **given, "consent_withdrawn_on": "2026-11-01"}
    )
    assert withdrawn.status_code == 303
    assert "已撤回" in (await dean.get(f"/admin/classes?school={school.id}")).text


async def test_a_class_has_a_head_of_its_school_and_keeps_what_it_was(web: Web) -> None:
    district = await web.district()
    mine, other = await web.school(district, "甲小学"), await web.school(district, "乙小学")
    head, stranger = await web.person("teacher", school=mine, name="班老师"), await web.person("teacher", school=other)
    dean = await web.person("dean", school=mine)
    browser = await web.sign_in(dean)
    body = {"school_id": mine.id, "phase": "primary", "entry_year": 2024, "number": 1, "pupils": 38}
    one = (await browser.post("/api/v1/classes", json=body)).json()["id"]
    door = f"/api/v1/classes/{one}"
    for wrong in (stranger, dean):
        refused = await browser.put(door, json={"pupils": 38, "head_id": wrong.id})
        assert (refused.status_code, refused.json()["error"]["key"]) == (422, "class_head")
    assert "班老师" in (await browser.get(f"/admin/classes/{one}")).text
    form = {"pupils": "38", "head_id": head.id, "consent_on": "2026-09-10"}
    assert (await browser.post(f"/admin/classes/{one}", data=form)).status_code == 303
    assert (await browser.get(door)).json()["head_id"] == head.id

    web.clock.moment += timedelta(hours=24)
    browser = await web.sign_in(dean)
    assert (await browser.post(f"{door}/close")).json()["closed_on"] == "2026-11-17"
    admin = await web.sign_in(await web.person("district_admin", district=district))
    moved = await admin.put(f"/api/v1/people/{head.id}", json={"name": "班老师", "school_id": other.id})
    assert moved.status_code == 200, moved.text
    assert (await browser.get(door)).json()["head_id"] is None
    async with web.database.reading() as session:
        pasts = list(await session.scalars(select(Past).where(Past.kind == "class").order_by(Past.until)))
    assert [one.was["head_id"] for one in pasts] == [None, head.id]
    assert [(one.was["consent_on"], one.open) for one in pasts] == [(None, True), ("2026-09-10", True)]
    assert (await admin.get(f"/admin/schools/{mine.id}")).status_code == 200
