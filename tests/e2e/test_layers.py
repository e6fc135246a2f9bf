"""One room on a line that turns slow and fast again: it gets a smaller picture and the large one back by itself, and
both ends say so in words. The line is Chromium's own (DevTools' throttle holds for WebRTC too)."""

from __future__ import annotations

import json

import pytest

from tests.support.browser import Chromium, shot
from tests.support.classroom import Kiosk, Teacher
from tests.support.processes import ROOT, wait_until
from tests.support.site import Site

pytestmark = pytest.mark.e2e

SENTENCES = json.loads((ROOT / "frontend" / "locale" / "zh-CN" / "live.json").read_text("utf-8"))
WORSE = tuple(SENTENCES[f"gets_{word}"] for word in ("mid", "low", "stills", "sound"))
SLOW_BYTES = 30_000
"""A second: 240 kbit/s, room for the voice and the small picture."""
FREE = -1


def throttle(kiosk: Kiosk, bytes_a_second: int) -> None:
    line = kiosk.desktop.context.new_cdp_session(kiosk.page)
    line.send("Network.enable")
    line.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": 10 if bytes_a_second != FREE else 0,
            "downloadThroughput": bytes_a_second,
            "uploadThroughput": FREE,
            "packetQueueLength": 60 if bytes_a_second != FREE else 0,
        },
    )


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


def test_a_slow_line_gets_a_smaller_picture_and_both_ends_say_so(site: Site, browsers: Chromium) -> None:
    lesson = site.plan_lesson("快慢", starts_in=5, minutes=30, rooms=1)
    kiosk = Kiosk.hung_up(browsers, site, lesson, 0)
    teacher = Teacher.comes(browsers, site, lesson)
    kiosk.enters_by_itself()
    teacher.opens()
    kiosk.receives()
    high = SENTENCES["gets_high"]
    wait_until(lambda: width(kiosk) == 640, 60, "the large picture")
    wait_until(lambda: all(high in text for text in said(teacher, kiosk)), 30, "both ends to say it is sharp")
    assert set(layers_sent(teacher)) == {"q", "f"}
    throttle(kiosk, SLOW_BYTES)
    wait_until(lambda: all(any(w in text for w in WORSE) for text in said(teacher, kiosk)), 60, "both ends to say it")
    wait_until(lambda: width(kiosk) == 320, 60, "the small picture")
    shot(teacher.page, "layers-teach-slow")
    shot(kiosk.page, "layers-kiosk-slow")
    throttle(kiosk, FREE)
    wait_until(lambda: width(kiosk) == 640, 60, "the large picture again")
    wait_until(lambda: all(high in text for text in said(teacher, kiosk)), 30, "both ends to say so")
    teacher.closes()
