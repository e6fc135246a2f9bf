"""What tests of live rooms need: keys, specs, seats, a fake web, and a node as a child process."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
import websockets
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from signaling.messages import RoomPlace, RoomSpec
from signaling.seats import Role, Seat, issue, sign

SECRET = "a secret of sixteen characters"
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


async def until(holds: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Ask again and again; what ``holds`` gave when it was true. It may be a coroutine function."""
    async with asyncio.timeout(seconds):
        while True:
            found = holds()
            if inspect.isawaitable(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.05)


def make_spec(lesson: str = "L1", epoch: int = 1, *, starts_at_ms: int | None = None, rooms: int = 3) -> RoomSpec:
    """One lead room and ``rooms`` receiving rooms; by default it starts in an hour, so that nothing happens by
    itself.
    """
    starts = wall_ms() + HOUR_MS if starts_at_ms is None else starts_at_ms
    places = [RoomPlace(id="lead", seat="t-teacher", name="三年一班", school="和平小学", lead=True, expected=40)]
    for n in range(1, rooms + 1):
        places.append(
            RoomPlace(
                id=f"room{n}", seat=f"r-room{n}", name=f"三年{n}班", school=f"村小{n}", lead=False, expected=20 + n
            )
        )
    return RoomSpec(
        lesson=lesson,
        epoch=epoch,
        title="荷花",
        subject="语文",
        grade=3,
        kind="formal",
        teacher="王老师",
        teacher_seat="t-teacher",
        school="和平小学",
        starts_at_ms=starts,
        ends_at_ms=starts + 40 * MINUTE_MS,
        rooms=places,
    )


def make_seat(
    role: Role, room: str | None = None, *, lesson: str = "L1", epoch: int = 1, person: str | None = None
) -> Seat:
    now = int(time.time())
    id_ = {
        "teacher": "t-teacher",
        "class": f"r-{room}",
        "assistant": f"a-{room}",
        "watch": f"w-{person or 'p1'}",
        "inspector": f"i-{person or 'p1'}",
    }[role]
    who = person or {"teacher": "teacher", "class": None}.get(role, f"p-{role}")
    return Seat(lesson, epoch, role, id_, f"{role} {room or ''}".strip(), "村小", room, who, "n1", now, now + 600)


@dataclass
class FakeWeb:
    """Takes facts and heartbeats as the web does; ``away`` makes it fail."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    beats: list[dict[str, Any]] = field(default_factory=list)
    epochs: dict[str, int] = field(default_factory=dict)
    away: bool = False
    url: str = ""

    def token(self, role: Role, room: str | None = None, **more: Any) -> str:
        return issue(make_seat(role, room, **more), self.key)

    def expired(self, role: Role) -> str:
        return issue(replace(make_seat(role), expires_at=int(time.time()) - 1), self.key)

    def service(self, node: str) -> dict[str, str]:
        claim = {"aud": "node", "node": node, "exp": time.time() + 60}
        return {"Authorization": f"Bearer {sign(claim, self.key)}"}

    async def take_facts(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        facts = (await request.json())["facts"]
        self.facts |= {fact["id"]: fact for fact in facts}
        return JSONResponse({"stored": [fact["id"] for fact in facts], "refused": []})

    async def heartbeat(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        self.beats.append(await request.json())
        return JSONResponse({"epochs": self.epochs})

    def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            return Response(status_code=401)
        return Response(status_code=503) if self.away else None

    def kinds(self) -> list[str]:
        return [fact["kind"] for fact in self.facts.values()]


@asynccontextmanager
async def fake_web() -> AsyncIterator[FakeWeb]:
    web = FakeWeb()
    app = Starlette(
        routes=[
            Route("/internal/facts", web.take_facts, methods=["POST"]),
            Route("/internal/nodes/{node}/heartbeat", web.heartbeat, methods=["POST"]),
        ]
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", ws="none"))
    server.config.load()
    serving = asyncio.create_task(server._serve())
    await until(lambda: server.started)
    web.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield web
    finally:
        server.should_exit = True
        await serving


class NodeProcess:
    """``python -m signaling`` on free ports."""

    def __init__(self, folder: Path, web: FakeWeb, node_id: str = "n1", **environment: str) -> None:
        self.web, self.node_id, self.folder = web, node_id, folder
        self.process: asyncio.subprocess.Process | None = None
        self.port = self.media_port = 0
        key = folder / "seat.pub"
        folder.mkdir(parents=True, exist_ok=True)
        key.write_bytes(web.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TONGTANG_")}
        self.environment = clean | {
            "TONGTANG_NODE_ID": node_id,
            "TONGTANG_NODE_PORT": "0",
            "TONGTANG_MEDIA_PORT": "0",
            "TONGTANG_MEDIA_ADDRESSES": "127.0.0.1",
            "TONGTANG_WEB_URL": web.url,
            "TONGTANG_NODE_SECRET": SECRET,
            "TONGTANG_SEAT_PUBLIC_KEY": str(key),
            "TONGTANG_OBJECTS": str(folder.parent / "objects"),
            "TONGTANG_SPOOL": str(folder / f"spool-{node_id}"),
        }
        self.environment |= environment

    async def start(self) -> NodeProcess:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "signaling", env=self.environment, stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout is not None
        try:
            line = (await asyncio.wait_for(self.process.stdout.readline(), 120)).decode()
            assert "signalling" in line, line
        except BaseException:
            await self.kill()  # a test that fails leaves nothing running
            raise
        self.port = int(line.split(",")[0].rsplit(":", 1)[1])
        self.media_port = int(line.rsplit(" ", 1)[1])
        return self

    async def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM; its exit code."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 60)

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def put(self, spec: RoomSpec) -> int:
        async with httpx2.AsyncClient(trust_env=False) as client:
            url = f"{self.http}/control/rooms/{spec.lesson}"
            return (await client.put(url, json=spec.model_dump(), headers=self.web.service(self.node_id))).status_code

    async def page(self, token: str | None = None, lesson: str = "L1", **join: Any) -> Page:
        socket = await websockets.connect(f"ws://127.0.0.1:{self.port}/ws", proxy=None)
        page = Page(socket)
        if token is not None:
            await page.send({"type": "join", "v": 1, "lesson": lesson, "token": token, **join})
        return page


@asynccontextmanager
async def node_process(
    folder: Path, web: FakeWeb, node_id: str = "n1", **environment: str
) -> AsyncIterator[NodeProcess]:
    node = await NodeProcess(folder, web, node_id, **environment).start()
    try:
        yield node
    finally:
        await node.stop()


class Page:
    """A page as a node sees it: JSON over one WebSocket."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket
        self.seen: list[dict[str, Any]] = []
        self._wishes = 0

    async def send(self, message: dict[str, Any]) -> None:
        await self.socket.send(json.dumps(message))

    async def next(self, type_: str, seconds: float = 60.0) -> dict[str, Any]:
        """The next message of this type; others are kept in ``seen``."""
        async with asyncio.timeout(seconds):
            while True:
                message: dict[str, Any] = json.loads(await self.socket.recv())
                self.seen.append(message)
                if message["type"] == type_:
                    return message

    async def next_any(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self.socket.recv())
        self.seen.append(message)
        return message

    async def do(self, kind: str, _id: str | None = None, **body: Any) -> dict[str, Any]:
        """``done`` or ``error``."""
        self._wishes += 1
        wish = _id or f"w{self._wishes}"
        await self.send({"type": "do", "id": wish, "kind": kind, "body": body})
        async with asyncio.timeout(60):
            while True:
                message: dict[str, Any] = json.loads(await self.socket.recv())
                self.seen.append(message)
                if message["type"] in ("done", "error") and message.get("id") == wish:
                    return message

    async def op(self, kind: str) -> dict[str, Any]:
        """The first op of this kind, seen already or still to come."""
        while True:
            for message in self.seen:
                for op in message.get("ops", []):
                    if op["kind"] == kind:
                        found: dict[str, Any] = op
                        return found
            await self.next("ops")

    async def close(self) -> None:
        await self.socket.close()
