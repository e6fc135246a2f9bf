"""Groups across districts: who keeps them, one lead at a time, dates that no month that is over loses."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.groups import service
from server.groups.models import Group, Membership
from server.groups.schemas import GroupBody, MemberBody
from server.ids import new_id
from server.schools.models import School
from server.scope import Scope
from tests.support.web import MONDAY, Web

CITY = Scope(person="p", posts=frozenset({"city_admin"}), city=True)
FAR = Scope(person="p", posts=frozenset({"district_admin"}), districts=frozenset({"120115"}))
FIRST = date(2026, 9, 1)


async def build(web: Web, kind: str = "education_group", district: str | None = None) -> tuple[Group, list[School]]:
    near, far = await web.district("120113"), await web.district("120115", "far")
    schools = [await web.school(near, "牵头校"), await web.school(far, "成员校"), await web.school(near, "另一所")]
    async with web.transaction() as session:
        body = GroupBody(name="某集团", kind=kind, district_id=district, starts_on=FIRST)
        group = await service.create(session, CITY, body, MONDAY)
    return group, schools


async def test_members_of_many_districts_and_a_lead_that_changes(web: Web) -> None:
    group, (lead, member, other) = await build(web)
    async with web.transaction() as session:
        for school, role in ((lead, "lead"), (member, "member")):
            body = MemberBody(school_id=school.id, role=role, starts_on=FIRST)  # type: ignore[arg-type]
            await service.join(session, CITY, group.id, body, MONDAY)
        later = MemberBody(school_id=other.id, role="lead", starts_on=date(2026, 11, 2))
        now = await service.join(session, CITY, group.id, later, MONDAY)
        held = sorted((one.school.name, one.role, one.starts_on.month, one.ends_on) for one in now.members)
        with pytest.raises(ConflictError, match="group_member_twice"):
            await service.join(
                session, CITY, group.id, MemberBody(school_id=member.id, starts_on=date(2026, 11, 3)), MONDAY
            )
    assert held == [
        ("另一所", "lead", 11, None),
        ("成员校", "member", 9, None),
        ("牵头校", "lead", 9, date(2026, 11, 2)),
        ("牵头校", "member", 11, None),
    ]


async def test_an_area_lies_in_its_district(web: Web) -> None:
    group, (lead, foreign, _) = await build(web, "area", "120113")
    async with web.transaction() as session:
        await service.join(session, CITY, group.id, MemberBody(school_id=lead.id, role="lead", starts_on=FIRST), MONDAY)
        with pytest.raises(InvalidError, match="group_area_school"):
            await service.join(session, CITY, group.id, MemberBody(school_id=foreign.id, starts_on=FIRST), MONDAY)
        with pytest.raises(InvalidError, match="group_area"):
            body = GroupBody(name="没有区的学区", kind="area", starts_on=FIRST)
            await service.create(session, CITY, body, MONDAY)


async def test_who_has_a_member_sees_the_group_and_who_keeps_it_writes(web: Web) -> None:
    group, (_, member, _) = await build(web)
    async with web.transaction() as session:
        with pytest.raises(NotFoundError):
            await service.get(session, FAR, group.id)
        await service.join(session, CITY, group.id, MemberBody(school_id=member.id, starts_on=FIRST), MONDAY)
        assert (await service.get(session, FAR, group.id)).name == "某集团"
        with pytest.raises(ForbiddenError):
            await service.end(session, FAR, group.id, date(2026, 12, 1), MONDAY)


async def test_a_month_that_is_over_keeps_its_members(web: Web) -> None:
    group, (lead, _, _) = await build(web)
    async with web.transaction() as session:
        held = await service.join(
            session, CITY, group.id, MemberBody(school_id=lead.id, role="lead", starts_on=FIRST), MONDAY
        )
        with pytest.raises(InvalidError, match="effective_closed"):
            await service.leave(session, CITY, group.id, held.members[0].id, date(2026, 10, 31), MONDAY)
        await service.end(session, CITY, group.id, date(2026, 11, 16), MONDAY)
        assert held.members[0].ends_on == date(2026, 11, 16)
        with pytest.raises(InvalidError, match="group_dates"):
            await service.join(
                session, CITY, group.id, MemberBody(school_id=lead.id, starts_on=date(2026, 11, 17)), MONDAY
            )


async def test_pages_make_fill_and_end_a_group(web: Web) -> None:
    near = await web.district("120113")
    school = await web.school(near, "牵头校")
    admin = await web.sign_in(await web.person("district_admin", district=near))
    form = {"name": "北辰学区", "kind": "area", "district_id": "120113", "starts_on": "2026-09-01"}
    made = await admin.post("/admin/groups", data=form)
    assert made.status_code == 303
    place = made.headers["location"].split("?")[0]
    twice = await admin.post("/admin/groups", data=form)
    assert twice.status_code == 422 and "已有同名" in twice.text
    joined = {"school_id": school.id, "role": "lead", "starts_on": "2026-09-01"}
    assert (await admin.post(f"{place}/members", data=joined)).status_code == 303
    assert "牵头校" in (await admin.get(place)).text
    assert (await admin.post(f"{place}/end", data={"ends_on": "2026-11-20"})).status_code == 303
    assert "北辰学区" in (await admin.get("/admin/groups?state=ended")).text


async def test_no_school_joins_in_a_month_that_is_over(web: Web) -> None:
    group, (lead, _, _) = await build(web)
    body = MemberBody(school_id=lead.id, starts_on=date(2026, 11, 30))
    async with web.transaction() as session:
        with pytest.raises(InvalidError, match="effective_closed"):
            await service.join(session, CITY, group.id, body, MONDAY + timedelta(days=31))
        await service.join(session, CITY, group.id, body, MONDAY)


async def test_a_large_group_s_members_come_in_pages(web: Web) -> None:
    """Lead schools first; who has left, last."""
    group, (lead, member, _) = await build(web)
    district = await web.district("120116")
    many = [lead, member, *[await web.school(district, f"成员校{number:02d}") for number in range(20)]]
    rows = [
        Membership(
            id=new_id(), group_id=group.id, school_id=one.id, role="lead" if one is lead else "member",
            starts_on=FIRST, ends_on=date(2026, 10, 1) if one is member else None,
        )
        for one in many
    ]  # fmt: skip
    await web.add(*rows)
    admin = await web.sign_in(await web.person("city_admin"))
    first, second = [(await admin.get(f"/admin/groups/{group.id}?page={n}")).text for n in (1, 2)]
    names = [re.findall(r'<th scope="row">([^<]+)</th>', page) for page in (first, second)]
    assert (len(names[0]), len(names[1])) == (20, 2)
    assert (names[0][0], names[1][-1]) == ("牵头校", "成员校") and "?page=2" in first
