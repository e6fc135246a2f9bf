"""Declared gaps belong to the school, paired or not, and are withdrawn, never deleted."""

from __future__ import annotations

from datetime import date, timedelta

from server.schools.models import Gap
from server.timetable.models import Term
from tests.support.web import Web


async def test_a_school_declares_and_withdraws(web: Web) -> None:
    district = await web.district()
    school, other = await web.school(district, "村小学"), await web.school(district, "别的小学")
    await web.add(Term(id="2026-1", name="第一学期", starts_on=date(2026, 9, 1), ends_on=date(2027, 1, 20)))
    admin = await web.sign_in(await web.person("school_admin", school=school, of_school=school))
    body = {"school_id": school.id, "term": "2026-1", "grade": 4, "subject": "music", "weekly": 2}
    made = await admin.post("/api/v1/gaps", json=body)
    assert made.status_code == 201 and made.json()["declared_on"] == "2026-11-16"
    assert (await admin.post("/api/v1/gaps", json=body)).status_code == 409
    assert (await admin.post("/api/v1/gaps", json={**body, "grade": 8})).status_code == 422
    assert (await admin.post("/api/v1/gaps", json={**body, "term": "2030-1"})).status_code == 422
    assert (await admin.post("/api/v1/gaps", json={**body, "school_id": other.id})).status_code == 404
    page = await admin.get("/admin/gaps")
    assert "四年级" in page.text and "音乐" in page.text
    gone = await admin.post(f"/api/v1/gaps/{made.json()['id']}/withdraw")
    assert gone.json()["withdrawn_on"] == "2026-11-16"
    assert (await admin.get("/api/v1/gaps")).json()["count"] == 0
    assert (await admin.get("/api/v1/gaps?state=withdrawn")).json()["count"] == 1
    again = await admin.post("/admin/gaps", data={**body, "grade": "4", "weekly": "1"})
    assert again.status_code == 303, "declared anew on the same day: it was withdrawn on no day"
    evaluator = await web.sign_in(await web.person("evaluator"))
    assert (await evaluator.get("/admin/gaps")).status_code == 200
    assert (await evaluator.post("/api/v1/gaps", json=body)).status_code == 403


async def test_declared_anew_it_keeps_its_withdrawal(web: Web) -> None:
    """September 20 to October 10, and again from November 16: a figure of October 31 is none, whatever comes later."""
    school = await web.school(await web.district(), "村小学")
    await web.add(
        Term(id="2026-1", name="第一学期", starts_on=date(2026, 9, 1), ends_on=date(2027, 1, 20)),
        Gap(
            id="old",
            school_id=school.id,
            term="2026-1",
            grade=4,
            subject="music",
            weekly=2,
            declared_on=date(2026, 9, 20),
        ),
    )
    web.clock.moment -= timedelta(days=37)
    boss = await web.person("school_admin", school=school, of_school=school)
    admin = await web.sign_in(boss)
    gone = await admin.post("/api/v1/gaps/old/withdraw")
    assert gone.json()["withdrawn_on"] == "2026-10-10"

    async def on(day: str) -> list[tuple[str, int]]:
        items = (await admin.get(f"/api/v1/gaps?on={day}")).json()["items"]
        return [(one["id"], one["weekly"]) for one in items]

    days = ("2026-09-19", "2026-09-20", "2026-10-09", "2026-10-10", "2026-10-31")
    before = {day: await on(day) for day in days}
    assert [len(before[day]) for day in days] == [0, 1, 1, 0, 0]
    web.clock.moment += timedelta(days=37)
    admin = await web.sign_in(boss)
    body = {"school_id": school.id, "term": "2026-1", "grade": 4, "subject": "music", "weekly": 1}
    made = await admin.post("/api/v1/gaps", json=body)
    assert made.status_code == 201 and made.json()["id"] != "old"
    assert {day: await on(day) for day in days} == before
    assert await on("2026-11-16") == [(made.json()["id"], 1)]
    assert (await admin.post("/api/v1/gaps", json=body)).status_code == 409, "one open gap of a kind"
    page = await admin.get("/admin/gaps?on=2026-10-01")
    assert "2026-10-10" in page.text or "10月10日" in page.text


async def test_a_need_posted_for_the_withdrawn_gap_is_not_posted_twice(web: Web) -> None:
    school = await web.school(await web.district(), "村小学")
    await web.room(school)
    more = {"school_id": school.id, "term": "2026-1", "grade": 4, "subject": "music"}
    await web.add(
        Term(id="2026-1", name="第一学期", starts_on=date(2026, 9, 1), ends_on=date(2027, 1, 20)),
        Gap(id="old", declared_on=date(2026, 9, 20), **more),
    )
    admin = await web.sign_in(await web.person("school_admin", school=school, of_school=school))
    first = await admin.post("/demands/from-gap/old", data={})
    await admin.post("/api/v1/gaps/old/withdraw")
    made = (await admin.post("/api/v1/gaps", json=more)).json()["id"]
    assert first.headers["location"].split("?")[0] in (await admin.get("/admin/gaps")).text
    again = await admin.post(f"/demands/from-gap/{made}", data={})
    assert again.headers["location"].split("?")[0] == first.headers["location"].split("?")[0]
