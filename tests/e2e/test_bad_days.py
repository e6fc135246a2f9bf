"""Bad days that need the whole stack: each ends with the lesson going on and a sentence that says what to do.

One lesson, one room; every test leaves the lesson live for the next. (Bad tokens, garbage on ports, epochs, SDP, PDFs
and broken queues have their tests beside the code that meets them.)
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support.browser import Chromium, shot, until_true
from tests.support.classroom import Kiosk, Teacher, upload_slides
from tests.support.footage import teacher_devices
from tests.support.processes import ROOT, answers, wait_until
from tests.support.replayed import Recorded
from tests.support.site import PlannedLesson, Site

pytestmark = pytest.mark.e2e

SENTENCES = json.loads((ROOT / "frontend" / "locale" / "zh-CN" / "live.json").read_text("utf-8"))
HOUR_AHEAD = "{ const N = Date.now.bind(Date), D = Date; Date = class extends D { constructor(...w) {" + (
    " w.length ? super(...w) : super(N() + 3600000); } static now() { return N() + 3600000; } }; }"
)


@dataclass
class Live:
    """A lesson going on."""

    site: Site
    browsers: Chromium
    lesson: PlannedLesson
    teacher: Teacher
    kiosk: Kiosk


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small disk of its own for the node's spool, where this may be mounted; else a plain folder."""
    folder = tmp_path_factory.mktemp("spool")
    mounted = (
        os.getuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder], check=False, capture_output=True
        ).returncode
    )
    yield folder
    if mounted:
        subprocess.run(["umount", "-l", folder], check=False, capture_output=True)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, browsers: Chromium, spool: Path) -> Iterator[Live]:
    site = Site(tmp_path_factory.mktemp("bad-days") / "data", env={"TONGTANG_SPOOL": str(spool)})
    try:
        lesson = site.plan_lesson("风雨", starts_in=5, minutes=60, rooms=1)
        with site.visitor("teacher") as visitor:
            upload_slides(visitor, lesson.id)
        kiosk = Kiosk.hung_up(browsers, site, lesson, 0)
        teacher = Teacher.comes(browsers, site, lesson)
        kiosk.enters_by_itself()
        teacher.opens()
        teacher.opens_slides()
        teacher.turns_to(2)
        kiosk.receives()
        yield Live(site, browsers, lesson, teacher, kiosk)
    finally:
        site.stop()


def says(page: Page, key: str, seconds: float = 30) -> None:
    """The page shows this sentence."""
    until_true(page, "text => document.body.innerText.includes(text)", SENTENCES[key], seconds)


def new_pictures(kiosk: Kiosk, seconds: float = 60) -> None:
    """More pictures than now, on whatever connection."""
    before = kiosk.page.evaluate("measure.pictures(0)")
    wait_until(lambda: kiosk.page.evaluate("measure.pictures(0)") > before + 10, seconds, "new pictures in the room")


def test_the_node_is_killed(live: Live) -> None:
    """The room comes back by itself, on the same page; the same replay goes on with a marked gap."""
    live.teacher.says("断电之前")
    connections = live.kiosk.page.evaluate("measure.seen.pcs.length")
    os.kill(live.site.child("node"), signal.SIGKILL)
    wait_until(lambda: live.kiosk.page.evaluate("n => measure.pictures(n)", connections) > 5, 60, "the room to be back")
    assert live.kiosk.page.get_attribute(".stage-slide", "data-page", timeout=5000)
    assert live.teacher.page.inner_text("#bar-page").strip().startswith("2 /")
    assert "断电之前" in live.teacher.page.inner_text("#chat")
    live.teacher.turns_to(3)
    live.kiosk.page.wait_for_selector('.stage-slide[data-page$="/3"]:visible')
    with live.site.visitor("teacher") as visitor:

        def marked() -> bool:
            recorded = Recorded(visitor, live.lesson.id)
            spans = recorded.covered("camera") if "camera" in recorded.names() else []
            return len(spans) > 1 and any(cause == "node" for _, _, cause in recorded.gaps("camera"))

        wait_until(marked, 60, "the recording to go on behind a marked gap")


def test_the_web_is_killed(live: Live) -> None:
    """The lesson goes on, a page that loses its line meanwhile comes back by its resume token, facts arrive later."""
    os.kill(live.site.child("web"), signal.SIGSTOP)  # longer away than its supervisor would leave it
    try:
        live.teacher.page.evaluate("measure.cut()")
        new_pictures(live.kiosk)
        live.teacher.says("网站没了课还在")
        live.teacher.turns_to(4)
        live.kiosk.page.wait_for_selector('.stage-slide[data-page$="/4"]', state="attached")
    finally:
        os.kill(live.site.child("web"), signal.SIGKILL)
    wait_until(lambda: answers(live.site.url + "/healthz"), 60, "the web to be back")
    live.kiosk.page.wait_for_selector('.stage-slide[data-page$="/4"]:visible')


def test_two_devices_of_one_room(live: Live) -> None:
    """The newer one has the room; the older one says so, and can take it back."""
    second = Kiosk.hung_up(live.browsers, live.site, live.lesson, 0)
    second.enters_by_itself()
    second.receives()
    says(live.kiosk.page, "why_elsewhere")
    shot(live.kiosk.page, "bad-day-elsewhere")
    live.kiosk.page.click("#banner button")
    says(second.page, "why_elsewhere")
    new_pictures(live.kiosk)
    second.desktop.browser.close()


def test_the_teacher_s_laptop_is_closed(live: Live) -> None:
    """The rooms are told to wait; who comes back is on stage at once."""
    live.teacher.desktop.browser.close()
    says(live.kiosk.page, "teacher_away", 60)
    shot(live.kiosk.page, "bad-day-teacher-away")
    live.teacher = Teacher.comes(live.browsers, live.site, live.lesson)
    live.teacher.page.wait_for_selector("#bar-close:visible")
    assert live.teacher.page.inner_text("#bar-page").strip().startswith("4 /")
    new_pictures(live.kiosk)


def test_a_clock_an_hour_ahead(live: Live) -> None:
    """A laptop whose clock is wrong enters, and moves no time of the room."""
    live.teacher.desktop.browser.close()
    desktop = live.browsers.desktop(teacher_devices())
    desktop.context.add_init_script(HOUR_AHEAD)
    live.teacher = Teacher.comes(live.browsers, live.site, live.lesson, desktop)
    assert abs(live.teacher.page.evaluate("Date.now()") / 1000 - time.time() - 3600) < 60, "the clock is wrong indeed"
    live.teacher.page.wait_for_selector("#bar-close:visible")
    elapsed = live.teacher.page.inner_text("#elapsed")
    minutes = sum(int(part) * 60**i for i, part in enumerate(reversed(elapsed.split(":")))) / 60
    assert minutes < 30, f"{elapsed}: the lesson's clock is the node's"
    live.teacher.turns_to(5)
    new_pictures(live.kiosk)


def test_the_disk_is_full(live: Live, spool: Path) -> None:
    """The lesson goes on, the teacher reads that saving is late; with room again it goes on by itself."""
    if not os.path.ismount(spool):
        pytest.skip("a small disk cannot be mounted here (needs root)")
    filler = spool / "filler"
    with contextlib.suppress(OSError), filler.open("wb") as file:
        while True:
            file.write(b"\0" * 65536)
    says(live.teacher.page, "saved_stalled", 60)
    shot(live.teacher.page, "bad-day-disk-full")
    new_pictures(live.kiosk)
    filler.unlink()
    wait_until(lambda: live.teacher.page.get_attribute("#saved", "data-state") == "good", 60, "saving to go on")
    live.teacher.says("又能存了")
