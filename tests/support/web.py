"""The web without a socket: an application on a database of its own, and clients that behave like browsers.

async def test_desk(web):                       # ``web`` and ``clock`` are fixtures; see tests/server/conftest.py
    teacher = await web.person("teacher", school=…)
    browser = await web.sign_in(teacher)
    answer = await browser.get("/desk")
    answer = await browser.post("/api/v1/…", json={…})   # CSRF header and Origin are added
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from sqlalchemy import create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from server.accounts import service as accounts
from server.accounts.models import Person, PostHeld
from server.app import furnish, routed
from server.clock import FixedClock, to_ms
from server.config import WebSettings
from server.database import Database, make_engine
from server.ids import new_id
from server.jobs import NullJobs
from server.lessons.models import Lesson, Receipt
from server.models import Base
from server.schools.models import District, Room, School
from server.security import csrf_token, new_token, private_pem
from signaling.ports import ObjectInfo, ObjectMissingError

ORIGIN = "http://class.test"
MONDAY = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
"""09:00 on a Monday in the city."""
NODE_SECRET = "a-secret-for-nodes-of-tests"


class MemoryObjects:
    """An object store in memory, with the contract's manners."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    async def put(self, key: str, data: bytes, *, content_type: str = "application/octet-stream") -> None:
        self.held[key] = bytes(data)

    async def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
        if key not in self.held:
            raise ObjectMissingError(key)
        return self.held[key][start : None if length is None else start + length]

    async def stat(self, key: str) -> ObjectInfo:
        if key not in self.held:
            raise ObjectMissingError(key)
        return ObjectInfo(key, len(self.held[key]))

    async def delete(self, key: str) -> None:
        self.held.pop(key, None)

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        for key in sorted(self.held):
            if key.startswith(prefix):
                yield ObjectInfo(key, len(self.held[key]))

    async def close(self) -> None:
        return None


class FakeNode:
    """The control doors of all nodes: remembers what it was told; ``down`` and ``refuses`` hold node ids."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.down: set[str] = set()
        self.refuses: set[str] = set()

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        node = request.url.host
        if node in self.down:
            raise httpx2.ConnectError("down", request=request)
        self.calls.append((request.method, f"{node}{request.url.path}", json.loads(request.content or b"{}")))
        return httpx2.Response(409 if node in self.refuses else 200, json={})


class Browser(httpx2.AsyncClient):
    """Keeps cookies, sends Origin and the CSRF token as a page of ours would."""

    def __init__(self, app: FastAPI, accept: str = "text/html,application/json") -> None:
        transport = httpx2.ASGITransport(app=app, client=("192.0.2.1", 50000))
        super().__init__(transport=transport, base_url=ORIGIN, headers={"accept": accept})
        self._keys = app.state.keys
        self.seed = new_token()
        self.cookies.set("tongtang-seed", self.seed, domain="class.test")

    @property
    def csrf(self) -> str:
        seed = next((c.value for c in self.cookies.jar if c.name == "tongtang-seed"), self.seed)
        return csrf_token(self._keys.csrf, seed or "")

    async def request(self, method: str, url: Any, **given: Any) -> httpx2.Response:
        if method.upper() not in ("GET", "HEAD", "OPTIONS"):
            given["headers"] = {"origin": ORIGIN, "x-csrf": self.csrf, **(given.get("headers") or {})}
        return await super().request(method, url, **given)


@dataclass
class Web:
    """One application, its database, clock and object store, and short ways to fill them."""

    app: FastAPI
    database: Database
    clock: FixedClock
    objects: MemoryObjects
    jobs: NullJobs
    nodes: FakeNode
    browsers: list[Browser] = field(default_factory=list)

    def browser(self) -> Browser:
        """A stranger."""
        self.browsers.append(Browser(self.app))
        return self.browsers[-1]

    async def sign_in(self, person: Person) -> Browser:
        """A browser with a session of this person, without the cost of a password."""
        return await self.sign_in_id(person.id)

    async def sign_in_id(self, person: str) -> Browser:
        async with self.database.transaction() as session:
            token = await accounts.open_session(
                session, self.clock.now(), timedelta(hours=12), kind="person", person=person
            )
        browser = self.browser()
        browser.cookies.set("tongtang-person", token, domain="class.test")
        return browser

    async def device(self, room: Room) -> Browser:
        """A kiosk bound to this room."""
        from server.schools.models import Device

        now = self.clock.now()
        async with self.database.transaction() as session:
            bound = Device(id=new_id(), room_id=room.id, bound_at=now, created_at=now)
            session.add(bound)
            await session.flush()
            token = await accounts.open_session(session, now, timedelta(days=365), kind="device", device=bound.id)
        browser = self.browser()
        browser.cookies.set("tongtang-device", token, domain="class.test")
        return browser

    async def add(self, *rows: Any) -> None:
        async with self.database.transaction() as session:
            session.add_all(rows)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        async with self.database.transaction() as session:
            yield session

    async def district(self, code: str = "120113", kind: str = "ring") -> District:
        row = District(id=code, name=f"区{code}", name_en=f"District {code}", kind=kind)
        await self.add(row)
        return row

    async def school(self, district: District, name: str = "实验小学", *, phase: str = "primary") -> School:
        number = abs(hash((district.id, name))) % 10**6
        row = School(
            id=new_id(),
            code=f"2112{number:06d}",
            name=name,
            short_name=name[:12],
            phase=phase,
            located_in=district.id,
            supervised_by=district.id,
            created_at=self.clock.now(),
        )
        await self.add(row)
        return row

    async def room(self, school: School, name: str = "三年级1班", *, kind: str = "receiving", pupils: int = 30) -> Room:
        row = Room(id=new_id(), school_id=school.id, name=name, kind=kind, pupils=pupils)
        await self.add(row)
        async with self.database.reading() as session:
            return await session.get_one(Room, row.id)

    async def person(
        self,
        *posts: str,
        school: School | None = None,
        district: District | None = None,
        of_school: School | None = None,
        login: str | None = None,
        name: str = "王老师",
        password_hash: str | None = None,
    ) -> Person:
        """A person with posts since the year's beginning. ``district`` and ``of_school``: what the posts are of."""
        row = Person(
            id=new_id(),
            login=login or new_id(),
            name=name,
            password_hash=password_hash,
            school_id=school.id if school else None,
            created_at=self.clock.now(),
        )
        held = [
            PostHeld(
                id=new_id(),
                person_id=row.id,
                post=post,
                district_id=district.id if district else None,
                school_id=of_school.id if of_school else None,
                starts_on=date(2026, 1, 1),
            )
            for post in posts
        ]
        await self.add(row)
        await self.add(*held)
        return row

    async def lesson(
        self,
        teacher: Person,
        lead: Room,
        *receiving: Room,
        assistant: Person | None = None,
        starts: timedelta = timedelta(minutes=10),
        minutes: int = 40,
        **more: Any,
    ) -> Lesson:
        """A published lesson that starts in ten minutes."""
        start = self.clock.now() + starts
        row = Lesson(
            id=new_id(),
            title=more.pop("title", "认识分数"),
            subject="maths",
            grade=3,
            kind=more.pop("kind", "formal"),
            form="delivery",
            state=more.pop("state", "published"),
            lead_room_id=lead.id,
            teacher_id=teacher.id,
            starts_at=start,
            ends_at=start + timedelta(minutes=minutes),
            created_at=self.clock.now(),
            **more,
        )
        receipts = [
            Receipt(
                id=new_id(),
                lesson_id=row.id,
                starts_at=row.starts_at,
                room_id=room.id,
                position=position,
                assistant_id=assistant.id if assistant else None,
                expected=room.pupils,
            )
            for position, room in enumerate(receiving, 1)
        ]
        await self.add(row)
        await self.add(*receipts)
        async with self.database.reading() as session:
            return await session.get_one(Lesson, row.id)

    async def node(self, name: str = "n1", *, load: float = 0.1, secret: str = NODE_SECRET) -> httpx2.Response:
        """A heartbeat of this node, now."""
        beat = {
            "node": name,
            "started_at_ms": to_ms(self.clock.now()),
            "public_url": "ws://{host}:8001" if name == "n1" else f"wss://{{host}}/n/{name}",
            "control_url": f"http://{name}",
            "load": load,
            "engine": "python",
            "rooms": [],
            "spool_bytes": 0,
            "disk_free_bytes": 10**11,
        }
        return await self.browser().post(
            f"/internal/nodes/{name}/heartbeat", json=beat, headers={"authorization": f"Bearer {secret}"}
        )


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(MONDAY)


@pytest.fixture(scope="session")
def seat_key_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("keys") / "seat.pem"
    path.write_bytes(private_pem(Ed25519PrivateKey.generate()))
    yield path


@pytest.fixture
def web_settings(tmp_path: Path, seat_key_file: Path, engine: AsyncEngine) -> WebSettings:
    return WebSettings.model_validate(
        {
            "data": tmp_path,
            "database_url": engine.url.render_as_string(),
            "seat_key": seat_key_file,
            "node_secret": NODE_SECRET,
            "node_origins": "ws://{host}:8001,http://{host}:8001",
        }
    )


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables made straight from the models, once; test_migrations.py proves that migrations make the same."""
    path = tmp_path_factory.mktemp("database") / "empty.db"
    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    engine.dispose()
    return path


def _careless(connection: Any, _record: Any) -> None:
    """A test's database need not survive a power cut: no waiting for the disk."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncEngine:
    """One engine for all tests: it keeps the SQL that it compiled, a fifth of a test's time. No connection outlives its
    test."""
    made = make_engine(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('web') / 'web.db'}")
    event.listen(made.sync_engine, "connect", _careless)
    return made


@pytest.fixture
async def database(engine: AsyncEngine, empty_database: Path) -> AsyncIterator[Database]:
    """A database of the test's own."""
    file = Path(engine.url.database or "")
    for rest in file.parent.glob(file.name + "-*"):
        rest.unlink()
    shutil.copy(empty_database, file)
    held = Database(engine)
    yield held
    await held.dispose()


@pytest.fixture(scope="session")
def routes() -> FastAPI:
    """The application's routes, built once; each test furnishes them anew."""
    return routed()


@pytest.fixture
async def web(routes: FastAPI, web_settings: WebSettings, database: Database, clock: FixedClock) -> AsyncIterator[Web]:
    objects = MemoryObjects()
    jobs, nodes = NullJobs(), FakeNode()
    transport = httpx2.MockTransport(nodes.answer)
    furnish(routes, web_settings, clock=clock, database=database, objects=objects, jobs=jobs, node_transport=transport)
    held = Web(routes, database, clock, objects, jobs, nodes)
    yield held
    for browser in held.browsers:
        await browser.aclose()
    await routes.state.nodes.aclose()
