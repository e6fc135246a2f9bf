"""Declared gaps belong to the school, paired or not, and are withdrawn, never deleted."""

from __future__ import annotations

from datetime import date

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
    assert again.status_code == 303, "declared anew, it is the same gap"
    evaluator = await web.sign_in(await web.person("evaluator"))
    assert (await evaluator.get("/admin/gaps")).status_code == 200
    assert (await evaluator.post("/api/v1/gaps", json=body)).status_code == 403
