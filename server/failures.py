"""Every error as an answer in the asker's language: JSON for scripts, a page for people. The one place that does it."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from jinja2 import TemplateNotFound
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from server.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    PasswordGivenError,
    SignInNeededError,
    TongtangError,
    TooLargeError,
    UnavailableError,
)
from server.templating import Page, texts
from signaling.ports import ObjectMissingError, ObjectStoreError

log = logging.getLogger("tongtang.web")

_BY_STATUS = {400: "bad_request", 404: "not_found", 405: "method", 413: "too_large", 415: "media_type"}


class _HttpError(TongtangError):
    def __init__(self, status: int) -> None:
        super().__init__(_BY_STATUS.get(status, "bad_request"))
        self.status = status


class _BugError(TongtangError):
    status = 500
    key = "bug"


def as_ours(request: Request, error: Exception) -> TongtangError:
    """Which of our errors this exception means to the asker."""
    if isinstance(error, TongtangError):
        return error
    if getattr(request.state, "too_large", False):
        return TooLargeError()
    if isinstance(error, HTTPException):
        return _HttpError(error.status_code)
    if isinstance(error, RequestValidationError):
        fields = sorted({".".join(str(part) for part in entry["loc"][1:]) for entry in error.errors()} - {""})
        return InvalidError(field=", ".join(fields) or "-") if fields else _HttpError(400)
    if isinstance(error, ObjectMissingError):
        return NotFoundError()
    if isinstance(error, (OperationalError, InterfaceError, PoolTimeoutError, ObjectStoreError)):
        log.warning("unavailable: %s", error)
        return UnavailableError()
    if isinstance(error, IntegrityError):  # two people at once: the services' own checks caught everything else
        log.warning("conflict: %s", error.orig)
        return ConflictError()
    if isinstance(error, DataError):  # text that PostgreSQL cannot hold (U+0000), a number no column holds
        return _HttpError(400)
    log.error("bug at %s %s", request.method, request.url.path, exc_info=error)
    return _BugError()


def wants_page(request: Request) -> bool:
    path = request.url.path
    return "text/html" in request.headers.get("accept", "") and not path.startswith(("/api/", "/internal/"))


def sentence(request: Request, error: TongtangError) -> str:
    t = texts(getattr(request.state, "locale", "zh-CN"))
    try:
        return t.filled(f"errors.{error.key}", **error.params)
    except (KeyError, IndexError):
        return t(f"errors.{error.key}")


def respond(request: Request, raised: Exception) -> Response:
    error = as_ours(request, raised)
    headers = {"retry-after": str(error.params.get("seconds", 10))} if error.status in (429, 503) else {}
    if not wants_page(request):
        body = {"key": error.key, "message": sentence(request, error), "params": error.params}
        return JSONResponse({"error": body}, error.status, headers)
    if isinstance(error, SignInNeededError) and request.method == "GET":
        return RedirectResponse(f"/login?next={quote(_here(request), safe='')}", 303)
    if isinstance(error, PasswordGivenError) and request.method == "GET":
        return RedirectResponse("/me?done=first", 303)
    return _page(request, error, headers)


def _here(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _page(request: Request, error: TongtangError, headers: dict[str, str]) -> Response:
    message = sentence(request, error)
    context: dict[str, Any] = {"status": error.status, "key": error.key, "message": message}
    try:
        # A part of the page frame must not fail again: the scope may be unknown when the database is down.
        response = Page(request).render("errors/error.html", **context)
    except (TemplateNotFound, AttributeError):
        response = HTMLResponse(f"<!doctype html><meta charset=utf-8><title>{error.status}</title><p>{message}</p>")
    response.status_code = error.status
    response.headers.update(headers)
    return response
