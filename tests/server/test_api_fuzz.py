"""schemathesis over the whole API, signed in as several posts: whatever is sent, nothing answers with a bug of ours.

Requests are made from our own OpenAPI description, right ones and wrong ones; ids in paths are those of real rows half
of the time. ``API_FUZZ=200`` sends so many a route instead of a handful.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from itertools import cycle
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits import parse
from schemathesis import GenerationMode

from server import rates
from tests.server.test_rights import City, city  # noqa: F401  # a fixture: rows of every kind
from tests.support.web import Browser, Web

EXAMPLES = int(os.environ.get("API_FUZZ", "5"))
POSTS = ("city_admin", "school_admin", "teacher", "evaluator")
CONTROL = {code: None for code in range(32) if code not in (9,)}
LEAVES_OUT = ("/internal/", "/metrics")
"""Doors of our own machines, behind a secret of theirs: tests/fuzz bends what comes through those."""


async def people(web: Web, held: City) -> list[Browser]:
    """Signed in anew for each route: some of them end sessions."""
    found = []
    for post, person in held.ids.items():
        if post in POSTS:
            found.append(await web.sign_in_id(person))
    return found


def address(case: Any, known: dict[str, str], real: bool) -> str:
    """The path with its parameters; ``real``: of rows that are there, where one of that name is."""
    given_ = {
        name: known.get(name, value) if real else value for name, value in (case.path_parameters or {}).items()
    }
    path: str = case.operation.path
    for name, value in given_.items():
        path = path.replace(f"{{{name}}}", str(value).replace("/", "%2F").replace("?", "%3F").replace("#", "%23"))
    return path.translate(CONTROL)


async def send(browser: Browser, case: Any, path: str) -> int:
    body = case.body if case.body is not schemathesis.core.NOT_SET else None
    more: dict[str, Any] = {}
    if isinstance(body, bytes):
        more["content"] = body
    elif body is not None:
        more["json"] = body
    query = {str(name): str(value) for name, value in (case.query or {}).items()}
    answer = await browser.request(case.method, path, params=query, **more)
    return answer.status_code


@pytest.mark.slow
async def test_nothing_that_is_sent_to_the_api_is_a_bug(
    web: Web, city: City, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    monkeypatch.setitem(rates.LIMITS, "session", parse("1000000/minute"))
    monkeypatch.setitem(rates.LIMITS, "address", parse("1000000/minute"))
    for post in POSTS:
        city.ids[post] = (await web.person(post, of_school=None)).id
    loop = asyncio.get_running_loop()
    bugs, sent = await asyncio.to_thread(_walk, web, city, loop)
    assert sent > 100, "every route was asked"
    assert not bugs, "\n".join(sorted(bugs))


def _walk(web: Web, city: City, loop: asyncio.AbstractEventLoop) -> tuple[set[str], int]:  # noqa: F811
    def wait(what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, loop).result(60)

    schema = schemathesis.openapi.from_dict(web.app.openapi())
    bugs: set[str] = set()
    sent = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path.startswith(LEAVES_OUT):
            continue
        turn = cycle(wait(people(web, city)))
        strategies = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=EXAMPLES < 50,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(strategies), real=st.booleans())
        def ask(case: Any, real: bool, turn: Any = turn) -> None:
            nonlocal sent
            path = address(case, city.ids, real)
            status = wait(send(next(turn), case, path))
            sent += 1
            if status >= 500 and status != 503:
                bugs.add(f"{case.method} {case.operation.path}: {status} {path} {case.query} {case.body!r}"[:600])

        ask()
    return bugs, sent
