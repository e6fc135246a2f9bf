"""The school register: who sees and writes what, codes, 城乡 codes with validity, rooms, devices, pairings."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from server.clock import city_date
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.schools import service, store
from server.schools.models import Device, Pairing
from server.schools.schemas import EnrolmentBody, PairingBody, RoomBody, SchoolBody, SchoolEdit, SettlementBody
from server.scope import SYSTEM, Scope
from server.sheets import safe
from tests.support.web import MONDAY as NOW
from tests.support.web import Web

TYPED = {
    "code": "2112000001",
    "name": "北辰区实验小学",
    "short_name": "北辰实验小学",
    "phase": "primary",
    "located_in": "120113",
    "supervised_by": "120113",
}
CITY = Scope(person="p", posts=frozenset({"city_admin"}), city=True)


def district_scope(*ids: str) -> Scope:
    return Scope(person="p", posts=frozenset({"district_admin"}), districts=frozenset(ids))


def school_scope(school: str) -> Scope:
    return Scope(person="p", posts=frozenset({"school_admin"}), school=school, schools=frozenset({school}))


def body(**change: Any) -> SchoolBody:
    plain: dict[str, Any] = {**TYPED, **change}
    return SchoolBody(**plain)


def edit(**change: Any) -> SchoolEdit:
    plain: dict[str, Any] = {**TYPED, **change}
    return SchoolEdit(**plain)


async def test_stranger_and_teacher_cannot_open_the_register(web: Web) -> None:
    stranger = web.browser()
    assert (await stranger.get("/api/v1/schools", headers={"accept": "application/json"})).status_code == 401
    school = await web.school(await web.district())
    teacher = await web.sign_in(await web.person("teacher", school=school))
    assert (await teacher.get("/admin/schools")).status_code == 403
    assert (await teacher.get(f"/api/v1/schools/{school.id}")).status_code == 403


async def test_each_scope_lists_its_own_part(web: Web) -> None:
    here, there = await web.district("120113"), await web.district("120115")
    mine, other = await web.school(here, "甲小学"), await web.school(there, "乙小学")
    async with web.database.reading() as session:

        async def names(scope: Scope) -> set[str]:
            rows, _ = await store.list_schools(session, scope, store.SchoolFilter(), city_date(web.clock.now()), 1, 50)
            return {school.name for school, _, _ in rows}

        assert await names(CITY) == {"甲小学", "乙小学"}
        assert await names(district_scope("120113")) == {"甲小学"}
        assert await names(school_scope(other.id)) == {"乙小学"}
        assert await names(Scope()) == set()
        assert await store.school(session, district_scope("120115"), mine.id) is None


async def test_city_school_belongs_to_no_district(web: Web) -> None:
    district = await web.district()
    async with web.transaction() as session:
        school = await service.create(session, CITY, body(supervised_by=None), web.clock.now())
    async with web.database.reading() as session:
        assert await store.school(session, district_scope(district.id), school.id) is None
        assert await store.school(session, CITY, school.id) is not None


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"code": "3112000001"}, "school_code_kind"),
        ({"code": "2111000001"}, "school_code_province"),
        ({"phase": "junior"}, "school_code_kind"),
        ({"located_in": "120107"}, "school_district"),
        ({"key_school": True, "weak": True}, "school_marks"),
    ],
)
async def test_codes_and_marks_are_checked(web: Web, change: dict[str, Any], key: str) -> None:
    await web.district()
    async with web.transaction() as session:
        with pytest.raises(InvalidError, match=key):
            await service.create(session, CITY, body(**change), web.clock.now())


async def test_nine_year_school_may_hold_either_kind_of_code(web: Web) -> None:
    await web.district()
    async with web.transaction() as session:
        await service.create(session, CITY, body(phase="nine_year"), web.clock.now())
        await service.create(session, CITY, body(phase="nine_year", code="3112000001"), web.clock.now())


async def test_a_code_is_given_once_even_across_districts(web: Web) -> None:
    await web.district("120113")
    await web.district("120115")
    async with web.transaction() as session:
        await service.create(session, district_scope("120113"), body(), web.clock.now())
        with pytest.raises(InvalidError, match="school_code_taken"):
            elsewhere = body(located_in="120115", supervised_by="120115")
            await service.create(session, district_scope("120115"), elsewhere, web.clock.now())


async def test_district_cannot_create_for_another_nor_give_away(web: Web) -> None:
    await web.district("120113")
    await web.district("120115")
    async with web.transaction() as session:
        with pytest.raises(ForbiddenError):
            await service.create(session, district_scope("120115"), body(), web.clock.now())
        school = await service.create(session, district_scope("120113"), body(), web.clock.now())
        with pytest.raises(ForbiddenError, match="school_district_foreign"):
            await service.edit(session, district_scope("120113"), school.id, edit(supervised_by="120115"), NOW)
        with pytest.raises(NotFoundError):
            await service.edit(session, district_scope("120115"), school.id, edit(), NOW)


async def test_evaluator_reads_and_changes_nothing(web: Web) -> None:
    school = await web.school(await web.district())
    evaluator = await web.sign_in(await web.person("evaluator"))
    page = await evaluator.get(f"/admin/schools/{school.id}")
    assert page.status_code == 200
    assert "/edit" not in page.text and "<details" not in page.text
    assert (await evaluator.get("/admin/schools/new")).status_code == 403
    answer = await evaluator.put(f"/api/v1/schools/{school.id}", json=body().model_dump())
    assert answer.status_code == 403


async def test_settlement_codes_follow_each_other(web: Web) -> None:
    school = await web.school(await web.district())
    async with web.transaction() as session:
        await service.set_settlement(
            session, CITY, school.id, SettlementBody(code="220", starts_on=date(2024, 7, 1)), NOW
        )
        await service.set_settlement(
            session, CITY, school.id, SettlementBody(code="121", starts_on=date(2026, 7, 1)), NOW
        )
        with pytest.raises(InvalidError, match="settlement_order"):
            late = SettlementBody(code="111", starts_on=date(2026, 7, 1))
            await service.set_settlement(session, CITY, school.id, late, NOW)
    async with web.database.reading() as session:
        found = await store.school(session, CITY, school.id)
        assert found is not None
        assert [(s.code, s.ends_on) for s in found.settlement] == [("220", date(2026, 7, 1)), ("121", None)]
        on = {
            day: service.settlement_now(found, day) for day in (date(2024, 6, 30), date(2026, 6, 30), date(2026, 7, 1))
        }
        assert [s.code if s else None for s in on.values()] == [None, "220", "121"]
        village = store.SchoolFilter(settlement="village")
        assert (await store.list_schools(session, CITY, village, date(2026, 6, 30), 1, 9))[1].count == 1
        assert (await store.list_schools(session, CITY, village, date(2026, 7, 1), 1, 9))[1].count == 0


async def test_enrolment_said_again_is_corrected(web: Web) -> None:
    school = await web.school(await web.district())
    async with web.transaction() as session:
        for pupils in (300, 310):
            year = EnrolmentBody(school_year=2026, phase="primary", pupils=pupils, teachers=20)
            await service.set_enrolment(session, CITY, school.id, year, NOW)
        with pytest.raises(InvalidError, match="enrolment_phase"):
            junior = EnrolmentBody(school_year=2026, phase="junior", pupils=1, teachers=1)
            await service.set_enrolment(session, CITY, school.id, junior, NOW)
    async with web.database.reading() as session:
        rows, _ = await store.list_schools(session, CITY, store.SchoolFilter(), date(2026, 11, 1), 1, 9)
        assert rows[0][2] == 310


async def test_school_admin_keeps_own_rooms_only(web: Web) -> None:
    district = await web.district()
    mine, other = await web.school(district, "甲小学"), await web.school(district, "乙小学")
    room = RoomBody(name="三年级1班", kind="receiving", pupils=28)
    async with web.transaction() as session:
        made = await service.add_room(session, school_scope(mine.id), mine.id, room)
        with pytest.raises(InvalidError, match="room_name_taken"):
            await service.add_room(session, school_scope(mine.id), mine.id, room)
        with pytest.raises(NotFoundError):
            await service.add_room(session, school_scope(mine.id), other.id, room)
        with pytest.raises(InvalidError, match="room_kind"):
            lead = RoomBody(name="x", kind="lead", pupils=1)
            await service.edit_room(session, school_scope(mine.id), made.id, lead, NOW)
        with pytest.raises(ForbiddenError):
            await service.edit(session, school_scope(mine.id), mine.id, edit(), NOW)


async def test_revoked_device_is_out_at_once(web: Web) -> None:
    school = await web.school(await web.district())
    room = await web.room(school)
    kiosk = await web.device(room)
    admin = await web.sign_in(await web.person("school_admin", school=school, of_school=school))
    stranger = await web.sign_in(await web.person("teacher", school=school))
    async with web.database.reading() as session:
        device = (await store.devices(session, SYSTEM, school.id))[0]
    assert (await stranger.delete(f"/api/v1/devices/{device.id}")).status_code == 403
    assert (await kiosk.get("/api/v1/kiosk")).json()["bound"] is True
    page = await admin.post(f"/admin/schools/{school.id}/devices/{device.id}/revoke")
    assert page.status_code == 303
    assert (await kiosk.get("/api/v1/kiosk", headers={"accept": "application/json"})).status_code == 401
    async with web.database.reading() as session:
        assert await store.devices(session, SYSTEM, school.id) == []
        assert (await session.get_one(Device, device.id)).revoked_at is not None


async def test_pairing_crosses_districts_and_is_made_once(web: Web) -> None:
    town, far = await web.district("120101", "central"), await web.district("120119", "far")
    lead, village = await web.school(town, "和平小学"), await web.school(far, "山村小学")
    wanted = PairingBody(lead_school=lead.id, village_school=village.id, starts_on=date(2026, 9, 1))
    async with web.transaction() as session:
        with pytest.raises(ForbiddenError):
            await service.pair(session, district_scope("120115"), wanted, NOW)
        row = await service.pair(session, district_scope("120119"), wanted, NOW)
        with pytest.raises(ConflictError, match="pairing_twice"):
            await service.pair(session, CITY, wanted, NOW)
        assert await store.paired_with(session, district_scope("120101"), None, date(2026, 11, 1)) == [village.id]
        with pytest.raises(InvalidError, match="pairing_dates"):
            await service.end_pairing(session, CITY, row.id, date(2026, 9, 1), NOW)
        with pytest.raises(NotFoundError):
            await service.end_pairing(session, district_scope("120115"), row.id, date(2026, 12, 1), NOW)
        await service.end_pairing(session, district_scope("120101"), row.id, date(2026, 12, 1), NOW)
        assert await store.paired_with(session, CITY, [lead.id], date(2026, 12, 1)) == []


async def test_a_lead_school_that_helps_one_to_one_helps_one(web: Web) -> None:
    far = await web.district("120119", "far")
    lead, one, other = [await web.school(far, name) for name in ("优质校", "山村小学", "河村小学")]
    first = PairingBody(lead_school=lead.id, village_school=one.id, kind="one_to_one", starts_on=date(2026, 9, 1))
    async with web.transaction() as session:
        row = await service.pair(session, CITY, first, NOW)
        for kind in ("one_to_one", "one_to_many"):
            second = first.model_copy(update={"village_school": other.id, "kind": kind})
            with pytest.raises(ConflictError, match="pairing_one"):
                await service.pair(session, CITY, second, NOW)
        await service.end_pairing(session, CITY, row.id, date(2026, 12, 1), NOW)
        await service.pair(session, CITY, second.model_copy(update={"starts_on": date(2026, 12, 1)}), NOW)


async def test_unpaired_village_schools_are_found(web: Web) -> None:
    far = await web.district("120119", "far")
    lead, village, alone = [await web.school(far, name) for name in ("优质校", "有结对", "无结对")]
    async with web.transaction() as session:
        for school in (village, alone):
            await service.set_settlement(
                session, CITY, school.id, SettlementBody(code="220", starts_on=date(2024, 7, 1)), NOW
            )
        session.add(
            Pairing(
                id=new_id(),
                lead_school_id=lead.id,
                village_school_id=village.id,
                kind="one_to_one",
                starts_on=date(2026, 9, 1),
            )
        )
    async with web.database.reading() as session:
        unpaired = store.SchoolFilter(mark="unpaired")
        rows, _ = await store.list_schools(session, CITY, unpaired, date(2026, 11, 1), 1, 9)
        assert [school.name for school, _, _ in rows] == ["无结对"]


async def test_form_shows_what_was_wrong_and_keeps_what_was_typed(web: Web) -> None:
    await web.district()
    admin = await web.sign_in(await web.person("city_admin"))
    typed = body().model_dump(exclude={"key_school", "weak", "phone"}) | {"code": "12", "phone": "<b>"}
    page = await admin.post("/admin/schools/new", data=typed)
    assert page.status_code == 422
    assert "北辰区实验小学" in page.text and 'aria-invalid="true"' in page.text
    assert "<b>" not in page.text
    page = await admin.post("/admin/schools/new", data=typed | {"code": "2112000009", "phone": "022-1234567"})
    assert page.status_code == 303
    shown = await admin.get(page.headers["location"])
    assert "2112000009" in shown.text


async def test_list_filters_sorts_and_pages(web: Web) -> None:
    district = await web.district()
    for number in range(25):
        await web.school(district, f"第{number:02d}小学")
    admin = await web.sign_in(await web.person("city_admin"))
    first = (await admin.get("/api/v1/schools?sort=-name&size=10")).json()
    assert (first["count"], first["pages"], first["items"][0]["name"]) == (25, 3, "第24小学")
    last = (await admin.get("/api/v1/schools?sort=-name&size=10&page=99")).json()
    assert (last["page"], len(last["items"])) == (3, 5)
    assert (await admin.get("/api/v1/schools?q=%25")).json()["count"] == 0
    assert (await admin.get("/api/v1/schools?q=第07")).json()["count"] == 1
    for bad in ("sort=phone", "q=%00", "district=x", "page=0", "size=101", "phase=x"):
        assert (await admin.get(f"/api/v1/schools?{bad}")).status_code == 422, bad
    body = {**TYPED, "name": "北辰\x00小学"}
    assert (await admin.post("/api/v1/schools", json=body)).status_code == 422
    page = await admin.get("/admin/schools?q=第0&page=1")
    assert "第07小学" in page.text and "第17小学" not in page.text


async def test_export_is_narrowed_and_harmless(web: Web) -> None:
    here, there = await web.district("120113"), await web.district("120115")
    await web.school(here, "=cmd()小学")
    await web.school(there, "乙小学")
    admin = await web.sign_in(await web.person("district_admin", district=here))
    answer = await admin.get("/admin/schools.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "'=cmd()小学" in answer.text and "乙小学" not in answer.text
    assert answer.content.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize(
    ("cell", "written"), [("=1+1", "'=1+1"), ("@x", "'@x"), ("小学", "小学"), (-3, "-3"), (None, "")]
)
def test_cells_never_become_formulas(cell: object, written: str) -> None:
    assert safe(cell) == written


async def test_closed_school_leaves_the_lists_and_keeps_its_page(web: Web) -> None:
    school = await web.school(await web.district())
    admin = await web.sign_in(await web.person("city_admin"))
    assert (await admin.post(f"/admin/schools/{school.id}/close")).status_code == 303
    assert (await admin.get("/api/v1/schools")).json()["count"] == 0
    assert (await admin.get("/api/v1/schools?mark=closed")).json()["count"] == 1
    assert (await admin.get(f"/admin/schools/{school.id}")).status_code == 200


async def test_nothing_begins_in_a_month_that_is_over(web: Web) -> None:
    """But of a school entered this month nothing has been reported yet."""
    district = await web.district("120119", "far")
    lead, village = await web.school(district, "优质校"), await web.school(district, "南里小学")
    code = SettlementBody(code="220", starts_on=date(2026, 10, 31))
    wanted = PairingBody(
        lead_school=lead.id, village_school=village.id, kind="one_to_one", starts_on=date(2026, 10, 31)
    )
    later = NOW + timedelta(days=31)
    async with web.transaction() as session:
        with pytest.raises(InvalidError, match="effective_closed"):
            await service.set_settlement(session, CITY, village.id, code, later)
        with pytest.raises(InvalidError, match="effective_closed"):
            await service.pair(session, CITY, wanted, later)
        await service.set_settlement(session, CITY, village.id, code, NOW)
        await service.pair(session, CITY, wanted, NOW)
