"""People administration: nobody reaches above themselves, passwords are shown once, posts have dates."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from server.accounts.admin import service
from server.accounts.admin.schemas import PersonCreate, PostBody
from server.accounts.models import Person, PostHeld
from server.clock import city_date
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.schools.models import District, Past, School
from server.scope import Scope
from tests.support.web import Browser, Web

CITY = Scope(person="p", posts=frozenset({"city_admin"}), city=True)


def of_district(district: District) -> Scope:
    return Scope(person="p", posts=frozenset({"district_admin"}), districts=frozenset({district.id}))


def of_school(school: School) -> Scope:
    return Scope(person="p", posts=frozenset({"school_admin"}), school=school.id, schools=frozenset({school.id}))


def wanted(school: School | None, **change: Any) -> PersonCreate:
    plain: dict[str, Any] = {"login": "t2026", "name": "刘老师", "post": "teacher"}
    return PersonCreate(**{**plain, "school_id": school.id if school else None, **change})


async def create(web: Web, scope: Scope, body: PersonCreate) -> tuple[Person, str]:
    async with web.transaction() as session:
        return await service.create(session, scope, body, web.app.state.passwords, web.clock.now())


async def sign_in(web: Web, login: str, password: str) -> int:
    answer = await web.browser().post("/api/v1/accounts/sign-in", json={"login": login, "password": password})
    return answer.status_code


async def admin(web: Web, school: School) -> Browser:
    return await web.sign_in(await web.person("school_admin", school=school, of_school=school))


async def test_the_password_shown_once_opens_the_account(web: Web) -> None:
    school = await web.school(await web.district())
    browser = await admin(web, school)
    form = {"login": "t2026", "name": "刘老师", "school_id": school.id, "post": "teacher"}
    page = await browser.post("/admin/people/new", data=form)
    assert page.status_code == 200
    secret = re.search(r'class="secret">([a-z0-9-]+)<', page.text)
    assert secret is not None
    assert await sign_in(web, "t2026", secret.group(1)) == 204
    people = (await browser.get("/api/v1/people?q=刘老师")).json()["items"]
    assert [post["post"] for post in people[0]["posts"]] == ["teacher"]
    shown = await browser.get(f"/admin/people/{people[0]['id']}")
    assert secret.group(1) not in shown.text


async def test_logins_are_unique_and_plain(web: Web) -> None:
    school = await web.school(await web.district())
    await create(web, CITY, wanted(school))
    with pytest.raises(InvalidError, match="person_login_taken"):
        await create(web, of_school(school), wanted(school))
    for login in ("Ab", "a b", "刘老师", "-abc"):
        with pytest.raises(ValueError, match="login"):
            wanted(school, login=login)


@pytest.mark.parametrize(
    "post", ["school_admin", "district_admin", "city_admin", "inspector", "evaluator", "studio_host"]
)
async def test_school_admin_gives_no_post_above(web: Web, post: str) -> None:
    district = await web.district()
    school = await web.school(district)
    body = wanted(school, post=post, district_id=district.id)
    with pytest.raises(InvalidError, match="post_above"):
        await create(web, of_school(school), body)


async def test_nobody_creates_people_elsewhere(web: Web) -> None:
    here, there = await web.district("120113"), await web.district("120115")
    mine, other = await web.school(here, "甲小学"), await web.school(there, "乙小学")
    for scope in (of_school(mine), of_district(here)):
        with pytest.raises(InvalidError, match="person_school"):
            await create(web, scope, wanted(other))
    with pytest.raises(InvalidError, match="person_school"):
        await create(web, of_school(mine), wanted(None))
    with pytest.raises(ForbiddenError):
        await create(web, Scope(person="p", posts=frozenset({"teacher"}), school=mine.id), wanted(mine))
    await create(web, of_district(here), wanted(mine))


async def test_reading_posts_without_a_place_are_the_citys_to_give(web: Web) -> None:
    """An inspector of nothing in particular reads the whole city: no district may make one."""
    here, there = await web.district("120113"), await web.district("120115")
    school = await web.school(here)
    with pytest.raises(InvalidError, match="post_district"):
        await create(web, of_district(here), wanted(school, post="inspector"))
    with pytest.raises(InvalidError, match="post_above"):
        await create(web, of_district(here), wanted(school, post="inspector", district_id=there.id))
    async with web.transaction() as session:
        person, _ = await service.create(session, CITY, wanted(school), web.app.state.passwords, web.clock.now())
        both = PostBody(post="inspector", school_id=school.id, district_id=there.id, starts_on=date(2026, 11, 1))
        with pytest.raises(InvalidError, match="post_above"):
            await service.give_post(session, of_district(here), person.id, both, web.clock.now())
    await create(web, of_district(here), wanted(school, login="ins1", post="inspector", district_id=here.id))
    await create(web, CITY, wanted(school, login="ins2", post="inspector"))


async def test_an_account_with_a_higher_post_is_out_of_reach(web: Web) -> None:
    """Resetting a city administrator's password would be signing in as one, also when they work at my school."""
    school = await web.school(await web.district())
    above = await web.person("city_admin", school=school, name="高老师")
    beside = await web.person("teacher", school=school)
    browser = await admin(web, school)
    for action in ("password", "disable"):
        assert (await browser.post(f"/api/v1/people/{above.id}/{action}")).status_code == 403
        assert (await browser.post(f"/admin/people/{above.id}/{action}")).status_code == 403
    assert (await browser.put(f"/api/v1/people/{above.id}", json={"name": "x"})).status_code == 403
    page = await browser.get(f"/admin/people/{above.id}")
    assert page.status_code == 200 and "/password" not in page.text
    assert (await browser.post(f"/api/v1/people/{beside.id}/password")).status_code == 200


async def test_a_post_to_come_counts_as_held(web: Web) -> None:
    district = await web.district()
    school = await web.school(district)
    person, _ = await create(web, CITY, wanted(school))
    async with web.transaction() as session:
        later = PostBody(post="district_admin", district_id=district.id, starts_on=date(2027, 1, 1))
        await service.give_post(session, CITY, person.id, later, web.clock.now())
        with pytest.raises(ForbiddenError, match="person_above"):
            await service.reset_password(
                session, of_school(school), person.id, web.app.state.passwords, web.clock.now()
            )


async def test_people_outside_do_not_exist(web: Web) -> None:
    here, there = await web.district("120113"), await web.district("120115")
    stranger = await web.person("teacher", school=await web.school(there, "乙小学"))
    browser = await admin(web, await web.school(here, "甲小学"))
    assert (await browser.get(f"/api/v1/people/{stranger.id}")).status_code == 404
    assert (await browser.get(f"/admin/people/{stranger.id}")).status_code == 404
    assert (await browser.post(f"/api/v1/people/{stranger.id}/disable")).status_code == 404
    async with web.transaction() as session:
        with pytest.raises(NotFoundError):
            await service.disable(session, of_district(here), stranger.id, web.clock.now())


async def test_nobody_manages_themselves(web: Web) -> None:
    me = await web.person("city_admin")
    browser = await web.sign_in(me)
    assert (await browser.post(f"/api/v1/people/{me.id}/disable")).status_code == 403


async def test_disabled_and_reset_people_are_signed_out_at_once(web: Web) -> None:
    school = await web.school(await web.district())
    teacher = await web.person("teacher", school=school, login="teach1")
    browser = await admin(web, school)
    for action in ("disable", "enable", "password"):
        before = await web.sign_in(teacher) if action != "enable" else None
        assert (await browser.post(f"/api/v1/people/{teacher.id}/{action}")).status_code in (200, 204)
        if before is not None:
            gone = await before.get("/api/v1/accounts/me", headers={"accept": "application/json"})
            assert gone.status_code == 401


async def test_lessons_ahead_are_named_before_and_after_somebody_goes(web: Web) -> None:
    school = await web.school(await web.district())
    teacher = await web.person("teacher", school=school, name="林老师")
    aide = await web.person("assistant", school=school)
    lead, room = await web.room(school, "录播", kind="lead"), await web.room(school)
    for days in (1, 2, -1):
        await web.lesson(teacher, lead, room, assistant=aide, starts=timedelta(days=days), title="《认识'角'》")
    await web.lesson(teacher, lead, room, starts=timedelta(days=3), state="cancelled")
    browser = await admin(web, school)
    for person in (teacher, aide):
        path = f"/admin/people/{person.id}"
        page = (await browser.get(path)).text
        assert "以后还要上课或辅助 2 节" in page and "已停用或卸任" not in page
        assert f"/timetable?of=teacher&amp;id={person.id}&amp;day=" in page and "amp;#" not in page
        async with web.database.reading() as session:
            (post,) = (await session.scalars(select(PostHeld).where(PostHeld.person_id == person.id))).all()
        ends = {"csrf": browser.csrf, "ends_on": str(city_date(web.clock.now()) + timedelta(days=1))}
        assert (await browser.post(f"{path}/posts/{post.id}/end", data=ends)).status_code == 303
        assert "还安排了 1 节课" in (await browser.get(path)).text, "those after the last day"
        await browser.post(f"{path}/disable", data={"csrf": browser.csrf})
        assert "还安排了 2 节课" in (await browser.get(path)).text


async def test_posts_have_dates_and_are_never_deleted(web: Web) -> None:
    school = await web.school(await web.district())
    person, _ = await create(web, CITY, wanted(school))
    scope = of_school(school)
    async with web.transaction() as session:
        again = PostBody(post="teacher", starts_on=date(2026, 12, 1))
        with pytest.raises(ConflictError, match="post_twice"):
            await service.give_post(session, scope, person.id, again, web.clock.now())
        first = person.posts[0].id
        with pytest.raises(InvalidError, match="post_dates"):
            await service.end_post(session, scope, person.id, first, date(2026, 1, 1), web.clock.now())
        await service.end_post(session, scope, person.id, first, date(2026, 11, 30), web.clock.now())
        await service.give_post(session, scope, person.id, again, web.clock.now())
    async with web.database.reading() as session:
        held = (await session.get_one(Person, person.id, options=[selectinload(Person.posts)])).posts
        assert sorted(str(post.ends_on) for post in held) == ["2026-11-30", "None"]


async def test_evaluator_reads_people_and_changes_nothing(web: Web) -> None:
    school = await web.school(await web.district())
    teacher = await web.person("teacher", school=school)
    evaluator = await web.sign_in(await web.person("evaluator"))
    assert (await evaluator.get(f"/admin/people/{teacher.id}")).status_code == 200
    assert (await evaluator.get("/admin/people/new")).status_code == 403
    assert (await evaluator.post(f"/api/v1/people/{teacher.id}/disable")).status_code == 403


async def test_one_time_passwords_differ_and_read_well() -> None:
    made = {service.one_time_password() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"[a-hj-km-np-z2-9]{5}-[a-hj-km-np-z2-9]{5}", one) for one in made)


async def test_to_work_at_a_school_is_not_to_administer_it(web: Web) -> None:
    """A school's administrator who teaches elsewhere, a district's seconded from elsewhere: each rules its own."""
    here, there = await web.district("120113"), await web.district("120115")
    own, work = await web.school(here, "甲小学"), await web.school(there, "乙小学")
    colleague = await web.person("teacher", school=work)
    both = await web.sign_in(await web.person("school_admin", "teacher", school=work, of_school=own))
    seconded = await web.sign_in(await web.person("district_admin", school=work, district=here))
    for browser in (both, seconded):
        assert (await browser.post(f"/api/v1/people/{colleague.id}/password")).status_code == 403
        room = {"name": "新教室", "kind": "receiving", "pupils": 30}
        assert (await browser.post(f"/api/v1/schools/{work.id}/rooms", json=room)).status_code == 403
        assert (await browser.post(f"/api/v1/schools/{own.id}/rooms", json=room)).status_code in (201, 422)


async def held(web: Web, person: Person) -> list[tuple[str, str | None, str, str]]:
    async with web.database.reading() as session:
        row = await session.get_one(Person, person.id, options=[selectinload(Person.posts)])
        return sorted(((one.post, one.school_id, str(one.starts_on), str(one.ends_on)) for one in row.posts), key=str)


async def test_who_moves_leaves_the_posts_of_the_old_school_behind(web: Web) -> None:
    """The dean of the one school is not dean of the other; what the person was stays written down."""
    district = await web.district()
    old, new = await web.school(district, "老校"), await web.school(district, "新校")
    person = await web.person("teacher", "dean", school=old)
    web.clock.moment += timedelta(hours=24)
    browser = await web.sign_in(await web.person("district_admin", district=district))
    body = {"name": "王老师", "school_id": new.id, "subject": "music"}
    moved = await browser.put(f"/api/v1/people/{person.id}", json=body)
    assert (moved.status_code, moved.json()["school_id"]) == (200, new.id)
    assert await held(web, person) == [
        ("dean", old.id, "2026-01-01", "2026-11-17"),
        ("teacher", old.id, "2026-01-01", "2026-11-17"),
        ("teacher", None, "2026-11-18", "None"),
    ]
    async with web.database.reading() as session:
        [past] = await session.scalars(select(Past).where(Past.kind == "person"))
    assert (past.school_id, past.was) == (old.id, {"school_id": old.id, "subject": None})
    assert (await browser.get(f"/admin/schools/{old.id}")).status_code == 200, "its history shows it"
    page = await browser.get(f"/admin/people/{person.id}")
    assert "新校" in page.text and "老校" in page.text
    stays = await browser.post(f"/admin/people/{person.id}/edit", data={"name": "王老师", "school_id": new.id})
    assert stays.status_code == 303 and len(await held(web, person)) == 3


async def test_nobody_moves_people_out_of_or_into_somebody_elses_schools(web: Web) -> None:
    here, there = await web.district("120113"), await web.district("120115")
    mine, other = await web.school(here, "甲小学"), await web.school(there, "乙小学")
    person, foreign = await web.person("teacher", school=mine), await web.person("teacher", school=other)
    for post, of in (("district_admin", {"district": here}), ("school_admin", {"school": mine, "of_school": mine})):
        browser = await web.sign_in(await web.person(post, **of))
        answer = await browser.put(f"/api/v1/people/{person.id}", json={"name": "x", "school_id": other.id})
        assert (answer.status_code, answer.json()["error"]["key"]) == (422, "person_school"), post
        taken = await browser.put(f"/api/v1/people/{foreign.id}", json={"name": "x", "school_id": mine.id})
        assert taken.status_code == 404, post
    assert await held(web, person) == [("teacher", None, "2026-01-01", "None")], "and nothing of it stays"


async def test_no_post_begins_in_a_month_that_is_over(web: Web) -> None:
    school = await web.school(await web.district())
    person = await web.person("teacher", school=school)
    early = PostBody(post="dean", starts_on=date(2026, 11, 30))
    async with web.transaction() as session:
        with pytest.raises(InvalidError, match="effective_closed"):
            await service.give_post(session, CITY, person.id, early, web.clock.now() + timedelta(days=31))
        await service.give_post(session, CITY, person.id, early, web.clock.now())
