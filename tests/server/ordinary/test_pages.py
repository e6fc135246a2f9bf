"""本校课表 as people see it: by class, teacher or room; an hour put, changed and taken away; a teacher's own."""

from __future__ import annotations

import re

from server.schools.models import SchoolClass
from tests.support.timetable import City, ordinary, slot
from tests.support.web import Browser, Web

PATH = "/timetable/ordinary"


def sent(city: City, pupils: SchoolClass, **more: str) -> dict[str, str]:
    plain = {
        "term": "2026-1", "school": city.town.id, "of": "class", "view_id": pupils.id, "weekday": "3", "period": "2",
        "weeks": "all", "subject": "maths", "class_id": pupils.id, "teacher_id": city.teacher.id,
    }  # fmt: skip
    return {**plain, **more}


async def test_an_hour_is_put_changed_and_taken_away(web: Web, city: City, pupils: SchoolClass, dean: Browser) -> None:
    empty = (await dean.get(PATH)).text
    assert "还没有课" in empty and "weekday=3&amp;period=2#hour" in empty
    pressed = (await dean.get(f"{PATH}?of=class&id={pupils.id}&weekday=3&period=2")).text
    assert 'value="3" selected' in pressed and 'name="period" type="number" value="2"' in pressed
    done = await dean.post(PATH, data=sent(city, pupils))
    assert done.status_code == 303 and done.headers["location"].endswith("done=saved")
    page = (await dean.get(done.headers["location"])).text
    assert "已保存" in page and "数学" in page and "王老师" in page and "09:15" in page
    id_ = re.findall(r"ordinary\?edit=([a-z0-9]+)", page)[0]
    form = (await dean.get(f"{PATH}?edit={id_}")).text
    assert "修改这节课" in form and "删除这节课" in form
    changed = await dean.post(
        f"{PATH}/{id_}", data=sent(city, pupils, own_time="1", starts="16:30", minutes="60", weeks="odd")
    )
    page = (await dean.get(changed.headers["location"])).text
    assert "16:30" in page and "单周" in page
    gone = await dean.post(f"{PATH}/{id_}/delete", data={"of": "class", "view_id": pupils.id})
    assert "已删除" in (await dean.get(gone.headers["location"])).text


async def test_what_was_typed_stays_where_the_hour_is_refused(
    web: Web, city: City, pupils: SchoolClass, dean: Browser
) -> None:
    await dean.post(PATH, data=sent(city, pupils))
    twice = await dean.post(PATH, data=sent(city, pupils, subject="music"))
    assert twice.status_code == 422 and "2023级2班周三第2节已有本校课：王老师 数学" in twice.text
    assert 'value="music" selected' in twice.text
    nobody = {key: value for key, value in sent(city, pupils, weekday="4").items() if key[-3:] != "_id"}
    assert "至少选班级、教师或教室" in (await dean.post(PATH, data=nobody)).text


async def test_the_page_says_which_hours_lie_upon_synchronous_lessons(
    web: Web, city: City, pupils: SchoolClass, dean: Browser
) -> None:
    await web.add(slot("c", 3, 9))
    await dean.post(PATH, data=sent(city, pupils))
    page = (await dean.get(PATH)).text
    assert "与同步课堂重叠 1 处" in page and "三年级音乐" in page


async def test_a_teacher_sees_their_own_hours_and_nobody_else_s(web: Web, city: City, pupils: SchoolClass) -> None:
    await web.add(
        ordinary(city.town, 3, 9, teacher_id=city.teacher.id, class_id=pupils.id),
        ordinary(city.town, 4, 9, class_id=pupils.id, subject="dance"),
    )
    own = await web.sign_in(city.teacher)
    page = (await own.get(f"{PATH}?of=class&id={pupils.id}")).text
    assert "我的本校课" in page and "数学" in page and "舞蹈" not in page and "添一节课" not in page
    assert "本校课表" in (await own.get("/timetable")).text
    assert (await own.post(PATH, data=sent(city, pupils))).status_code == 403
    pupil = await web.sign_in(await web.person("pupil", school=city.town))
    assert (await pupil.get(PATH)).status_code == 403


async def test_the_week_of_a_teacher_shows_their_hours_at_home(
    web: Web, city: City, pupils: SchoolClass, dean: Browser
) -> None:
    """On the days they really fall, greyed, to who may see them."""
    await web.add(
        ordinary(city.town, 4, 9, teacher_id=city.teacher.id, class_id=pupils.id, subject="dance"),
        ordinary(city.town, 5, 9, room_id=city.lead.id, subject="calligraphy"),
    )
    week = "/timetable?of=teacher&id={}&day=2026-11-{}"
    page = (await dean.get(week.format(city.teacher.id, 18))).text
    assert "舞蹈" in page and "2023级2班" in page and "本校课</span>" in page and "week-lesson ordinary" in page
    holiday = (await dean.get(week.format(city.teacher.id, 25))).text
    assert holiday.count("week-lesson ordinary") == 1, "the Saturday that makes up for the Thursday off"
    room = (await dean.get(f"/timetable?of=room&id={city.lead.id}&day=2026-11-18")).text
    assert "书法" in room and "舞蹈" not in room
    own = await web.sign_in(city.teacher)
    assert "舞蹈" in (await own.get("/timetable?day=2026-11-18")).text
    village = await web.sign_in(await web.person("dean", school=city.village, of_school=city.village))
    assert "舞蹈" not in (await village.get(week.format(city.teacher.id, 18))).text
