"""The JSON API: every noun has a list and a one, each described; a machine reads them, page by page, filtered."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from server import openapi
from server.classrooms.models import Classroom
from server.demands.models import Demand
from server.groups.models import Group, Membership
from server.ids import new_id
from server.schools.models import Gap, Pairing, SchoolClass
from server.timetable.models import CalendarDay, Term
from tests.support.web import Browser, Web

NOUNS = (
    "districts", "schools", "rooms", "classes", "people", "pairings", "groups", "gaps", "classrooms", "terms",
    "calendar", "lessons", "notices", "demands", "studios",
)  # fmt: skip
TODAY = date(2026, 11, 16)


@pytest.fixture
async def machine(web: Web) -> Browser:
    """A token of a district, and one row of everything in it."""
    district = await web.district()
    town, village = await web.school(district, "城关小学"), await web.school(district, "南里小学")
    lead, room = await web.room(town, "录播教室", kind="lead"), await web.room(village)
    teacher = await web.person("teacher", school=town)
    await web.lesson(teacher, lead, room)
    group = Group(
        id=new_id(), name="集团", kind="community", district_id=district.id, starts_on=TODAY, created_at=web.clock.now()
    )
    await web.add(
        Term(id="2026-1", name="第一学期", starts_on=date(2026, 9, 1), ends_on=date(2027, 1, 20)),
        CalendarDay(day=date(2026, 10, 1), kind="holiday", name="国庆节"),
        SchoolClass(id=new_id(), school_id=village.id, phase="primary", entry_year=2024, number=1, pupils=20),
        Pairing(
            id=new_id(), lead_school_id=town.id, village_school_id=village.id, kind="one_to_one", starts_on=TODAY
        ),
        Gap(id=new_id(), school_id=village.id, term="2026-1", grade=3, subject="music", declared_on=TODAY),
        group,
        Classroom(
            id=new_id(), name="课堂", subject="maths", grade=3, lead_room_id=lead.id, lead_teacher_id=teacher.id,
            term="2026-1", created_at=web.clock.now(),
        ),
        Demand(
            id=new_id(), school_id=village.id, room_id=room.id, term="2026-1", grade=3, subject="music",
            posted_at=web.clock.now(),
        ),
    )  # fmt: skip
    await web.add(Membership(id=new_id(), group_id=group.id, school_id=town.id, role="lead", starts_on=TODAY))
    admin = await web.sign_in(await web.person("district_admin", district=district))
    made = await admin.post("/api/v1/tokens", json={"name": "平台", "place": f"district:{district.id}"})
    browser = web.browser()
    browser.headers["authorization"] = f"Bearer {made.json()['token']}"
    return browser


def rows(answer: Any) -> list[dict[str, Any]]:
    for key in ("items", "days", "notices"):
        if isinstance(answer, dict) and key in answer:
            return list(answer[key])
    return list(answer)


async def test_a_machine_reads_the_list_and_one_of_every_noun(web: Web, machine: Browser) -> None:
    for noun in NOUNS:
        query = "?first=2026-09-01&last=2027-01-20" if noun == "calendar" else ""
        answer = await machine.get(f"/api/v1/{noun}{query}")
        assert answer.status_code == 200, (noun, answer.text)
        found = rows(answer.json())
        if noun in ("notices", "studios"):
            continue  # a machine is nobody: nobody tells it anything; there is no studio here
        assert found, noun
        one = await machine.get(f"/api/v1/{noun}/{found[0].get('id') or found[0]['day']}")
        assert one.status_code == 200, (noun, one.text)
        assert one.json() == found[0], noun
        assert (
            await machine.get(f"/api/v1/{noun}/{'2027-12-31' if noun == 'calendar' else '999999'}")
        ).status_code in (
            404,
            422,
        ), noun


async def test_lists_are_walked_and_narrowed(web: Web, machine: Browser) -> None:
    first = (await machine.get("/api/v1/schools?size=1")).json()
    second = (await machine.get("/api/v1/schools?size=1&page=2")).json()
    assert (first["count"], first["pages"]) == (2, 2) and first["items"] != second["items"]
    assert (await machine.get("/api/v1/schools?size=101")).status_code == 422
    kinds = [one["kind"] for one in (await machine.get("/api/v1/rooms?kind=lead")).json()["items"]]
    assert kinds == ["lead"]
    assert (await machine.get("/api/v1/rooms?q=录播")).json()["count"] == 1
    assert (await machine.get("/api/v1/pairings?state=ended")).json()["count"] == 0
    assert (await machine.get("/api/v1/pairings?state=running&district=120113")).json()["count"] == 1
    lessons = await machine.get("/api/v1/lessons?state=published&subject=maths&district=120113")
    assert (len(lessons.json()), lessons.headers["x-total-count"]) == (1, "1")
    for narrow in ("state=live", "subject=music", "school=nobody", "classroom=nothing", "kind=trial"):
        answer = await machine.get(f"/api/v1/lessons?{narrow}")
        assert (answer.json(), answer.headers["x-total-count"]) == ([], "0"), narrow


async def test_it_is_described(web: Web) -> None:
    described = (await web.browser().get("/api/v1/openapi.json")).json()
    assert "tt-" in described["info"]["description"]
    assert described["components"]["securitySchemes"]["machine"]["scheme"] == "bearer"
    paths = {path: set(operations) for path, operations in described["paths"].items()}
    for noun in NOUNS:
        ones = [path for path in paths if path.startswith(f"/api/v1/{noun}/{{") and path.count("/") == 4]
        assert "get" in paths[f"/api/v1/{noun}"] and any("get" in paths[path] for path in ones), noun
    tags = {tag for one in described["paths"].values() for operation in one.values() for tag in operation["tags"]}
    assert {tag["name"] for tag in openapi.TAGS} <= tags
