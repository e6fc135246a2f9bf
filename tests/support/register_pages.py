"""The register's pages and calls as people of a full municipality ask for them, and what each costs by itself.

``anatomy``: in one process, one asker at a time: statements, CPU and time a request. ``Load``: over HTTP from many
clients at once, each a person who asks for the next thing as soon as they have the last.
"""

from __future__ import annotations

import asyncio
import gc
import random
import re
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import event

from server.accounts import service as accounts
from server.app import create_app
from server.config import WebSettings
from server.database import Database
from server.ids import new_id
from server.scope import SYSTEM
from server.timetable import occupancy
from server.timetable.conflicts import entry
from tests.support.municipality import NEXT_TERM, TERM, Known
from tests.support.web import ORIGIN, Browser


@dataclass(frozen=True)
class Asked:
    name: str
    who: str
    path: str


def asked(known: Known) -> list[Asked]:
    """Everything that a register of this size could make slow."""
    city, district, school = "city_admin", "district_admin", "school_admin"
    day = known.today.isoformat()
    after = (known.today + timedelta(days=7)).isoformat()
    span = f"starts_from={day}T00:00:00%2B08:00&starts_before={after}T00:00:00%2B08:00"
    return [
        Asked("front page", "lead", "/"),
        Asked("desk", "lead", "/desk"),
        Asked("lesson", "lead", f"/lessons/{known.lesson}"),
        Asked("overview, city", city, "/admin"),
        Asked("overview, district", district, "/admin"),
        Asked("overview, school", school, "/admin"),
        Asked("schools by pupils", city, "/admin/schools?sort=-pupils"),
        Asked("schools unpaired", district, "/admin/schools?mark=unpaired"),
        Asked("school", city, f"/admin/schools/{known.village}"),
        Asked("people", city, "/admin/people"),
        Asked("people found", city, "/admin/people?q=%E7%8E%8B&post=teacher"),
        Asked("people, district", district, "/admin/people?sort=school"),
        Asked("person, new", city, "/admin/people/new"),
        Asked("person", city, f"/admin/people/{known.person}"),
        Asked("classes", city, "/admin/classes"),
        Asked("gaps", city, "/admin/gaps"),
        Asked("classrooms", city, "/admin/classrooms"),
        Asked("classrooms found", district, "/admin/classrooms?q=%E5%AE%9D%E5%9D%BB"),
        Asked("classroom, edit", city, f"/admin/classrooms/{known.classroom}/edit"),
        Asked("lessons of a day", city, "/admin/lessons"),
        Asked("lessons of a week, found", district, "/admin/lessons?span=week&q=%E7%8E%8B"),
        Asked("lesson, new", city, "/admin/lessons/new"),
        Asked("week of a district", district, f"/timetable?of=district&id=120101&day={day}"),
        Asked("week of a school", school, f"/timetable?of=school&id={known.school}&day={day}"),
        Asked("week of a room", city, f"/timetable?of=room&id={known.room}&day={day}"),
        Asked("slot finder", city, f"/timetable/find?term={TERM}&classroom_id={known.classroom}"),
        Asked("publishing", city, f"/timetable/publish?term={TERM}&classroom={known.classroom}"),
        Asked("school timetable", city, "/timetable/ordinary"),
        Asked("live wall", city, "/admin/live"),
        Asked("lights, city", city, "/admin/lights"),
        Asked("lights, district", district, "/admin/lights"),
        Asked("lines of schools", district, "/admin/lights/lines"),
        Asked("wizard", city, f"/timetable/wizard?old={TERM}&new={NEXT_TERM}"),
        Asked("calendar", city, "/timetable/calendar"),
        Asked("orders", city, "/timetable/orders"),
        Asked("demands", "village_admin", "/demands"),
        Asked("audit", district, "/admin/audit"),
        Asked("indicators", city, "/indicators"),
        Asked("replays", "lead", "/replays"),
        Asked("invitations", "village_admin", "/invitations"),
        Asked("missing sign-ins", school, "/mends"),
        Asked("notices", "lead", "/notices"),
        Asked("API lessons", district, f"/api/v1/lessons?{span}"),
        Asked("API people", city, "/api/v1/people?size=100&q=%E6%9D%8E"),
        Asked("API schools", city, "/api/v1/schools?size=100"),
        Asked("API classrooms", city, "/api/v1/classrooms?size=100"),
        Asked("API ordinary hours", district, "/api/v1/ordinary?size=100"),
        Asked("API audit", city, "/api/v1/audit"),
    ]


@dataclass
class Cost:
    """Medians of one page by itself."""

    asked: Asked
    queries: int
    cpu_ms: float
    ms: float
    kb: float


class Site:
    """The application in this process, its statements counted, and cookies of some people."""

    def __init__(self, settings: WebSettings) -> None:
        self.app = create_app(settings)
        self.database: Database = self.app.state.database
        self.statements = 0
        event.listen(self.database.engine.sync_engine, "before_cursor_execute", self._count)
        self.tokens: dict[str, list[str]] = defaultdict(list)

    def _count(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.statements += not statement.startswith("BEGIN")

    async def sign_in(self, known: Known, each: int) -> None:
        now = datetime.now(UTC)
        async with self.database.transaction() as session:
            for who, person in known.people.items():
                for _ in range(each):
                    token = await accounts.open_session(session, now, timedelta(hours=12), kind="person", person=person)
                    self.tokens[who].append(token)

    def browser(self, who: str) -> Browser:
        held = Browser(self.app)
        held.cookies.set("tongtang-person", self.tokens[who][0], domain=ORIGIN.removeprefix("http://"))
        return held

    async def close(self) -> None:
        await self.app.state.nodes.aclose()
        await self.database.dispose()


async def anatomy(site: Site, wanted: list[Asked], turns: int) -> list[Cost]:
    """One at a time; twice before it counts, so that caches of templates and statements are as on any day."""
    found = []
    for one in wanted:
        samples = []
        async with site.browser(one.who) as browser:
            for turn in range(turns + 2):
                gc.collect()
                before, cpu, began = site.statements, time.process_time(), time.perf_counter()
                answer = await browser.get(one.path)
                ms, cpu = (time.perf_counter() - began) * 1000, (time.process_time() - cpu) * 1000
                if answer.status_code != 200:
                    raise RuntimeError(f"{one.name}: {answer.status_code} {answer.text[:300]}")
                if turn > 1:
                    samples.append((site.statements - before, cpu, ms, len(answer.content) / 1000))
        queries, cpu_ms, ms, kb = (statistics.median(column) for column in zip(*samples, strict=True))
        found.append(Cost(one, round(queries), cpu_ms, ms, kb))
    return found


async def conflict_checks(site: Site, known: Known, checks: int, clients: int, pause: float) -> list[float]:
    """What dragging a lesson asks the database: locks and looks for its people and rooms. Milliseconds, each."""
    taken: list[float] = []
    wanted = [known.slots[n % len(known.slots)] for n in range(checks)]

    async def client(mine: list[tuple[str, str, list[str], datetime]]) -> None:
        await asyncio.sleep(chance.random() * pause)
        for number, (teacher, room, rooms, starts) in enumerate(mine):
            at = starts + timedelta(days=number % 5, minutes=10)
            lesson = entry(new_id(), at, at + timedelta(minutes=40), people=[teacher], rooms=[room, *rooms])
            began = time.perf_counter()
            async with site.database.transaction() as session:
                await occupancy.lock(session, SYSTEM, [lesson])
                await occupancy.look(session, SYSTEM, [lesson])
            taken.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(chance.uniform(0.5, 1.5) * pause)

    chance = random.Random(0)
    await asyncio.gather(*(client(wanted[n::clients]) for n in range(clients)))
    return taken


class Client:
    """HTTP/1.1 as a browser keeps a connection, with as little work as can be: the machine is the servers'."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def __aenter__(self) -> Client:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def get(self, path: str, token: str) -> int:
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAccept: text/html,application/json\r\n"
        self.writer.write(f"{head}Cookie: tongtang-person={token}\r\n\r\n".encode())
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: (\d+)", answer, re.IGNORECASE)
        if length is None:
            raise RuntimeError(f"{path}: no length: {answer[:200]!r}")
        await self.reader.readexactly(int(length[1]))
        return int(answer.split(None, 2)[1])


async def load(
    ports: list[int], wanted: list[Asked], tokens: dict[str, list[str]], clients: int, rounds: int, pause: float
) -> dict[str, list[float]]:
    """Milliseconds by page. ``pause``: how long a person reads before the next click, on average."""
    found: dict[str, list[float]] = defaultdict(list)

    async def person(number: int) -> None:
        chance = random.Random(number)
        async with Client(ports[number % len(ports)]) as client:
            await asyncio.sleep(chance.random() * pause)
            for turn in range(rounds + 1):
                for one in chance.sample(wanted, len(wanted)):
                    began = time.perf_counter()
                    status = await client.get(one.path, tokens[one.who][number % len(tokens[one.who])])
                    if status != 200:
                        raise RuntimeError(f"{one.name}: {status}")
                    if turn:  # the first round fills caches
                        found[one.name].append((time.perf_counter() - began) * 1000)
                    await asyncio.sleep(chance.uniform(0.5, 1.5) * pause)

    await asyncio.gather(*(person(number) for number in range(clients)))
    return found


def p(share: float, values: list[float]) -> float:
    held = sorted(values)
    return held[min(len(held) - 1, round(share * (len(held) - 1)))]
