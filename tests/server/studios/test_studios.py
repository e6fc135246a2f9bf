"""Studios: open to be found; people's names and lessons for those signed in."""

from __future__ import annotations

from datetime import date

from server.ids import new_id
from server.studios.models import Studio, StudioMember
from tests.support.web import Web


async def make(web: Web, name: str = "林海棠音乐名师工作室", subject: str = "music") -> Studio:
    school = await web.school(await web.district(), "实验小学")
    host = await web.person("studio_host", school=school, name="林海棠")
    member = await web.person("studio_member", school=school, name="赵春华")
    left = await web.person("studio_member", school=school, name="钱离开")
    studio = Studio(
        id=new_id(),
        name=name,
        subject=subject,
        phase="primary",
        school_id=school.id,
        host_id=host.id,
        about="第一行\n第二行",
        accepted_on=date(2026, 9, 1),
        created_at=web.clock.now(),
    )
    await web.add(studio)
    await web.add(
        StudioMember(id=new_id(), studio_id=studio.id, person_id=member.id, role="core", joined_on=date(2026, 9, 1)),
        StudioMember(
            id=new_id(),
            studio_id=studio.id,
            person_id=left.id,
            role="member",
            joined_on=date(2026, 9, 1),
            left_on=date(2026, 10, 1),
        ),
    )
    return studio


async def test_strangers_find_the_studio_but_not_its_people(web: Web) -> None:
    studio = await make(web)
    stranger = web.browser()
    assert studio.name in (await stranger.get("/studios")).text
    home = await stranger.get(f"/studios/{studio.id}")
    assert home.status_code == 200
    assert "第二行" in home.text and "赵春华" not in home.text
    assert (await stranger.get("/api/v1/studios", headers={"accept": "application/json"})).status_code == 401


async def test_those_signed_in_see_present_members(web: Web) -> None:
    studio = await make(web)
    pupil = await web.sign_in(await web.person("pupil"))
    home = await pupil.get(f"/studios/{studio.id}")
    assert "赵春华" in home.text and "钱离开" not in home.text
    told = (await pupil.get(f"/api/v1/studios/{studio.id}")).json()
    assert [one["name"] for one in told["people"]] == ["赵春华"]


async def test_list_filters(web: Web) -> None:
    await make(web)
    teacher = await web.sign_in(await web.person("teacher"))
    for query, count in (
        ("subject=music", 1),
        ("subject=maths", 0),
        ("q=林海", 1),
        ("q=%25", 0),
        ("district=120113", 1),
    ):
        assert (await teacher.get(f"/api/v1/studios?{query}")).json()["count"] == count, query


async def test_unknown_studio_is_not_found(web: Web) -> None:
    assert (await web.browser().get("/studios/nosuchstudio")).status_code == 404
    assert (await web.browser().get("/studios/..%2f..")).status_code in (404, 422)
