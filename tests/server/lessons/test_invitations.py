"""受邀确认 on the pages of a lesson and of its classroom: each school's last word, by whom and when."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server.lessons.models import Invitation
from tests.support.timetable import made
from tests.support.web import Web

pytestmark = pytest.mark.slow


async def test_who_confirmed_when_is_shown_and_the_lesson_s_own_question_comes_first(web: Web) -> None:
    city = await made(web)
    await web.add(*city.classroom(web, id="c"))
    lesson = await web.lesson(city.teacher, city.lead, city.room, starts=timedelta(days=1), classroom_id="c")
    dean = await web.person("school_admin", school=city.village, of_school=city.village, name="孙校长")
    asked = {"school_id": city.village.id, "classroom_id": "c", "due_on": date(2026, 11, 18)}
    now = web.clock.now()
    await web.add(Invitation(id="i", asked_at=now, **asked))
    admin = await web.sign_in(await web.person("district_admin", district=city.district))
    pages = ("/admin/classrooms/c", f"/lessons/{lesson.id}")
    for path in pages:
        assert "等待答复" in (await admin.get(path)).text, path
    theirs = await web.sign_in(dean)
    assert (await theirs.post("/api/v1/invitations/i/answer", json={"answer": "confirm"})).is_success
    for path in pages:
        page = (await admin.get(path)).text
        assert "已确认" in page and "孙校长" in page, path
    await web.add(Invitation(id="v", lesson_id=lesson.id, asked_at=now, answer="void", **asked))
    assert "已确认" in (await admin.get(pages[1])).text
    await web.add(Invitation(id="l", lesson_id=lesson.id, asked_at=now + timedelta(minutes=1), **asked))
    assert "已确认" in (await admin.get(pages[0])).text
    page = (await (await web.sign_in(city.teacher)).get(pages[1])).text
    assert "等待答复" in page and "已确认" not in page


async def test_more_questions_than_a_page_holds_are_turned_over(web: Web) -> None:
    city = await made(web)
    asked = {"school_id": city.village.id, "asked_at": web.clock.now()}
    for n in range(21):
        await web.add(*city.classroom(web, f"课堂{n}号", id=f"c{n}"))
        await web.add(Invitation(id=f"i{n:02}", classroom_id=f"c{n}", due_on=date(2026, 11, 18), **asked))
    theirs = await web.sign_in(await web.person("school_admin", school=city.village, of_school=city.village))
    first, second = [(await theirs.get(f"/invitations?page={n}")).text for n in (1, 2)]
    assert "课堂19号" in first and "课堂20号" not in first and 'href="?page=2"' in first
    assert "课堂20号" in second and "课堂19号" not in second
    assert len((await theirs.get("/api/v1/invitations")).json()) == 21
    assert (await theirs.get("/api/v1/invitations?page=2")).json() == []
