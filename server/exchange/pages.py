"""Pages: files in and out, one file's check with each problem by row and cell, the word to write it."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.background import BackgroundTask

from server.audit.service import looked
from server.dependencies import ClockDep, Html, Objects, Reading, SignedIn, Writing
from server.errors import ForbiddenError, InvalidError, TongtangError, TooLargeError
from server.exchange import out, service, store, workbook
from server.exchange.models import Upload
from server.exchange.progress import percent
from server.failures import sentence
from server.schools.schemas import Id
from server.scope import Scope
from server.templating import Page

router = APIRouter(include_in_schema=False)

LIST = "/admin/exchange"
KEPT = 20
KindName = Annotated[str, Field(pattern="^[a-z]{1,16}$")]
ENDED = frozenset({"done", "dropped", "failed", "wrong", "ready"})


async def _list(page: Page, session: AsyncSession, scope: Scope, message: str = "", status: int = 200) -> Response:
    kinds = service.kinds_for(scope)
    if not kinds:
        raise ForbiddenError
    return page.render(
        "admin/exchange.html",
        status=status,
        kinds=kinds,
        uploads=await store.uploads(session, scope, KEPT),
        message=message,
        most_mb=workbook.MOST_BYTES // 1_000_000,
        most_rows=workbook.MOST_ROWS,
    )


@router.get(LIST)
async def get_list(page: Html, session: Reading, scope: SignedIn) -> Response:
    return await _list(page, session, scope)


def _file(name: str, data: bytes, media_type: str = workbook.MEDIA_TYPE) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"  # RFC 6266, section 4.3
    return Response(data, media_type=media_type, headers={"content-disposition": disposition})


@router.get(LIST + "/template/{kind}.xlsx")
async def get_template(page: Html, scope: SignedIn, kind: KindName) -> Response:
    data = await out.template(scope, kind, page.t)
    return _file(f"{page.t(f'exchange.kind.{kind}')}-{page.t('exchange.template')}.xlsx", data)


@router.get(LIST + "/export/{kind}.xlsx")
async def get_export(
    request: Request, page: Html, session: Reading, scope: SignedIn, clock: ClockDep, kind: KindName
) -> Response:
    made = await out.export(session, scope, kind, clock.now(), page.t)
    await looked(request, "export", kind, told={"rows": made.rows})
    return _file(f"{page.t(f'exchange.kind.{kind}')}.{made.ending}", made.data, made.media_type)


@router.post(LIST)
async def post_file(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, objects: Objects
) -> Response:
    await request.app.state.rates.hit("upload", scope.person or "-")
    if not service.kinds_for(scope):
        raise ForbiddenError
    async with request.form(max_files=1) as form:
        kind, file = str(form.get("kind", "")), form.get("file")
        try:
            row = await _taken(session, scope, objects, kind, file, clock)
        except (InvalidError, TooLargeError) as error:
            return await _list(page, session, scope, sentence(request, error), error.status)
    return _on_its_way(request, row.id)


def _on_its_way(request: Request, upload_id: str) -> Response:
    """The worker is woken after the answer, when the row is on disk."""
    wake = BackgroundTask(request.app.state.jobs.wake, "exchange")
    return RedirectResponse(f"{LIST}/{upload_id}", 303, background=wake)


async def _taken(
    session: AsyncSession, scope: Scope, objects: Objects, kind: str, file: Any, clock: ClockDep
) -> Upload:
    if not hasattr(file, "read") or not getattr(file, "filename", ""):
        raise InvalidError("workbook_none")
    data = await file.read(workbook.MOST_BYTES + 1)
    return await service.take(session, scope, objects, kind, str(file.filename), data, clock.now())


@router.get(LIST + "/{upload_id}")
async def get_upload(page: Html, session: Reading, scope: SignedIn, objects: Objects, upload_id: Id) -> Response:
    row = await service.get(session, scope, upload_id)
    return _upload(page, row, await percent(objects, row.id) if row.state == "writing" else 0)


def _upload(page: Page, row: Upload, written: int) -> Response:
    problems = [
        {**one, "said": service.sentence(one, page.t), "title": _title(page, one["column"])} for one in row.problems
    ]
    return page.render(
        "admin/upload.html",
        upload=row,
        written=written,
        problems=problems,
        moving=row.state not in ENDED,
    )


def _title(page: Page, column: str) -> str:
    return page.t(f"exchange.column.{column}") if column else ""


@router.post(LIST + "/{upload_id}/accept")
async def post_accept(request: Request, page: Html, session: Writing, scope: SignedIn, upload_id: Id) -> Response:
    try:
        await service.accept(session, scope, upload_id)
    except TongtangError as error:
        if error.key != "upload_state":
            raise
    return _on_its_way(request, upload_id)


@router.post(LIST + "/{upload_id}/drop")
async def post_drop(session: Writing, scope: SignedIn, objects: Objects, clock: ClockDep, upload_id: Id) -> Response:
    await service.drop(session, scope, objects, upload_id, clock.now())
    return RedirectResponse(LIST, 303)
