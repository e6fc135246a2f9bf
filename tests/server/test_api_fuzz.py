"""schemathesis over the whole API, signed in as several posts: whatever is sent, nothing answers with a bug of ours.

Requests are made from our own OpenAPI description, right ones and wrong ones; ids in paths are those of real rows half
of the time. ``API_FUZZ=200`` sends so many a route instead of a handful.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from limits import parse
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from server import rates
from tests.server.test_rights import City, city
from tests.support.web import Browser, Web

__all__ = ["city"]  # a fixture: rows of every kind

EXAMPLES = int(os.environ.get("API_FUZZ", "4"))
POSTS = ("city_admin", "school_admin", "teacher", "evaluator")
ELSEWHERE = ("/internal/", "/metrics")
"""Doors of our own machines, behind a secret of theirs: tests/fuzz bends what comes through those."""
KEPT_FROM_URLS = dict.fromkeys(range(32)) | {ord(mark): f"%{ord(mark):02X}" for mark in "/?#%"}


@dataclass
class Crowd:
    """Who sends, in turn; an account whose session a request ended comes in again."""

    web: Web
    ids: dict[str, str]
    sent: int = 0
    bugs: set[str] = field(default_factory=set)
    browsers: dict[str, Browser] = field(default_factory=dict)

    async def send(self, case: Any, real: bool) -> None:
        post = POSTS[self.sent % len(POSTS)]
        self.sent += 1
        if post not in self.browsers:
            self.browsers[post] = await self.web.sign_in_id(self.ids[post])
        body: dict[str, Any] = {"json": case.body}
        if isinstance(case.body, schemathesis.core.NotSet):
            body = {}
        elif isinstance(case.body, bytes):
            body = {"content": case.body}
        query = {str(name): str(value) for name, value in (case.query or {}).items()}
        try:
            answer = await self.browsers[post].request(case.method, self.address(case, real), params=query, **body)
            bug = "" if answer.status_code < 500 or answer.status_code == 503 else str(answer.status_code)
            if answer.status_code == 401:
                del self.browsers[post]
        except Exception as error:  # in the process, what a server would answer with 500
            bug = repr(error)
        if bug:
            told = f"{case.method} {case.operation.path} by {post}: {bug} {case.path_parameters} {query} {case.body!r}"
            self.bugs.add(told[:800])

    def address(self, case: Any, real: bool) -> str:
        """``real``: of rows that are there, where there is one of that name."""
        path: str = case.operation.path
        for name, value in (case.path_parameters or {}).items():
            told = self.ids.get(name, value) if real else value
            path = path.replace(f"{{{name}}}", str(told).translate(KEPT_FROM_URLS) or "-")
        return path


def asking(operation: Any, send: Callable[[Any, bool], None]) -> Callable[[], None]:
    """Sends a handful of right and of wrong requests for one operation."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=EXAMPLES < 50,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of([operation.as_strategy(generation_mode=mode) for mode in GenerationMode]), real=st.booleans())
    def ask(case: Any, real: bool) -> None:
        send(case, real)

    return ask


@pytest.mark.slow
async def test_nothing_that_is_sent_to_the_api_is_a_bug(
    web: Web,
    city: City,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("session", "address"):
        monkeypatch.setitem(rates.LIMITS, name, parse("1000000/minute"))
    posts = {post: (await web.person(post)).id for post in POSTS}
    crowd = Crowd(web, city.ids | posts)
    loop = asyncio.get_running_loop()

    def send(case: Any, real: bool) -> None:
        asyncio.run_coroutine_threadsafe(crowd.send(case, real), loop).result(60)

    found = list(schemathesis.openapi.from_dict(web.app.openapi()).get_all_operations())
    operations = [one.ok() for one in found if isinstance(one, Ok)]
    assert len(operations) == len(found), "what is described wrongly"
    asked = [operation for operation in operations if not operation.path.startswith(ELSEWHERE)]
    assert len(asked) > 100, "the whole API"
    for operation in asked:
        await asyncio.to_thread(asking(operation, send))
    assert crowd.sent >= len(asked)
    assert not crowd.bugs, "\n".join(sorted(crowd.bugs))
