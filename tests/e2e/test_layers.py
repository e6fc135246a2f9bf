"""One room on a line that turns slow and fast again: it gets a smaller picture and the large one back by itself, and
both ends say so in words. The line is a proxy of ours (``village_line``) before the node's media port."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.browser import Chromium, shot
from tests.support.classroom import Kiosk, Teacher
from tests.support.processes import ROOT, wait_until
from tests.support.site import Site
from tests.support.village_line import ProxiedLine
from tests.support.weather import Weather

pytestmark = pytest.mark.e2e

SENTENCES = json.loads((ROOT / "frontend" / "locale" / "zh-CN" / "live.json").read_text("utf-8"))
WORSE = tuple(SENTENCES[f"gets_{word}"] for word in ("mid", "low", "stills", "sound"))
FREE, SLOW = Weather(5_000_000, 0.02), Weather(300_000, 0.02)
"""SLOW: room for the voice and the small picture."""

# The receiving connection knows only the proxy; what the node offered is told to the test.
BEHIND = """{
  const real = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function (answer) {
    if (!answer.sdp.includes("a=sendonly")) return real.call(this, answer);
    window.nodePort = Number(/a=candidate:\\S+ 1 udp \\d+ 127\\.0\\.0\\.1 (\\d+)/.exec(answer.sdp)[1]);
    let taken = false;
    const lines = answer.sdp.split("\\r\\n").filter((line) => {
      if (!line.startsWith("a=candidate:")) return true;
      const keep = !taken && line.includes(" udp ") && line.includes(" 127.0.0.1 ");
      taken = taken || keep;
      return keep;
    });
    const sdp = lines.join("\\r\\n").replace(/(a=candidate:\\S+ 1 udp \\d+ 127\\.0\\.0\\.1) \\d+/, "$1 PORT");
    return real.call(this, { type: "answer", sdp });
  };
}"""


@contextmanager
def village_line() -> Iterator[tuple[ProxiedLine, asyncio.AbstractEventLoop]]:
    """The proxy in a loop of its own: the browser is driven from this thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    line = asyncio.run_coroutine_threadsafe(ProxiedLine.open(("127.0.0.1", 9), FREE, 1), loop).result(10)
    try:
        yield line, loop
    finally:

        async def end() -> None:
            line.close()
            await asyncio.sleep(0.1)  # until the sockets are closed

        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def width(kiosk: Kiosk) -> int:
    """Of the teacher's picture: the only one a room without others on the floor gets."""
    return max((row["width"] for row in kiosk.received() if row["kind"] == "video" and row["frames"]), default=0)


def said(teacher: Teacher, kiosk: Kiosk) -> tuple[str, str]:
    """What the teacher's tile and the room's own screen say of the line."""
    return teacher.page.inner_text(".tile .tile-light"), kiosk.page.inner_text("#room-light")


def layers_sent(teacher: Teacher) -> dict[str, bool]:
    rows = teacher.page.evaluate(
        """async () => { const found = {};
             for (const pc of measure.seen.pcs) if (pc.connectionState === 'connected')
               for (const s of (await pc.getStats()).values())
                 if (s.type === 'outbound-rtp' && s.kind === 'video') found[s.rid ?? ''] = s.active !== false;
             return found; }"""
    )
    found: dict[str, bool] = rows
    return found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A city of its own: its lesson is not over when others plan theirs, and a teacher has one at a time."""
    own = Site(tmp_path / "data")
    try:
        yield own
    finally:
        own.stop()


def test_a_slow_line_gets_a_smaller_picture_and_both_ends_say_so(site: Site, browsers: Chromium) -> None:
    lesson = site.plan_lesson("快慢", starts_in=5, minutes=30, rooms=1)
    with village_line() as (line, loop):
        kiosk = Kiosk.hung_up(browsers, site, lesson, 0)
        kiosk.desktop.context.add_init_script(BEHIND.replace("PORT", str(line.port)))
        kiosk.page.reload()
        teacher = Teacher.comes(browsers, site, lesson)
        kiosk.enters_by_itself()
        wait_until(lambda: kiosk.page.evaluate("window.nodePort ?? 0") > 0, 60, "the node's answer")
        line.node = ("127.0.0.1", int(kiosk.page.evaluate("window.nodePort")))
        teacher.opens()
        kiosk.receives()
        high = SENTENCES["gets_high"]
        wait_until(lambda: width(kiosk) == 640, 60, "the large picture")
        wait_until(lambda: all(high in text for text in said(teacher, kiosk)), 30, "both ends to say it is sharp")
        assert set(layers_sent(teacher)) == {"q", "f"}
        loop.call_soon_threadsafe(line.change, SLOW)
        wait_until(lambda: all(any(w in text for w in WORSE) for text in said(teacher, kiosk)), 60, "both to say it")
        wait_until(lambda: width(kiosk) == 320, 60, "the small picture")
        shot(teacher.page, "layers-teach-slow")
        shot(kiosk.page, "layers-kiosk-slow")
        loop.call_soon_threadsafe(line.change, FREE)
        wait_until(lambda: width(kiosk) == 640, 90, "the large picture again")
        wait_until(lambda: all(high in text for text in said(teacher, kiosk)), 30, "both ends to say so")
        teacher.closes()
