"""Pages of people administration. Rule: a one-time password is shown on the answer that made it, and never again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.admin import service, store
from server.accounts.admin.routes import Reader, Wanted
from server.accounts.admin.schemas import PersonCreate, PersonEdit, PostBody, PostEnd
from server.accounts.models import Person
from server.audit.service import looked_at_people
from server.choices.service import offer
from server.classrooms.schemas import SUBJECTS
from server.clock import city_date
from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.forms import Form, attempt, carried_out, submitted
from server.lessons import service as lessons
from server.paging import PAGE_ROWS, ListPage, base_of
from server.schools import store as schools
from server.schools.schemas import Id
from server.scope import Scope, allows
from server.templating import Page, formats
from server.timetable.lessons_made import midnight

router = APIRouter(include_in_schema=False)

LIST = "/admin/people"
DONE = ("saved", "disabled", "enabled", "post", "ended")


@router.get(LIST)
async def get_list(
    request: Request, page: Html, session: Reading, scope: Reader, clock: ClockDep, wanted: Wanted, number: ListPage = 1
) -> Response:
    today = city_date(clock.now())
    rows, paging = await store.list_people(session, scope, wanted, today, number, PAGE_ROWS)
    await looked_at_people(request, rows)
    filters = asdict(wanted)
    return page.render(
        "admin/people.html",
        rows=rows,
        places=await store.schools_of(session, scope, sorted({p.school_id for p in rows if p.school_id})),
        paging=paging,
        wanted=wanted,
        today=today,
        posts=service.GIVES["city_admin"],
        districts=await schools.my_districts(session, scope),
        base=base_of(filters),
        sort_base=base_of(filters, "sort"),
        may_create=allows(scope, "person.write"),
    )


# --- create -----------------------------------------------------------------------------------------------------------


async def _form_page(page: Page, session: AsyncSession, scope: Scope, form: Form, today: date) -> Response:
    if not allows(scope, "person.write"):
        raise ForbiddenError
    return page.render(
        "admin/person_form.html",
        status=422 if form.bad else 200,
        form=form,
        subjects=SUBJECTS,
        posts=service.posts_offered(scope),
        schools=await offer(session, scope, "schools", today, [form.value("school_id")]),
        districts=await schools.my_districts(session, scope),
    )


@router.get(LIST + "/new")
async def get_new(
    page: Html, session: Reading, scope: Reader, clock: ClockDep, school: Annotated[str, Query(max_length=24)] = ""
) -> Response:
    form = Form({"school_id": school or scope.school, "post": "teacher"})
    return await _form_page(page, session, scope, form, city_date(clock.now()))


@router.post(LIST + "/new")
async def post_new(request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    form, body = await submitted(request, PersonCreate, page.t)
    passwords = request.app.state.passwords
    made = await attempt(request, form, service.create(session, scope, body, passwords, clock.now())) if body else None
    if made is None:
        return await _form_page(page, session, scope, form, city_date(clock.now()))
    return page.render("admin/password.html", person=made[0], password=made[1], fresh=True)


# --- one person -------------------------------------------------------------------------------------------------------


async def _person_page(
    page: Page,
    session: AsyncSession,
    scope: Scope,
    person: Person,
    now: datetime,
    forms: dict[str, Form],
    done: str = "",
) -> Response:
    today = city_date(now)
    edit = {name: getattr(person, name) for name in PersonEdit.model_fields}
    chosen = [form.value("school_id") for form in forms.values()]
    last = service.stands_until(person, today)
    ids = {person.school_id, *(post.school_id for post in person.posts)} - {None}
    return page.render(
        "admin/person.html",
        status=422 if any(form.bad for form in forms.values()) else 200,
        person=person,
        today=today,
        places=await store.schools_of(session, scope, sorted(filter(None, ids))),
        districts={d.id: d for d in await schools.districts(session, scope)},
        studios=await store.studios_of(session, scope, [one.studio_id for one in person.posts if one.studio_id]),
        subjects=SUBJECTS,
        posts=service.posts_offered(scope),
        schools=await offer(session, scope, "schools", today, [person.school_id, *chosen]),
        my_districts=await schools.my_districts(session, scope),
        may_write=await service.may_manage(session, scope, person, today),
        is_me=person.id == scope.person,
        ahead=await _standing(page, session, scope, person, now),
        uncovered=await _standing(page, session, scope, person, max(now, midnight(last)) if last else None),
        forms={"edit": Form(edit), "post": Form({"starts_on": today.isoformat()}), **forms},
        done=done if done in DONE else "",
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """Lessons ahead in which somebody still stands: how many, the first in words, and the day of the very first."""

    count: int = 0
    named: str = ""
    day: str = ""


async def _standing(
    page: Page, session: AsyncSession, scope: Scope, person: Person, since: datetime | None
) -> Standing:
    count, first = await lessons.standing_of(session, scope, person.id, since) if since else (0, [])
    when = formats(page.locale)["datetime"]
    named = page.t("common.list_mark").join(f"{when(one.starts_at)} {one.title}" for one in first)
    return Standing(count, named, str(city_date(first[0].starts_at)) if first else "")


@router.get(LIST + "/{person_id}")
async def get_person(
    request: Request,
    page: Html,
    session: Reading,
    scope: Reader,
    clock: ClockDep,
    person_id: Id,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    person = await service.get(session, scope, person_id)
    await looked_at_people(request, [person])
    return await _person_page(page, session, scope, person, clock.now(), {}, done)


@router.post(LIST + "/{person_id}/edit")
async def post_edit(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, person_id: Id
) -> Response:
    person = await service.managed(session, scope, person_id, clock.now())
    form = await carried_out(
        request, PersonEdit, page.t, lambda body: service.edit(session, scope, person_id, body, clock.now())
    )
    if form.bad:
        return await _person_page(page, session, scope, person, clock.now(), {"edit": form})
    return RedirectResponse(f"{LIST}/{person_id}?done=saved", 303)


@router.post(LIST + "/{person_id}/password")
async def post_password(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, person_id: Id
) -> Response:
    passwords = request.app.state.passwords
    person, password = await service.reset_password(session, scope, person_id, passwords, clock.now())
    return page.render("admin/password.html", person=person, password=password, fresh=False)


@router.post(LIST + "/{person_id}/disable")
async def post_disable(session: Writing, scope: SignedIn, clock: ClockDep, person_id: Id) -> Response:
    await service.disable(session, scope, person_id, clock.now())
    return RedirectResponse(f"{LIST}/{person_id}?done=disabled", 303)


@router.post(LIST + "/{person_id}/enable")
async def post_enable(session: Writing, scope: SignedIn, clock: ClockDep, person_id: Id) -> Response:
    await service.enable(session, scope, person_id, clock.now())
    return RedirectResponse(f"{LIST}/{person_id}?done=enabled", 303)


@router.post(LIST + "/{person_id}/posts")
async def post_post(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, person_id: Id
) -> Response:
    person = await service.managed(session, scope, person_id, clock.now())
    form = await carried_out(
        request, PostBody, page.t, lambda body: service.give_post(session, scope, person_id, body, clock.now())
    )
    if form.bad:
        return await _person_page(page, session, scope, person, clock.now(), {"post": form})
    return RedirectResponse(f"{LIST}/{person_id}?done=post", 303)


@router.post(LIST + "/{person_id}/posts/{post_id}/end")
async def post_end(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, person_id: Id, post_id: Id
) -> Response:
    person = await service.managed(session, scope, person_id, clock.now())
    form = await carried_out(
        request,
        PostEnd,
        page.t,
        lambda body: service.end_post(session, scope, person_id, post_id, body.ends_on, clock.now()),
    )
    if form.bad:
        return await _person_page(page, session, scope, person, clock.now(), {"post": form})
    return RedirectResponse(f"{LIST}/{person_id}?done=ended", 303)
