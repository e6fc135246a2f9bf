"""Who reads the log, and what it tells of looking."""

from __future__ import annotations

from server.audit import chain
from tests.support.web import Browser, Web


async def city(web: Web) -> tuple[Browser, Browser, str]:
    """(administrator of a school, of another district's, id of the first school), after a change in each."""
    here, there = await web.district("120113"), await web.district("120115", "far")
    mine, other = await web.school(here, "本校小学"), await web.school(there, "别校小学")
    await web.room(mine, "本校的教室")
    await web.room(other, "别校的教室")
    first = await web.person("school_admin", school=mine, of_school=mine, name="本校管理员")
    second = await web.person("district_admin", district=there, name="别区管理员")
    return await web.sign_in(first), await web.sign_in(second), mine.id


async def test_administrators_read_the_log_of_their_own_part(web: Web) -> None:
    mine, other, school = await city(web)
    page = (await mine.get("/admin/audit")).text
    assert "本校的教室" in page and "别校的教室" not in page
    page = (await other.get("/admin/audit")).text
    assert "别校的教室" in page and "本校的教室" not in page
    rows = (await other.get(f"/api/v1/audit?school={school}")).json()
    assert rows["count"] == 0


async def test_to_work_somewhere_is_not_to_read_its_log(web: Web) -> None:
    school = await web.school(await web.district())
    for post in ("teacher", "evaluator", "dean"):
        browser = await web.sign_in(await web.person(post, school=school))
        assert (await browser.get("/admin/audit")).status_code == 403, post
        assert (await browser.get("/api/v1/audit")).status_code == 403, post


async def test_looking_at_pupils_is_told_and_looking_at_teachers_is_not(web: Web) -> None:
    school = await web.school(await web.district())
    admin = await web.sign_in(await web.person("school_admin", school=school, of_school=school))
    teacher = await web.person("teacher", school=school)
    await admin.get(f"/admin/people/{teacher.id}")
    assert (await admin.get("/api/v1/audit?act=view")).json()["count"] == 0
    pupil = await web.person("pupil", school=school, name="小明")
    await admin.get(f"/admin/people/{pupil.id}")
    await admin.get("/api/v1/people")
    seen = (await admin.get("/api/v1/audit?act=view")).json()["items"]
    assert [(one["kind"], one["row_id"], one["told"]["pupils"]) for one in seen[::-1]] in (
        [("pupils", pupil.id, 1), ("pupils", pupil.id, 1)],
        [("pupils", pupil.id, 1), ("pupils", None, 1)],
    )
    await admin.get("/admin/exchange/export/classes.xlsx")
    assert (await admin.get("/api/v1/audit?act=export")).json()["items"][0]["kind"] == "classes"


async def test_the_page_shows_before_after_and_the_seal(web: Web) -> None:
    mine, _, school = await city(web)
    room = {"name": "新教室", "kind": "receiving", "pupils": "20"}
    assert (await mine.post(f"/admin/schools/{school}/rooms", data=room)).status_code == 303
    assert "封存中" in (await mine.get("/admin/audit?kind=rooms")).text
    assert await chain.seal(web.database, web.clock) > 0
    page = (await mine.get("/admin/audit?kind=rooms")).text
    assert "新教室" in page and "本校管理员" in page and "封存中" not in page
    assert "Audit log" in (await mine.get("/admin/audit?lang=en")).text
