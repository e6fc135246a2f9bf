"""Attendance as JSON, by scope."""

from __future__ import annotations

from server.participation import service
from tests.server.indicators.test_rollup import City
from tests.support.web import Web


async def test_attendance_with_its_evidence_for_those_concerned(web: Web) -> None:
    city = await City(web).build()
    held = await city.lesson(40, 10)
    await service.catch_up(web.database, web.clock)
    path = f"/api/v1/participation/lessons/{held.id}"

    inspector = await web.sign_in(await web.person("inspector"))
    rows = {row["room"]: row for row in (await inspector.get(path)).json()}
    assert set(rows) == {room.id for room in city.rooms}
    assert rows[city.rooms[0].id]["effective"] is True
    short = rows[city.rooms[1].id]
    assert (short["reason"], short["heard_ms"], len(short["heard"])) == ("short", 600_000, 1)

    village = await web.sign_in(await web.person("school_admin", of_school=city.schools[1]))
    assert [row["room"] for row in (await village.get(path)).json()] == [city.rooms[1].id]
    lead = await web.sign_in(await web.person("school_admin", of_school=city.town))
    assert len((await lead.get(path)).json()) == 2
    foreign = await web.sign_in(
        await web.person("school_admin", of_school=await web.school(await web.district("120119")))
    )
    assert (await foreign.get(path)).json() == []
    teacher = await web.sign_in(city.teacher)
    assert (await teacher.get(path)).status_code == 403
    assert (await web.browser().get(path)).status_code == 401
