"""A running Tongtang with its demo city, and the people of one lesson: the way an end-to-end test gets to its bell.

``Site`` is `tongtang up`, ``Production`` (production.py) the processes one by one; both are a ``City`` to people.
``Visitor`` is somebody's session over HTTP, as a page has it.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from server.up import environment
from tests.support.processes import PYTHON, ROOT, Tongtang, clean_environment

DEMO_PASSWORD = "tongtang"


class Visitor(httpx2.Client):
    """Keeps cookies, sends Origin and the CSRF token."""

    def __init__(self, url: str) -> None:
        super().__init__(base_url=url, trust_env=False, timeout=30, follow_redirects=False)
        self.origin = url
        self.csrf = ""

    def __enter__(self) -> Visitor:
        """Signed in already: a client that was used may be entered still."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def look(self, path: str) -> str:
        answer = self.get(path)
        answer.raise_for_status()
        found = re.search(r'<meta name="csrf" content="([^"]+)"', answer.text)
        self.csrf = found[1] if found else self.csrf
        return answer.text

    def sign_in(self, login: str, password: str = DEMO_PASSWORD) -> Visitor:
        self.look("/login")
        answer = self.post(
            "/login",
            data={"login": login, "password": password, "csrf": self.csrf},
            headers={"origin": self.origin},
        )
        assert answer.status_code == 303, answer.text[-2000:]
        self.look("/me")
        return self

    def tell(self, path: str, body: Mapping[str, Any], expect: int | None = None) -> Any:
        """POST JSON as a page's script does; the answer's JSON."""
        answer = self.post(path, json=body, headers={"origin": self.origin, "x-csrf": self.csrf})
        assert answer.is_success if expect is None else answer.status_code == expect, f"{path}: {answer.text[:500]}"
        return answer.json() if answer.content else None


@dataclass(frozen=True)
class PlannedLesson:
    id: str
    title: str
    rooms: tuple[str, ...]
    room_names: tuple[str, ...]
    schools: tuple[str, ...]
    starts: datetime
    ends: datetime


class City:
    """A running web with the demo city in it, whatever it runs on."""

    url: str

    def visitor(self, login: str | None = None) -> Visitor:
        visitor = Visitor(self.url)
        return visitor.sign_in(login) if login else visitor

    def plan_lesson(
        self, title: str, starts_in: float, minutes: float, rooms: int = 3, assistant: str | None = None
    ) -> PlannedLesson:
        """A 正式 lesson of the demo teacher; the demo's own next lesson makes room for it. ``assistant``: the login of
        who helps in the first receiving room."""
        with self.visitor("city") as city:
            now = datetime.now(UTC)
            around = {"starts_from": _iso(now - timedelta(hours=1)), "starts_before": _iso(now + timedelta(hours=3))}
            with self.visitor("teacher") as teacher:
                own = teacher.get("/api/v1/lessons", params=around).json()
                me = self._person(teacher)
            with self.visitor(assistant) as other:
                aide = self._person(other) if assistant else None
            model = max(own, key=lambda one: len(one["receipts"]))
            for one in own:
                if one["state"] in ("published", "planned", "waiting") and one["teacher"] == model["teacher"]:
                    city.tell(f"/api/v1/lessons/{one['id']}/cancel", {"reason": "weather"})
            lead = next(r["id"] for r in self._rooms(city, model) if r["name"] == model["lead_room"])
            receipts = model["receipts"][:rooms]
            starts = now + timedelta(seconds=starts_in)
            ends = starts + timedelta(minutes=minutes)
            made = city.tell(
                "/api/v1/lessons",
                {
                    "title": title,
                    "subject": model["subject"],
                    "grade": model["grade"],
                    "lead_room_id": lead,
                    "teacher_id": me,
                    "starts_at": _iso(starts),
                    "ends_at": _iso(ends),
                    "receivers": [
                        {"room_id": one["room"], "assistant_id": None if number else aide}
                        for number, one in enumerate(receipts)
                    ],
                },
            )
        return PlannedLesson(
            made["id"],
            title,
            tuple(one["room"] for one in receipts),
            tuple(one["room_name"] for one in receipts),
            tuple(one["school"] for one in receipts),
            starts,
            ends,
        )

    @staticmethod
    def _person(visitor: Visitor) -> str:
        return str(visitor.get("/api/v1/accounts/me").json()["person"])

    def _rooms(self, city: Visitor, lesson: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Rooms of the lead school."""
        found = city.get("/api/v1/schools", params={"q": lesson["school"]}).json()["items"]
        school = next(one["id"] for one in found if one["name"] == lesson["school"])
        rooms: list[dict[str, Any]] = city.get(f"/api/v1/schools/{school}/rooms").json()
        return rooms

    def bind(self, code: str, room: str) -> None:
        """What a school's administrator does with the code on a new screen."""
        with self.visitor("city") as city:
            city.tell("/api/v1/devices/bind", {"code": code, "room": room})


class Site(City, Tongtang):
    """`tongtang up` with the demo city, on a data folder of its own."""

    def __init__(self, data: Path, *, env: Mapping[str, str] | None = None, nodes: int = 1, tls: bool = False) -> None:
        furnish(data)
        Tongtang.__init__(self, data, env=env, nodes=nodes, tls=tls)
        try:
            self.ready()
        except BaseException:  # left running it would take its share of every later test
            self.stop()
            raise


def furnish(data: Path) -> None:
    """Puts a demo city there that was made once for the whole run (tests/run.sh): making one takes a core for half a
    minute. Without ``TESTS_CITY`` the site makes its own."""
    if not (held := os.environ.get("TESTS_CITY")):
        return
    city, making = Path(held) / "city", Path(held) / "making"
    with (Path(held) / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not city.exists():
            shutil.rmtree(making, ignore_errors=True)
            env = environment(clean_environment(), 8000, making)
            for word in ("migrate", "demo"):
                subprocess.run([PYTHON, "-m", "server.cli", word], cwd=ROOT, env=env, check=True, capture_output=True)
            making.rename(city)
    shutil.copytree(city, data, dirs_exist_ok=True)


def _iso(moment: datetime) -> str:
    return moment.isoformat()


def until(moment: datetime) -> float:
    """Seconds from now, none when it is past."""
    return max(0.0, moment.timestamp() - time.time())
