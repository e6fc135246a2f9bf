"""The front page: strangers see titles, those signed in see who and where, links only into one's own scope."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from server.ids import new_id
from server.lessons.models import Lesson, Receipt
from server.portal.pages import LIVE, TODAY
from server.recordings.models import Recording
from tests.support.web import Web


async def lesson(web: Web, state: str = "live", kind: str = "formal", title: str = "茉莉花") -> Lesson:
    school = await web.school(await web.district(), "和平小学")
    room, far = await web.room(school, "主讲教室", kind="lead"), await web.room(school, "听讲教室")
    teacher = await web.person("teacher", school=school, name="林海棠")
    row = Lesson(
        id=new_id(),
        title=title,
        subject="music",
        grade=4,
        kind=kind,
        state=state,
        lead_room_id=room.id,
        teacher_id=teacher.id,
        starts_at=web.clock.now(),
        ends_at=web.clock.now() + timedelta(minutes=40),
        created_at=web.clock.now(),
    )
    await web.add(row)
    receipt = Receipt(id=new_id(), lesson_id=row.id, starts_at=row.starts_at, room_id=far.id, position=1, expected=30)
    await web.add(receipt)
    return row


async def test_strangers_see_titles_only(web: Web) -> None:
    row = await lesson(web)
    page = await web.browser().get("/")
    assert page.status_code == 200
    assert "茉莉花" in page.text
    assert "林海棠" not in page.text and "和平小学" not in page.text and row.id not in page.text


async def test_those_signed_in_see_who_and_where_but_links_only_to_their_own(web: Web) -> None:
    row = await lesson(web)
    foreign = await web.sign_in(await web.person("teacher"))
    page = await foreign.get("/")
    assert "林海棠" in page.text and row.id not in page.text
    city = await web.sign_in(await web.person("city_admin"))
    assert f"/live/{row.id}/watch" in (await city.get("/")).text


@pytest.mark.parametrize(
    ("state", "kind"), [("cancelled", "formal"), ("planned", "formal"), ("live", "trial"), ("live", "drill")]
)
async def test_what_is_not_for_the_board_stays_off_it(web: Web, state: str, kind: str) -> None:
    await lesson(web, state, kind)
    assert "茉莉花" not in (await web.browser().get("/")).text


async def test_all_live_lessons_are_counted_and_the_first_shown(web: Web) -> None:
    district = await web.district()
    school = await web.school(district)
    room, teacher = await web.room(school, "录播教室", kind="lead"), await web.person("teacher", school=school)
    for minute in range(LIVE + 2):
        await web.lesson(teacher, room, title="直播课", state="live", starts=timedelta(minutes=minute))
    page = (await web.browser().get("/")).text
    live = page.split('<section aria-labelledby="live">')[1].split("</section>")[0]
    assert live.count("直播课") == LIVE and "另有 2 节课正在上" in live
    assert f"<dt>正在上课</dt><dd>{LIVE + 2}</dd>" in page


async def test_replays_are_lessons_that_play(web: Web) -> None:
    row = await lesson(web, "closed")
    assert "还没有回放" in (await web.browser().get("/")).text
    await web.add(
        Recording(lesson_id=row.id, state="closed", last_epoch=1, duration_ms=2_400_000, updated_at=web.clock.now())
    )
    page = (await web.browser().get("/")).text
    assert "还没有回放" not in page and page.count("茉莉花") == 2


async def test_both_languages(web: Web) -> None:
    page = await web.browser().get("/?lang=en")
    assert '<html lang="en">' in page.text and "Today's timetable" in page.text.replace("&#39;", "'")


async def test_the_day_shows_what_is_still_to_come_first(web: Web) -> None:
    district = await web.district()
    school = await web.school(district)
    room, teacher = await web.room(school, "录播教室", kind="lead"), await web.person("teacher", school=school)
    for hour in range(-8, 12):
        state = "closed" if hour < 0 else "published"
        await web.lesson(teacher, room, title=f"{hour + 9:02d}点的课", state=state, starts=timedelta(hours=hour))

    async def shown() -> list[str]:
        return re.findall(r"\d\d点的课", (await web.browser().get("/")).text)

    first = await shown()
    assert len(first) == TODAY and first[0] == "09点的课" and first == sorted(first)
    web.clock.moment += timedelta(hours=10, minutes=30)
    late = await shown()
    assert len(late) == TODAY and late[-1] == "20点的课" and late == sorted(late)
