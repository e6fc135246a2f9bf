"""Settlement codes and enrolment of a school as JSON: what was said before stays, with its validity."""

from __future__ import annotations

from tests.support.web import Web


async def test_settlement_codes_with_their_validity(web: Web) -> None:
    school = await web.school(await web.district("120113"), "村小学")
    place = f"/api/v1/schools/{school.id}"
    admin = await web.sign_in(await web.person("city_admin"))
    before = (await admin.get(f"{place}/settlements")).json()
    for code, day in (("220", "2026-11-02"), ("121", "2026-11-10")):
        assert (await admin.post(f"{place}/settlements", json={"code": code, "starts_on": day})).status_code == 204
    found = (await admin.get(f"{place}/settlements")).json()[len(before) :]
    assert [(one["code"], one["starts_on"], one["ends_on"]) for one in found] == [
        ("220", "2026-11-02", "2026-11-10"),
        ("121", "2026-11-10", None),
    ]
    year = {"school_year": 2026, "phase": "primary", "pupils": 120, "teachers": 11}
    assert (await admin.post(f"{place}/enrolments", json=year)).status_code == 204
    (one,) = (await admin.get(f"{place}/enrolments")).json()
    assert {key: one[key] for key in year} == year
    other = await web.sign_in(await web.person("district_admin", district=await web.district("120115", "far")))
    for what in ("settlements", "enrolments"):
        assert (await other.get(f"{place}/{what}")).status_code == 404
