"""Walks every route as somebody who does not belong there: nothing is shown, nothing is changed.

Everything in the city of this test carries a mark in its name. A foreign account may be refused or may get a page, but
never one with the mark in it; and whatever it sends, no row changes. A new route is walked by itself; a new parameter
needs an entry in ``ids``, and a route open to strangers an entry in ``PUBLIC``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts.models import PostHeld
from server.classrooms.models import Classroom, Receiver
from server.ids import new_id
from server.lessons.models import Deck
from server.models import Base
from server.recordings.models import Recording
from server.schools.models import Device, Pairing
from server.studios.models import Studio, StudioMember
from tests.support.marked import MARK, plans, register, studio_activity
from tests.support.web import Browser, Web

PUBLIC = {
    ("GET", "/"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("POST", "/logout"),  # ends nobody's session but the caller's
    ("POST", "/api/v1/accounts/sign-in"),
    ("GET", "/kiosk"),
    ("GET", "/check/pc"),  # for PCs that cannot sign in: their clock or their browser is wrong
    ("GET", "/companion/{lesson_id}"),
    ("POST", "/api/v1/lessons/{lesson_id}/companion"),  # opened by the code on the room's screen
    ("GET", "/code"),
    ("POST", "/code"),  # opened by the code itself
    ("POST", "/api/v1/lesson-code"),
    ("GET", "/studios"),
    ("GET", "/studios/{studio_id}"),
    ("GET", "/healthz"),
    ("GET", "/api/docs"),
    ("GET", "/readyz"),
}
STUDIOS = {"/studios", "/studios/{studio_id}", "/api/v1/studios", "/api/v1/studios/{studio_id}"}
"""Famous teachers are famous: a studio's host and school are for everybody."""
EXCHANGE = {
    "/demands", "/demands/{demand_id}", "/api/v1/demands", "/api/v1/demands/{demand_id}",
    "/demands/{demand_id}/offers",
}  # fmt: skip
"""An open need is posted to be found; who offered what for it is for those concerned (demands/test_demands.py)."""
BOARD = {"/"}
"""The portal names school and teacher of the day's lessons to everybody with an account; to devices it does not."""
INTERNAL = "/internal/"
ENDS_OWN_SESSION = {"/logout", "/api/v1/accounts/sign-out", "/api/v1/accounts/sign-out-everywhere"}
OWN_THINGS = {
    "/api/v1/notices/read-all",
    "/api/v1/feeds",
    "/feeds",
    "/api/v1/way",
    "/api/v1/kiosk/selftest",
    "/api/v1/kiosk/selftest/up",
}
"""One's own notices, calendar address, tests of own path and screen: nobody else's are touched."""
REFUSED = {401, 403, 404, 405}
OWN_ROWS = {"sign_ins", "devices", "feeds", "audit_entries", "audit_waiting", "self_tests"}
"""Tables in which anybody leaves rows of their own: a session, a kiosk that waits for its code, a line in the log."""


FIXED = {
    "sign_in_id": "0123456789abcdef", "node_id": "n1", "district_id": "120113", "page": "1", "role": "teach",
    "epoch": "1", "seq": "1", "track": "camera", "file": "0.m4s", "level": "school", "code": "L1", "period": "2026-11",
    "kind": "rooms", "day": "2026-11-20", "secret": "0" * 32, "term_id": "2026-1",
    # Well formed and nobody's: rows of encoders, until they have one in ``city``.
    **dict.fromkeys(("key_id",), "aaaaaaaaaaaaaaaa"),
}  # fmt: skip


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    body: dict[str, Any] | None
    """JSON schema of the body; None for forms and for no body."""


@dataclass(frozen=True)
class City:
    ids: dict[str, str]


@pytest.fixture
async def city(web: Web) -> City:
    now, today = web.clock.now(), date(2026, 11, 16)
    district = await web.district("120113")
    town, village = await web.school(district, f"{MARK}城关小学"), await web.school(district, f"{MARK}南里小学")
    lead = await web.room(town, f"{MARK}录播教室", kind="lead")
    room = await web.room(village, f"{MARK}三年级")
    teacher = await web.person("teacher", school=town, name=f"{MARK}王老师")
    admin = await web.person("school_admin", school=town, of_school=town, name=f"{MARK}主任")
    lesson = await web.lesson(teacher, lead, room, title="公开的标题", state="closed", closed_at=now, opened_at=now)
    planned = await web.lesson(teacher, lead, room, title="公开的标题", starts=timedelta(days=1))
    classroom = Classroom(
        id=new_id(), name=f"{MARK}课堂", subject="maths", grade=3, lead_room_id=lead.id, lead_teacher_id=teacher.id,
        term="2026-1", created_at=now,
    )  # fmt: skip
    deck = Deck(
        id=new_id(), lesson_id=planned.id, title=f"{MARK}课件", pages=1, state="ready", uploaded_by=teacher.id,
        created_at=now,
    )  # fmt: skip
    device = Device(id=new_id(), room_id=room.id, bound_at=now, created_at=now)
    pairing = Pairing(
        id=new_id(), lead_school_id=town.id, village_school_id=village.id, kind="one_to_one", starts_on=today
    )
    studio = Studio(
        id=new_id(), name="公开的工作室", subject="maths", phase="primary", school_id=town.id, host_id=teacher.id,
        created_at=now,
    )  # fmt: skip
    await web.add(classroom, deck, device, pairing, studio)
    await web.add(Receiver(id=new_id(), classroom_id=classroom.id, position=1, room_id=room.id))
    await web.add(StudioMember(id=new_id(), studio_id=studio.id, person_id=admin.id, role="member", joined_on=today))
    await web.add(Recording(lesson_id=lesson.id, state="closed", last_epoch=1, duration_ms=1000, updated_at=now))
    more = await register(web, lead, room, admin)
    more["activity"] = await studio_activity(web, studio, room, admin)
    held_plans = await plans(web, town, village, classroom, planned, admin)
    await web.objects.put(f"decks/{planned.id}/{deck.id}/1.webp", MARK.encode())
    await web.node()
    async with web.database.reading() as session:
        post = (await session.scalars(select(PostHeld).where(PostHeld.person_id == admin.id))).one()
    things: tuple[Any, ...] = (planned, lesson, classroom, deck, device, pairing, studio, town, room, admin, post)
    names = [
        "lesson",
        "held_lesson",
        "classroom",
        "deck",
        "device",
        "pairing",
        "studio",
        "school",
        "room",
        "person",
        "post",
    ]
    held = {name if name == "held_lesson" else f"{name}_id": one.id for name, one in zip(names, things, strict=True)}
    held |= {f"{name}_id": one.id for name, one in more.items()}
    held |= held_plans
    return City({**FIXED, **held, "part": town.id, "key": f"school-{town.id}"})


def routes(web: Web) -> list[Route]:
    schema = web.app.openapi()
    found = []
    for holder in web.app.routes:
        contexts = getattr(holder, "effective_route_contexts", None)
        for route in contexts() if contexts else [holder]:
            for method in sorted(getattr(route, "methods", None) or ()):
                path = str(getattr(route, "path", ""))
                if method != "HEAD" and not path.startswith("/static"):
                    found.append(Route(method, path, _body(schema, method, path)))
    assert len(found) > 50
    return found


def _body(schema: dict[str, Any], method: str, path: str) -> dict[str, Any] | None:
    operation = schema["paths"].get(path, {}).get(method.lower(), {})
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return _resolved(schema, content["schema"]) if content else None


def _resolved(schema: dict[str, Any], part: Any) -> Any:
    if isinstance(part, dict):
        if "$ref" in part:
            return _resolved(schema, schema["components"]["schemas"][part["$ref"].rsplit("/", 1)[-1]])
        return {key: _resolved(schema, value) for key, value in part.items()}
    return [_resolved(schema, one) for one in part] if isinstance(part, list) else part


def sample(part: dict[str, Any], name: str, ids: dict[str, str]) -> Any:
    """A value the schema takes: as valid a request as can be made without reading the code."""
    if "anyOf" in part:
        return sample(part["anyOf"][0], name, ids)
    if "enum" in part or "const" in part:
        return part.get("const", part.get("enum", [None])[0])
    kind = part.get("type")
    if kind == "object":
        return {key: sample(value, key, ids) for key, value in part.get("properties", {}).items()}
    if kind == "array":
        return [sample(part["items"], name, ids)] if part.get("minItems") or name == "receivers" else []
    if kind in ("integer", "number"):
        return max(1, int(part.get("minimum", 1)))
    if kind == "boolean":
        return False
    return _text(part, name, ids)


def _text(part: dict[str, Any], name: str, ids: dict[str, str]) -> str:
    by_format = {"date": "2026-11-20", "date-time": "2026-11-20T09:00:00+08:00"}
    by_pattern = {"^[0-9]{6}$": "123456"}
    if part.get("format") in by_format:
        return "2026-11-20T09:40:00+08:00" if name == "ends_at" else by_format[part["format"]]
    if part.get("pattern") in by_pattern:
        return by_pattern[part["pattern"]]
    for key in (name, f"{name}_id"):
        if key in ids:
            return ids[key]
    if name.endswith(("room_id", "teacher_id", "assistant_id")):
        return ids["room_id" if name.endswith("room_id") else "person_id"]
    return {"reason": "power", "subject": "maths", "post": "teacher", "kind": "formal"}.get(name, "换一个值换一个值")


FORM = {
    "name": "外人改的", "title": "外人改的", "reason": "power", "code": "123456", "password": "外人的新密码",
    "login": "waipai", "post": "teacher", "pupils": "9", "kind": "one_to_one", "starts_on": "2026-11-20",
    "ends_on": "2026-11-20", "phase": "primary", "subject": "maths", "grade": "3", "day": "2026-11-20",
    "starts": "09:00", "minutes": "40", "new": "x", "current": "y",
}  # fmt: skip


async def send(browser: Browser, route: Route, ids: dict[str, str]) -> Any:
    path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: ids[found[1]], route.path)
    if route.method == "GET":
        return await browser.get(path)
    if route.path.endswith("/decks"):
        return await browser.request(route.method, path, files={"file": ("a.pdf", b"%PDF-1.7 x", "application/pdf")})
    if route.body is not None:
        return await browser.request(route.method, path, json=sample(route.body, "", ids))
    form = {**FORM, **{name: value for name, value in ids.items() if name.endswith("_id")}}
    return await browser.request(route.method, path, data=form if route.method == "POST" else None)


async def everything(web: Web) -> dict[str, Any]:
    """Every row of every table that is not the visitor's own, as it stands."""
    async with web.database.reading() as session:
        return {
            table.name: sorted(map(str, (await session.execute(select(table))).all()))
            for table in Base.metadata.sorted_tables
            if table.name not in OWN_ROWS
        }


async def walk(web: Web, city: City, browser: Browser, who: str, *, may_read: bool = False) -> None:
    open_to_them = STUDIOS if who == "kiosk" else STUDIOS | BOARD | EXCHANGE
    before, objects = await everything(web), dict(web.objects.held)
    shown, done = [], []
    for route in routes(web):
        if route.path.startswith(INTERNAL) or route.path in ENDS_OWN_SESSION:
            continue
        for lesson in ("lesson_id", "held_lesson"):
            if lesson == "held_lesson" and "{lesson_id}" not in route.path:
                continue
            answer = await send(browser, route, {**city.ids, "lesson_id": city.ids[lesson]})
            name = f"{route.method} {route.path} {answer.status_code}"
            assert answer.status_code < 500, f"{who}: {name}: {answer.text[:500]}"
            if MARK in answer.text and not may_read and route.path not in open_to_them:
                shown.append(name)
            own = route.path.startswith(("/api/v1/accounts", "/me", "/logout", "/login")) or route.path in OWN_THINGS
            if route.method != "GET" and answer.status_code < 300 and not own:
                done.append(name)
    assert (await browser.get("/api/v1/accounts/me")).status_code == 200, "still who they were"
    after = await everything(web)
    changed = [table for table in before if before[table] != after[table]]
    assert (shown, done, changed) == ([], [], []), who
    assert web.objects.held == objects


async def test_a_stranger_gets_nothing_but_the_public_pages(web: Web, city: City) -> None:
    let_in = []
    for route in routes(web):
        if route.path.startswith(INTERNAL) or (route.method, route.path) in PUBLIC:
            continue
        browser = web.browser()
        answer = await send(browser, route, city.ids)
        to_login = answer.status_code == 303 and answer.headers["location"].startswith("/login")
        if answer.status_code not in REFUSED and not to_login and route.path != "/api/v1/openapi.json":
            let_in.append(f"{route.method} {route.path} {answer.status_code}")
    assert let_in == []


async def test_public_pages_show_strangers_titles_only(web: Web, city: City) -> None:
    people = [f"{MARK}王老师", f"{MARK}主任"]
    for method, path in sorted(PUBLIC):
        if method == "GET" and path not in STUDIOS:
            answer = await send(web.browser(), Route(method, path, None), city.ids)
            assert not [name for name in people if name in answer.text], path


@pytest.mark.slow
@pytest.mark.parametrize("post", ["teacher", "assistant", "school_admin", "district_admin", "pupil", "studio_member"])
async def test_a_foreign_account_sees_nothing_and_changes_nothing(web: Web, city: City, post: str) -> None:
    district = await web.district("120114")
    school = await web.school(district, "别处小学")
    reach: dict[str, dict[str, Any]] = {"school_admin": {"of_school": school}, "district_admin": {"district": district}}
    of = reach.get(post, {})
    person = await web.person(post, school=school, name="外人", **of)
    await walk(web, city, await web.sign_in(person), post)


@pytest.mark.slow
async def test_a_foreign_kiosk_sees_nothing_and_changes_nothing(web: Web, city: City) -> None:
    school = await web.school(await web.district("120114"), "别处小学")
    await walk(web, city, await web.device(await web.room(school)), "kiosk")


@pytest.mark.slow
async def test_a_foreign_machine_sees_nothing_and_changes_nothing(web: Web, city: City) -> None:
    district = await web.district("120114")
    maker = await web.person("district_admin", district=district, name="外人")
    made = await (await web.sign_in(maker)).post(
        "/api/v1/tokens", json={"name": "外人的平台", "place": "district:120114"}
    )
    machine = web.browser()
    machine.headers["authorization"] = f"Bearer {made.json()['token']}"
    await machine.get("/api/v1/terms")  # its first use is written down
    before, shown = await everything(web), []
    for route in routes(web):
        answer = await send(machine, route, city.ids)
        name = f"{route.method} {route.path} {answer.status_code}"
        assert answer.status_code < 500, name
        if not route.path.startswith(("/api/v1/", "/healthz", "/readyz", INTERNAL)):
            assert answer.status_code == 403, name
        if MARK in answer.text and route.path not in STUDIOS | EXCHANGE:
            shown.append(name)
    assert shown == [] and await everything(web) == before


@pytest.mark.slow
@pytest.mark.parametrize("post", ["evaluator", "inspector"])
async def test_who_reads_the_whole_city_changes_nothing(web: Web, city: City, post: str) -> None:
    browser = await web.sign_in(await web.person(post, name="评估员"))
    ids = city.ids
    assert MARK in (await browser.get(f"/lessons/{ids['lesson_id']}")).text, "they do read"
    await walk(web, city, browser, post, may_read=True)


async def test_internal_doors_are_shut_to_everybody_without_the_secret(web: Web, city: City) -> None:
    admin = await web.sign_in(await web.person("city_admin"))
    for route in routes(web):
        if route.path.startswith(INTERNAL):
            for browser in (web.browser(), admin):
                assert (await send(browser, route, city.ids)).status_code in (403, 422), route


@pytest.mark.slow
async def test_the_walk_is_worth_something(web: Web, city: City) -> None:
    """The same requests show the mark on many pages to somebody who belongs there."""
    admin = await web.sign_in(await web.person("city_admin"))
    reading = [route for route in routes(web) if route.method == "GET" and route.path not in STUDIOS | BOARD]
    shown = [route.path for route in reading if MARK in (await send(admin, route, city.ids)).text]
    assert len(shown) > 15, shown
