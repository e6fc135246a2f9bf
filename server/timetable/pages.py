"""Pages: week grid, publishing, start of term. Beside them ``calendar_pages``, ``find_pages`` and ``order_pages``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.choices.service import Offer, offer
from server.choices.store import Choice
from server.clock import city_date
from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.forms import Form, attempt, check, typed
from server.ids import new_id
from server.lessons import service as lessons
from server.lessons import store as lesson_store
from server.lessons.lifecycle import MOVE_REASONS, REPLANNED
from server.lessons.schemas import LessonFilter
from server.ordinary import busy
from server.ordinary import store as ordinary
from server.ordinary.falls import slot_of
from server.paging import ListPage, base_of, page_of
from server.schools import store as schools
from server.scope import SYSTEM, Scope, allows
from server.studios.activities import store as activities
from server.templating import Page
from server.timetable import (
    calendar,
    calendar_pages,
    choices,
    find_pages,
    grid,
    order_pages,
    publishing,
    service,
    store,
    wizard,
)
from server.timetable.bells import USUAL, Bell, in_force
from server.timetable.lessons_made import midnight
from server.timetable.schemas import MOST_COPIED, WizardBody

router = APIRouter(include_in_schema=False)
router.include_router(calendar_pages.router)
router.include_router(find_pages.router)
router.include_router(order_pages.router)

Of = Literal["school", "room", "teacher", "classroom", "district"]
FILTER: dict[str, str] = {
    "school": "school_id",
    "room": "room_id",
    "teacher": "person_id",
    "classroom": "classroom_id",
    "district": "district_id",
}
A_CELL = 4
"""Lessons of one starting time that a grid shows; a district has forty at once, and counts the others."""
A_PAGE = 50
"""Classrooms of the wizard; a district has hundreds."""
PLANNERS = ("school_admin", "dean", "district_admin", "city_admin", "inspector", "evaluator", "area_head")


@dataclass(frozen=True, slots=True)
class Wanted:
    of: Of | None
    id: str
    day: date | None


def wanted(
    of: Of | None = None,
    id: Annotated[str, Query(max_length=24)] = "",
    day: Annotated[date | None, Query()] = None,
) -> Wanted:
    return Wanted(of, id, day)


def _views(scope: Scope) -> list[str]:
    """Which weeks the asker may choose among; who only teaches has their own."""
    if not scope.has(*PLANNERS):  # type: ignore[arg-type]  # all of them are posts
        return ["teacher"]
    return ["school", "room", "teacher", "classroom", "district"]


def _usual(scope: Scope, views: list[str]) -> str:
    """The week that somebody comes for: their own, their district's, their school's."""
    if scope.has("teacher", "assistant"):
        return "teacher"
    return "district" if "district" in views and (scope.city or scope.districts) else views[0]


@router.get("/timetable")
async def get_grid(
    page: Html, session: Reading, scope: SignedIn, clock: ClockDep, asked: Annotated[Wanted, Depends(wanted)]
) -> Response:
    now = clock.now()
    today = city_date(now)
    views = _views(scope)
    of = asked.of if asked.of in views else _usual(scope, views)
    first = grid.monday(asked.day or today)
    week = await service.week_of(session, scope, first + timedelta(days=4))
    term = week[0].id if week else None
    wished = [one for one in (asked.id, scope.person, scope.school, *sorted(scope.districts)) if one]
    options = await _options(session, scope, of, term, today, wished)
    id_ = next((one for one in wished if one in options), options.rows[0].id if options.rows else "")
    built = await _built(session, scope, of, id_, first, today)
    return page.render(
        "timetable/week.html",
        of=of,
        id=id_,
        views=views,
        options=options,
        chosen=options.text(id_),
        grid=built,
        shown=built.shown(asked.day, today),
        first=first,
        last=first + timedelta(days=6),
        week=week,
        today=today,
        now=now,
        base=f"/timetable?of={of}&id={id_}&",
        before=first - timedelta(days=7),
        after=first + timedelta(days=7),
        movable=_movable(scope, built, now),
        move_reasons=MOVE_REASONS,
        may_plan=allows(scope, "lesson.create"),
    )


KINDS = {"school": "schools", "room": "rooms", "teacher": "teachers", "classroom": "classrooms"}


async def _options(
    session: AsyncSession, scope: Scope, of: str, term: str | None, today: date, wished: list[str]
) -> Offer:
    if of == "teacher" and not scope.has(*PLANNERS):  # type: ignore[arg-type]
        return Offer((Choice(scope.person or "", ""),))
    if of == "district":
        return Offer(tuple(Choice(one.id, one.name) for one in await schools.my_districts(session, scope)))
    return await offer(session, scope, KINDS[of], today, wished, term or "" if of == "classroom" else "")


async def _built(session: AsyncSession, scope: Scope, of: str, id_: str, first: date, today: date) -> grid.Grid:
    after = first + timedelta(days=7)
    asked = LessonFilter.model_validate(
        {
            "starts_from": midnight(first),
            "starts_before": midnight(after),
            FILTER[of]: id_,
            "states": tuple(state for state in STATES if state != "cancelled"),
        }
    )
    found, counts = await lesson_store.first_at_each_time(session, scope, asked, A_CELL) if id_ else ([], {})
    # A 停课 is no free period. What was planned anew without a lesson is.
    off = asked.model_copy(update={"states": ("cancelled",)})
    called_off, _ = await lesson_store.first_at_each_time(session, scope, off, A_CELL) if id_ else ([], {})
    called_off = [one for one in called_off if one.cancel_reason != REPLANNED]
    school = await choices.school_of(session, scope, of, id_)
    rung: list[Bell] = []
    if school is not None:
        phase = "junior" if school.phase == "junior" else "primary"
        schedules = (await service.bells_of(session, scope, [school.id]))[school.id, phase]
        schedule = in_force(schedules, first) or USUAL[phase]
        rung = list(schedule.bells)
    days = await store.calendar(session, scope, first, after)
    spans = await store.spans(session, scope, [school.id], first, after) if school else []
    held = await activities.in_week(session, scope, of, id_, midnight(first), midnight(after))
    home = await _ordinary(session, scope, of, id_, first)
    return grid.build(first, today, [*found, *called_off], rung, days, spans, held, counts, home)


async def _ordinary(session: AsyncSession, scope: Scope, of: str, id_: str, first: date) -> list[grid.Ordinary]:
    """What a teacher or a room has at home that week, as far as the asker may see it."""
    kind = {"teacher": "person", "room": "room"}.get(of)
    if kind is None or not id_:
        return []
    wanted = {"person": [], "room": [], "class": [], kind: [id_]}
    entries = await busy.entries(session, SYSTEM, wanted, midnight(first), midnight(first + timedelta(days=7)))
    slots = [slot_of(one.id) or "" for one in entries]
    seen = await ordinary.named(session, scope, set(slots))
    return [
        grid.Ordinary(seen[slot], one.starts_at, one.ends_at)
        for slot, one in zip(slots, entries, strict=True)
        if slot in seen
    ]


STATES = ("planned", "published", "waiting", "live", "closed", "registered", "archived", "disputed", "cancelled")


def _movable(scope: Scope, built: grid.Grid, now: Any) -> set[str]:
    """Lessons the asker may drag: theirs to plan, and still ahead."""
    shown = [lesson for row in built.rows for cell in row.cells for lesson in cell]
    ahead = [one for one in shown if one.state in ("planned", "published") and one.starts_at > now]
    return {one.id for one in ahead if lessons.may(scope, "lesson.create", one)}


def _planner(scope: Scope) -> None:
    if not allows(scope, "lesson.create"):
        raise ForbiddenError


async def _led(session: AsyncSession, scope: Scope, term: str, chosen: str, clock: ClockDep) -> Offer:
    return await offer(session, scope, "classrooms", city_date(clock.now()), [chosen], term)


# --- publishing -------------------------------------------------------------------------------------------------------


@router.get("/timetable/publish")
async def get_publish(
    request: Request,
    page: Html,
    session: Reading,
    scope: SignedIn,
    clock: ClockDep,
    term: Annotated[str, Query(max_length=12)] = "",
    classroom: Annotated[str, Query(max_length=24)] = "",
    done: Annotated[int, Query(ge=0, le=100_000)] = 0,
    gone: Annotated[int, Query(ge=0, le=100_000)] = 0,
    taken: bool = False,
    part: Annotated[int, Query(ge=1, le=1000)] = 1,
    run: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
) -> Response:
    """What publishing would do, before it is done. More classrooms than one transaction carries are shown in parts;
    ``run`` is the same for all of them."""
    _planner(scope)
    terms = await store.terms(session, scope)
    chosen = term or service.current(terms, city_date(clock.now()))
    form = Form()
    asked, part, parts = await _asked(session, scope, chosen, classroom, part)
    doing = publishing.plan(session, scope, chosen, asked, clock.now()) if chosen else None
    plan = await attempt(request, form, doing) if doing else None
    return page.render(
        "timetable/publish.html",
        terms=terms,
        term=chosen,
        classroom=classroom,
        classrooms=await _led(session, scope, chosen, classroom, clock),
        plan=plan,
        form=form,
        done=done,
        gone=gone,
        taken=taken,
        part=part,
        parts=parts,
        run=run or (new_id() if parts > 1 else ""),
    )


async def _asked(
    session: AsyncSession, scope: Scope, term: str, classroom: str, part: int
) -> tuple[list[str], int, int]:
    """Which classrooms a page publishes (none named: all), which part of them that is, and of how many."""
    held = [] if classroom else await publishing.parts(session, scope, term)
    if len(held) < 2:
        return [classroom] if classroom else [], 1, 1
    part = min(part, len(held))
    return held[part - 1], part, len(held)


@router.post("/timetable/publish")
async def post_publish(request: Request, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    _planner(scope)
    values = typed((await request.form()).multi_items())
    term, classroom = str(values.get("term", "")), str(values.get("classroom", ""))
    wanted = str(values.get("part", "1"))
    number = int(wanted) if wanted.isascii() and wanted.isdigit() else 1
    named, part, parts = await _asked(session, scope, term, classroom, max(1, number))
    skip = bool(values.get("without_clashing"))
    run = str(values.get("run", ""))[:24] if parts > 1 else ""
    plan = await publishing.publish(session, scope, term, named, clock.now(), without_clashing=skip, run=run)
    count = len(plan.add) + len(plan.renew) + len(plan.restore)
    chosen = f"&classroom={classroom}" if classroom else ""
    chosen += f"&part={min(part + 1, parts)}&run={quote(run)}" if parts > 1 else ""
    return RedirectResponse(f"/timetable/publish?term={term}{chosen}&done={count}&gone={len(plan.withdraw)}", 303)


# --- start of term ----------------------------------------------------------------------------------------------------


@router.get("/timetable/wizard")
async def get_wizard(
    request: Request,
    page: Html,
    session: Reading,
    scope: SignedIn,
    clock: ClockDep,
    old: Annotated[str, Query(max_length=12)] = "",
    new: Annotated[str, Query(max_length=12)] = "",
    done: Annotated[int, Query(ge=0, le=100_000)] = 0,
    number: ListPage = 1,
) -> Response:
    """开学向导: shows what would be copied and what has lapsed, before anything is."""
    _planner(scope)
    return await _wizard_page(request, page, session, scope, clock, old, new, done, number, Form())


async def _wizard_page(
    request: Request,
    page: Page,
    session: AsyncSession,
    scope: Scope,
    clock: Any,
    old: str,
    new: str,
    done: int,
    number: int,
    form: Form,
) -> Response:
    terms = await store.terms(session, scope)
    draft = None
    some, paging = page_of(await wizard.mine(session, scope, old) if old else [], number, A_PAGE)
    if old and new and not form.bad:
        body, form.wrong = check(WizardBody, {"old": old, "new": new}, page.t)
        doing = wizard.draft(session, scope, body, clock.now(), some) if body else None
        draft = await attempt(request, form, doing) if doing else None
    return page.render(
        "timetable/wizard.html",
        status=422 if form.bad else 200,
        terms=terms,
        old=old,
        new=new,
        draft=draft,
        paging=paging,
        base=base_of({"old": old, "new": new}),
        form=form,
        done=done,
        may_terms=calendar.may_write_city(scope),
    )


@router.post("/timetable/wizard")
async def post_wizard(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, number: ListPage = 1
) -> Response:
    _planner(scope)
    submitted = await request.form(max_fields=MOST_COPIED + 10)
    values = typed(submitted.multi_items())
    chosen = [str(one) for one in submitted.getlist("classrooms")]
    asked = {"old": values.get("old", ""), "new": values.get("new", ""), "classrooms": chosen}
    form = Form(values)
    body, form.wrong = check(WizardBody, {**asked, "promote": bool(values.get("promote"))}, page.t)
    made = await attempt(request, form, wizard.copy(session, scope, body, clock.now())) if body else None
    old, new = str(asked["old"]), str(asked["new"])
    if made is None:
        return await _wizard_page(request, page, session, scope, clock, old, new, 0, number, form)
    base = base_of({"old": old, "new": new, "page": number if number > 1 else ""})
    return RedirectResponse(f"/timetable/wizard{base}done={len(made)}", 303)
