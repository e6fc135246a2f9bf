"""The instruments of the end-to-end tests measure what the footage shows: counter and marks come back from files."""

from __future__ import annotations

import http.server
import itertools
import threading
from collections.abc import Iterator

import pytest

from tests.support.browser import Chromium, until_true
from tests.support.footage import FPS, LOOP_SECONDS, MARK_EVERY, MARKS, counter_blocks, teacher_devices
from tests.support.replayed import captured_at

pytestmark = pytest.mark.e2e


class Blank(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>blank</title><link rel=icon href=data:,>")

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@pytest.fixture
def blank() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Blank)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_counter_blocks_are_framed_and_differ() -> None:
    rows = {tuple(counter_blocks(n)) for n in range(4096)}
    assert len(rows) == 4096
    assert all(row[:2] == (True, False) and row[-2:] == (False, True) for row in rows)


def test_counter_and_marks_come_back(browsers: Chromium, blank: str) -> None:
    page = browsers.desktop(teacher_devices()).open(blank)
    page.evaluate("navigator.mediaDevices.getUserMedia({audio: true, video: true}).then(() => {})")
    page.evaluate("{ measure.watchCamera(); measure.watchMarks(); null }")
    enough = "measure.seen.frames.length >= 100 && measure.seen.marks.filter((m) => m[2] !== null).length >= 3"
    until_true(page, enough)
    frames = captured_at(page.evaluate("measure.seen.frames"))
    assert len(frames) >= 95, "the counter is readable"
    steps = {(b[1] - a[1]) % (LOOP_SECONDS * FPS) for a, b in itertools.pairwise(frames)}
    assert steps <= {1, 2, 3}, f"it counts forward: {steps}"
    marks = captured_at(page.evaluate("measure.seen.marks"))
    for (at, number), (next_at, next_number) in itertools.pairwise(marks):
        assert (next_number - number) % MARKS == 1
        assert abs(next_at - at - MARK_EVERY * 1000) < 60
