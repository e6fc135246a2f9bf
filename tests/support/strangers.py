"""A real HTTP server of somebody else's, for what our outbox sends: it answers, fails, hangs, redirects, as told.

with Stranger() as there:
    there.mood = "fails"
    …
assert there.heard[0].body == …
"""

from __future__ import annotations

import json
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal

Mood = Literal["webhook", "robot", "refuses", "fails", "hangs", "redirects", "breaks", "floods"]


@dataclass(frozen=True, slots=True)
class Heard:
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


@dataclass
class Stranger:
    mood: Mood = "webhook"
    heard: list[Heard] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    let_go: threading.Event = field(default_factory=threading.Event)
    """Ends the hanging."""

    def __enter__(self) -> Stranger:
        stranger = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                stranger.heard.append(Heard(self.path, headers, raw))
                stranger._answer(self)

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._server.server_address[1]}/hook?key=geheim"

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        if self.mood == "hangs":
            self.let_go.wait(30)
            return
        if self.mood == "breaks":
            handler.close_connection = True
            return
        status = {"fails": 500, "redirects": 302}.get(self.mood, 200)
        body = b"x" * 5_000_000 if self.mood == "floods" else b""
        if self.mood in ("robot", "refuses"):
            body = json.dumps({"errcode": 0 if self.mood == "robot" else 93000, "errmsg": "…"}).encode()
        handler.send_response(status)
        if self.mood == "redirects":
            handler.send_header("location", "http://127.0.0.1:1/elsewhere")
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        try:
            handler.wfile.write(body)
        except OSError:
            return  # nobody reads that much
