"""Setting up studios: who founds one, whom the host adds, and the posts that follow with their dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts.models import Person, PostHeld
from server.schools.models import District, School
from server.studios.models import Studio
from tests.support.web import Browser, Web

STUDIOS = "/api/v1/studios"
TODAY = "2026-11-16"


@dataclass
class Case:
    near: District
    school: School
    far: School
    host: Person
    other: Person
    """Teaches at the host's school."""
    member: Person
    """Teaches in another district."""
    admin: Person
    district: Browser
    """The administrator's."""

    async def days_later(self, web: Web) -> None:
        """Sign-ins have run out by then."""
        web.clock.moment = web.clock.moment.replace(day=20)
        self.district = await web.sign_in(self.admin)

    def body(self, **change: Any) -> dict[str, Any]:
        plain = {
            "name": "林海棠小学音乐名师工作室", "subject": "music", "phase": "primary", "school_id": self.school.id,
            "host_id": self.host.id, "about": "第一行\n第二行",
        }  # fmt: skip
        return {**plain, **change}

    async def made(self, **change: Any) -> str:
        answer = await self.district.post(STUDIOS, json=self.body(**change))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


@pytest.fixture
async def case(web: Web) -> Case:
    near, away = await web.district("120113"), await web.district("120115")
    school, far = await web.school(near, "城关小学"), await web.school(away, "远处小学")
    admin = await web.person("district_admin", district=near)
    return Case(
        near, school, far,
        await web.person("teacher", school=school, name="林海棠"),
        await web.person("teacher", school=school, name="接任的"),
        await web.person("teacher", school=far, name="赵春华"),
        admin,
        await web.sign_in(admin),
    )  # fmt: skip


async def posts(web: Web, person: Person) -> list[tuple[str, str, str | None]]:
    async with web.database.reading() as session:
        query = select(PostHeld).where(PostHeld.person_id == person.id, PostHeld.studio_id.is_not(None))
        rows = await session.scalars(query.order_by(PostHeld.starts_on))
        return [(row.post, str(row.starts_on), str(row.ends_on) if row.ends_on else None) for row in rows]


@pytest.mark.parametrize(("post", "status"), [("city_admin", 201), ("district_admin", 201), ("studio_host", 403)])
async def test_row_by_row_who_founds_a_studio(web: Web, case: Case, post: str, status: int) -> None:
    held = {"district": case.near} if post == "district_admin" else {}
    browser = await web.sign_in(await web.person(post, school=case.school, **held))
    assert (await browser.post(STUDIOS, json=case.body())).status_code == status


@pytest.mark.parametrize("post", ["school_admin", "dean", "teacher", "studio_member", "inspector", "evaluator"])
async def test_nobody_else_founds_or_keeps_one(web: Web, case: Case, post: str) -> None:
    made = await case.made()
    browser = await web.sign_in(await web.person(post, school=case.school, of_school=case.school))
    body = {"person_id": case.member.id, "joined_on": TODAY}
    assert (await browser.post(STUDIOS, json=case.body(name="另一个工作室"))).status_code == 403
    assert (await browser.put(f"{STUDIOS}/{made}", json=case.body())).status_code == 403
    assert (await browser.post(f"{STUDIOS}/{made}/members", json=body)).status_code == 403
    for path in ("/admin/studios", f"/admin/studios/{made}", f"{STUDIOS}/{made}/members"):
        assert (await browser.get(path)).status_code == 403, path


async def test_a_district_founds_only_at_home_and_names_its_own(web: Web, case: Case) -> None:
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"school_id": case.far.id}, "person_school"),
        ({"host_id": case.member.id}, "studio_host"),
        ({"host_id": (await web.person("assistant", school=case.school)).id}, "studio_host"),
    ]
    for wrong, key in wrongs:
        answer = await case.district.post(STUDIOS, json=case.body(**wrong))
        assert (answer.status_code, answer.json()["error"]["key"]) == (422, key)
    made = await case.made()
    twice = await case.district.post(STUDIOS, json=case.body())
    assert (twice.status_code, twice.json()["error"]["key"]) == (409, "studio_name")
    foreign = await web.sign_in(await web.person("district_admin", district=await web.district("120114")))
    assert (await foreign.put(f"{STUDIOS}/{made}", json=case.body())).status_code == 403
    assert "林海棠小学音乐" not in (await foreign.get("/admin/studios")).text


async def test_the_named_host_keeps_members_until_another_is_named(web: Web, case: Case) -> None:
    made = await case.made()
    assert await posts(web, case.host) == [("studio_host", TODAY, None)]
    host, body = await web.sign_in(case.host), {"person_id": case.member.id, "role": "core", "joined_on": TODAY}
    answer = await host.post(f"{STUDIOS}/{made}/members", json=body)
    assert answer.status_code == 201 and [one["name"] for one in answer.json()] == ["赵春华"]
    assert (await host.put(f"{STUDIOS}/{made}", json=case.body(host_id=case.other.id))).status_code == 403

    await case.days_later(web)
    changed = await case.district.put(f"{STUDIOS}/{made}", json=case.body(host_id=case.other.id))
    assert (changed.status_code, changed.json()["host"]) == (200, "接任的")
    assert await posts(web, case.host) == [("studio_host", TODAY, "2026-11-19")]
    assert await posts(web, case.other) == [("studio_host", "2026-11-20", None)]
    host = await web.sign_in(case.host)
    assert (await host.get(f"{STUDIOS}/{made}/members")).status_code == 403, "at once"
    assert (await (await web.sign_in(case.other)).get(f"{STUDIOS}/{made}/members")).status_code == 200


async def test_members_come_change_go_and_come_again(web: Web, case: Case) -> None:
    made = await case.made()
    door, body = f"{STUDIOS}/{made}/members", {"person_id": case.member.id, "joined_on": TODAY}
    early = await case.district.post(door, json={**body, "joined_on": "2026-10-31"})
    assert (early.status_code, early.json()["error"]["key"]) == (422, "effective_closed")
    [row] = (await case.district.post(door, json=body)).json()
    for twice in (body, {**body, "person_id": case.host.id}):
        assert (await case.district.post(door, json=twice)).status_code == 409
    assert await posts(web, case.member) == [("studio_member", TODAY, None)]

    await case.days_later(web)
    raised = (await case.district.post(door, json={**body, "role": "core", "joined_on": "2026-11-20"})).json()
    assert [(one["role"], one["left_on"]) for one in raised] == [("member", "2026-11-20"), ("core", None)]
    assert await posts(web, case.member) == [("studio_member", TODAY, None)], "a member all the time"
    gone = await case.district.post(f"{door}/{raised[1]['id']}/end", json={"left_on": "2026-11-25"})
    assert gone.json()[1]["left_on"] == "2026-11-25"
    assert await posts(web, case.member) == [("studio_member", TODAY, "2026-11-24")]
    again = await case.district.post(door, json={**body, "joined_on": "2026-11-26"})
    assert len(again.json()) == 3
    assert await posts(web, case.member) == [
        ("studio_member", TODAY, "2026-11-24"),
        ("studio_member", "2026-11-26", None),
    ]
    shown = (await case.district.get(f"{STUDIOS}/{made}")).json()["people"]
    assert [(one["person_id"], one["role"]) for one in shown] == [(case.member.id, "core")]
    assert (await case.district.post(f"{door}/{row['id']}/end", json={"left_on": "2026-11-01"})).status_code == 422


async def test_posts_of_studios_are_given_nowhere_else(web: Web, case: Case) -> None:
    await case.made()
    door = f"/api/v1/people/{case.host.id}"
    given = await case.district.post(f"{door}/posts", json={"post": "studio_host", "starts_on": TODAY})
    assert (given.status_code, given.json()["error"]["key"]) == (422, "post_studio")
    held = (await case.district.get(door)).json()["posts"]
    post = next(one for one in held if one["studio_id"])
    ended = await case.district.post(f"{door}/posts/{post['id']}/end", json={"ends_on": TODAY})
    assert (ended.status_code, ended.json()["error"]["key"]) == (422, "post_studio")
    page = (await case.district.get(f"/admin/people/{case.host.id}")).text
    assert "林海棠小学音乐名师工作室" in page and 'value="studio_host"' not in page


async def test_the_pages_do_the_same(web: Web, case: Case) -> None:
    form = {**case.body(about="第一行\r\n第二行"), "accepted_on": ""}
    wrong = await case.district.post("/admin/studios", data={**form, "host_id": case.member.id})
    assert wrong.status_code == 422 and "在职教师" in wrong.text and "第二行" in wrong.text
    done = await case.district.post("/admin/studios", data=form)
    assert done.status_code == 303, done.text
    place = done.headers["location"].partition("?")[0]
    assert "工作室已设立" in (await case.district.get(done.headers["location"])).text
    assert "林海棠小学音乐" in (await case.district.get("/admin/studios?q=林海棠&subject=music")).text
    assert "/admin/studios" in (await case.district.get("/admin")).text

    host = await web.sign_in(case.host)
    assert place in (await host.get(f"/studios/{place.rpartition('/')[2]}")).text
    page = (await host.get(place)).text
    assert "赵春华" in page and f'action="{place}/edit"' not in page, "teachers of every school; no other host"
    joined = await host.post(f"{place}/members", data={"person_id": case.member.id, "joined_on": TODAY})
    assert joined.status_code == 303, joined.text
    assert (await host.post(f"{place}/edit", data=form)).status_code == 403
    async with web.database.reading() as session:
        [member] = (await session.get_one(Studio, place.rpartition("/")[2])).members
    assert (await host.post(f"{place}/members/{member.id}/end", data={"left_on": "2026-10-01"})).status_code == 422
    assert (await host.post(f"{place}/members/{member.id}/end", data={"left_on": TODAY})).status_code == 303
    saved = await case.district.post(f"{place}/edit", data={**form, "accepted_on": "2026-11-01"})
    assert saved.status_code == 303, saved.text
    async with web.database.reading() as session:
        row = await session.get_one(Studio, place.rpartition("/")[2])
        assert (row.accepted_on, row.about) == (date(2026, 11, 1), "第一行\n第二行")


async def test_whole_citys_teachers_are_found_by_who_keeps_a_studio_only(web: Web, case: Case) -> None:
    await case.made()
    host, stranger = await web.sign_in(case.host), await web.sign_in(case.other)
    found = (await host.get("/api/v1/choices/all_teachers?q=赵春华")).json()["items"]
    assert [(one["id"], one["group"]) for one in found] == [(case.member.id, "远处小学")]
    assert (await stranger.get("/api/v1/choices/all_teachers?q=赵春华")).status_code == 403
    dean = await web.sign_in(await web.person("dean", school=case.school, of_school=case.school))
    assert (await dean.get("/api/v1/choices/all_teachers?q=赵春华")).json()["items"] == []
