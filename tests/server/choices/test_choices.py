"""What a form lets one choose from: short lists whole, long ones by typing, never beyond the asker's part."""

from __future__ import annotations

from datetime import date

from server.choices import service
from server.choices.service import FEW
from server.ids import new_id
from server.schools.models import Pairing, School
from server.scope import Held, Scope
from tests.support.web import MONDAY, Web

DAY = date(2026, 11, 16)
CITY = Scope(person="c", posts=frozenset({"city_admin"}), city=True, held=frozenset({Held("city_admin", city=True)}))


def of_district(district: str) -> Scope:
    held = frozenset({Held("district_admin", district=district)})
    return Scope(person="d", posts=frozenset({"district_admin"}), districts=frozenset({district}), held=held)


def schools(count: int) -> list[School]:
    return [
        School(
            id=new_id(), code=f"2112{number:06d}", name=f"第{number:03d}小学", short_name=f"第{number:03d}小学",
            phase="primary", located_in="120113", supervised_by="120113", created_at=MONDAY,
        )
        for number in range(count)
    ]  # fmt: skip


async def test_a_short_list_is_a_list_and_a_long_one_is_looked_up(web: Web) -> None:
    await web.district()
    rows = schools(FEW + 5)
    await web.add(*rows[:3])
    async with web.database.reading() as session:
        few = await service.offer(session, CITY, "schools", DAY)
    assert (len(few.rows), few.url) == (3, "")
    await web.add(*rows[3:])
    async with web.database.reading() as session:
        many = await service.offer(session, CITY, "schools", DAY, [rows[-1].id])
        found, more = await service.find(session, CITY, "schools", "第11 小学", DAY)
        one, alone = await service.find(session, CITY, "schools", "2112000003", DAY)
    assert many.url == "/api/v1/choices/schools" and many.text(rows[-1].id) == rows[-1].name, "what is chosen is named"
    assert [row.text for row in found] == [f"第{number}小学" for number in range(110, 120)] and not more
    assert [row.text for row in one] == ["第003小学"] and not alone


async def test_a_long_list_is_a_field_to_type_into(web: Web) -> None:
    await web.district()
    await web.add(*schools(FEW + 1))
    browser = await web.sign_in(await web.person("city_admin"))
    page = (await browser.get("/admin/people/new")).text
    assert 'data-picker="/api/v1/choices/schools"' in page and 'role="combobox"' in page
    answer = (await browser.get("/api/v1/choices/schools?q=%25")).json()
    assert answer == {"items": [], "more": False}, "a percent sign is a character, not every name"
    assert (await browser.get("/api/v1/choices/schools")).json()["more"]
    assert (await browser.get("/api/v1/choices/anything")).status_code == 404


async def test_nobody_finds_what_is_not_theirs(web: Web) -> None:
    mine, other = await web.district("120113"), await web.district("120114")
    town, village, far = await web.school(mine), await web.school(mine, "南里小学"), await web.school(other, "远小学")
    rooms = [await web.room(one, "1班") for one in (town, village, far)]
    teacher = await web.person("teacher", school=far)
    async with web.database.reading() as session:
        found, _ = await service.find(session, of_district(mine.id), "receiving_rooms", "", DAY)
        people, _ = await service.find(session, of_district(mine.id), "teachers", "", DAY)
    assert {one.id for one in found} == {rooms[0].id, rooms[1].id} and people == []
    row = {"lead_school_id": town.id, "village_school_id": far.id, "kind": "one_to_one", "starts_on": date(2026, 9, 1)}
    await web.add(Pairing(id=new_id(), **row))
    async with web.database.reading() as session:
        found, _ = await service.find(session, of_district(mine.id), "receiving_rooms", "", DAY)
    assert {one.id for one in found} == {one.id for one in rooms}, "helped schools' rooms are ours to fill"
    browser = await web.sign_in(teacher)
    assert (await browser.get("/api/v1/choices/schools")).status_code == 403
    assert (await web.browser().get("/api/v1/choices/schools")).status_code == 401
