"""Page: a school's ordinary timetable (本校课表) by class, teacher or room; one hour is put, changed, taken away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.choices.service import offer
from server.clock import city_date
from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.forms import Form, attempt, check, typed
from server.ordinary import beside, service, store, words
from server.ordinary.models import OrdinarySlot
from server.ordinary.routes import Reader
from server.ordinary.schemas import SUBJECTS, HourBody, HourCreate
from server.ordinary.week import week
from server.schools import store as schools
from server.schools.models import School
from server.schools.schemas import Id
from server.scope import Scope
from server.templating import Page
from server.timetable import service as timetable
from server.timetable import store as terms
from server.timetable.bells import MOST_BELLS, Bell, in_force
from server.timetable.models import Term

router = APIRouter(include_in_schema=False)

PAGE = "/timetable/ordinary"
VIEWS = ("class", "person", "room")
FIELDS = {"class": "class_id", "person": "teacher_id", "room": "room_id"}
DONE = ("saved", "dropped")
MOST_BESIDE = 50
"""Collisions that a page shows; the school mends the first ones first."""


@dataclass(frozen=True, slots=True)
class Asked:
    term: str
    school: str
    of: str
    id: str


def asked(
    term: Annotated[str, Query(pattern="^[0-9-]{0,12}$")] = "",
    school: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
    of: Literal["", "class", "person", "room"] = "",
    id: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
) -> Asked:
    return Asked(term, school, of, id)


@router.get(PAGE)
async def get_page(
    page: Html,
    session: Reading,
    scope: Reader,
    clock: ClockDep,
    asked: Annotated[Asked, Depends(asked)],
    edit: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
    weekday: Annotated[int | None, Query(ge=1, le=7)] = None,
    period: Annotated[int | None, Query(ge=1, le=MOST_BELLS)] = None,
    done: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """``edit``: the hour in the form; ``weekday`` and ``period``: the empty cell that was pressed."""
    row = await service.get(session, scope, edit) if edit else None
    form = Form(flat(row)) if row else Form({"weekday": weekday, "period": period})
    if row is not None:
        of = asked.of or next(iter(words.names(row)))
        asked = Asked(row.term, row.school_id, of, getattr(row, FIELDS[of]) or "")
    return await _page(page, session, scope, clock, asked, form, row, done)


def flat(row: OrdinarySlot) -> dict[str, Any]:
    names = ("weekday", "period", "weeks", "subject", "class_id", "teacher_id", "room_id")
    times = {"own_time": "1", "starts": f"{row.starts:%H:%M}", "minutes": row.minutes}
    return {name: getattr(row, name) for name in names} | ({} if row.follows_bell else times)


@dataclass(frozen=True, slots=True)
class Held:
    """What there is to choose from at a school."""

    classes: list[store.Choice]
    people: list[store.Choice]
    rooms: list[store.Choice]

    def of(self, view: str) -> list[store.Choice]:
        return {"class": self.classes, "person": self.people, "room": self.rooms}[view]


async def _page(
    page: Page,
    session: AsyncSession,
    scope: Scope,
    clock: ClockDep,
    asked: Asked,
    form: Form,
    row: OrdinarySlot | None = None,
    done: str = "",
) -> Response:
    today = city_date(clock.now())
    held_terms = await terms.terms(session, scope)
    term = next((one for one in held_terms if one.id == asked.term), None)
    term = term or next((one for one in held_terms if one.id == timetable.current(held_terms, today)), None)
    options = await offer(session, scope, "schools", today, [asked.school, scope.school])
    wished = (asked.school, scope.school, options.rows[0].id if options.rows else "")
    school_id = next((one for one in wished if one and one in options), "")
    school = await schools.school(session, scope, school_id) if school_id else None
    whole = school is not None and service.may_read_all(scope, school)
    held = await _held(session, scope, school if whole else None, today)
    of = asked.of if asked.of in VIEWS and whole else "class" if whole and held.classes else "person"
    ids = [one for one, _ in held.of(of)]
    id_ = asked.id if asked.id in ids else next(iter(ids), "")
    if not whole:
        id_ = scope.person or ""
    if row is None and not form.bad:
        form.values.setdefault(FIELDS[of], id_)
    wanted = store.SlotFilter(term.id if term else "", school_id if whole else "", of, id_)
    hours = await store.week(session, scope, wanted) if term and id_ else []
    may_write = school is not None and service.may_write(scope, school)
    over = await beside.of_school(session, scope, term.id, school.id) if term and school and whole else []
    query = {"term": term.id if term else "", "school": school_id, "of": of, "id": id_}
    return page.render(
        "timetable/ordinary.html",
        status=422 if form.bad else 200,
        terms=held_terms,
        term=term,
        options=options,
        school=school,
        whole=whole,
        views=VIEWS,
        of=of,
        id=id_,
        held=held,
        chosen=next((name for one, name in held.of(of) if one == id_), ""),
        week=week(hours, await _bells(session, scope, school, hours, term, today)),
        base=f"{PAGE}?{urlencode(query)}",
        names=words.names,
        over=over[:MOST_BESIDE],
        over_count=len(over),
        subjects=SUBJECTS,
        periods=range(1, MOST_BELLS + 1),
        may_write=may_write and whole,
        form=form,
        row=row,
        done=done if done in DONE else "",
    )


async def _held(session: AsyncSession, scope: Scope, school: School | None, today: date) -> Held:
    if school is None:
        return Held([], [], [])
    return Held(
        await store.classes_of(session, scope, school.id),
        await store.staff_of(session, scope, school.id, service.STAFF, today),
        await store.rooms_of(session, scope, school.id),
    )


async def _bells(
    session: AsyncSession,
    scope: Scope,
    school: School | None,
    hours: list[OrdinarySlot],
    term: Term | None,
    today: date,
) -> list[Bell]:
    """Of the season of today, or of the term's nearest day."""
    if school is None or term is None:
        return []
    phase = service.phase_of(school, next((one.school_class for one in hours if one.school_class), None))
    schedules = (await timetable.bells_of(session, scope, [school.id]))[school.id, phase]
    schedule = in_force(schedules, min(max(today, term.starts_on), term.ends_on))
    return list(schedule.bells) if schedule else []


# --- writing ----------------------------------------------------------------------------------------------------------


async def _sent(request: Request) -> tuple[Form, Asked, dict[str, Any]]:
    """What the form says: without a time of its own an hour rings with the bell."""
    form = Form(typed((await request.form()).multi_items()))
    view = Asked(*(str(form.value(name)) for name in ("term", "school", "of", "view_id")))
    names = ("term", "weekday", "period", "weeks", "subject", *FIELDS.values())
    body = {name: form.values[name] for name in names if name in form.values}
    own = bool(form.value("own_time"))
    times: dict[str, Any] = {name: form.values[name] for name in ("starts", "minutes") if own and name in form.values}
    return form, view, {**body, **times, "follows_bell": not own}


def _back(view: Asked, done: str) -> Response:
    query = {"term": view.term, "school": view.school, "of": view.of, "id": view.id, "done": done}
    return RedirectResponse(f"{PAGE}?{urlencode(query)}", 303)


@router.post(PAGE)
async def post_hour(request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    form, view, values = await _sent(request)
    await service.school_for(session, scope, view.school)
    body, form.wrong = check(HourCreate, {**values, "school_id": view.school}, page.t)
    made = await attempt(request, form, service.create(session, scope, body, clock.now())) if body else None
    if made is None:
        return await _page(page, session, scope, clock, view, form)
    return _back(view, "saved")


@router.post(PAGE + "/{slot_id}")
async def post_edit(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, slot_id: Id
) -> Response:
    form, view, values = await _sent(request)
    row = await service.get(session, scope, slot_id)
    await service.school_for(session, scope, row.school_id)
    body, form.wrong = check(HourBody, values, page.t)
    made = await attempt(request, form, service.edit(session, scope, slot_id, body, clock.now())) if body else None
    if made is None:
        return await _page(page, session, scope, clock, view, form, row)
    return _back(view, "saved")


@router.post(PAGE + "/{slot_id}/delete")
async def post_drop(request: Request, session: Writing, scope: SignedIn, slot_id: Id) -> Response:
    _, view, _ = await _sent(request)
    row = await service.drop(session, scope, slot_id)
    return _back(Asked(row.term, row.school_id, view.of, view.id), "dropped")
