"""Pairings from before 一对一 was checked: each says which other school stands in its way, and only while it does."""

from __future__ import annotations

from datetime import date
from typing import Any

from server.ids import new_id
from server.schools.models import Pairing
from tests.support.web import Web


async def test_both_pages_name_the_other_school_while_both_pairings_last(web: Web) -> None:
    near, far = await web.district("120113"), await web.district("120115", "far")
    lead, village = await web.school(near, "城区小学"), await web.school(far, "山村小学")
    other, later, gone = [await web.school(far, name) for name in ("河村小学", "后来小学", "从前小学")]

    async def pair(helped: Any, kind: str, starts: date, ends: date | None = None) -> Pairing:
        row = Pairing(
            id=new_id(), lead_school_id=lead.id, village_school_id=helped.id, kind=kind, starts_on=starts, ends_on=ends
        )
        await web.add(row)
        return row

    row = await pair(village, "one_to_one", date(2026, 9, 1), date(2027, 1, 1))
    await pair(other, "one_to_many", date(2026, 9, 1), date(2026, 12, 1))
    await pair(later, "one_to_many", date(2027, 1, 1))
    await pair(gone, "one_to_one", date(2026, 1, 1), date(2026, 11, 1))
    admin = await web.sign_in(await web.person("district_admin", district=far))
    said = "不合“一对一”：城区小学同时还与河村小学结对"
    for path in (f"/admin/schools/{village.id}", f"/admin/pairings/{row.id}"):
        page = (await admin.get(path)).text
        assert said in page and "后来小学结对" not in page and "从前小学结对" not in page, path
    assert "城区小学同时还与山村小学结对" in (await admin.get(f"/admin/schools/{other.id}")).text
    for school in (later, gone):
        assert "不合“一对一”" not in (await admin.get(f"/admin/schools/{school.id}")).text
    web.clock.moment = web.clock.moment.replace(month=12, day=2)
    assert "不合“一对一”" not in (await admin.get(f"/admin/schools/{village.id}")).text
