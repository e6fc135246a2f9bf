"""A real screen tests itself: alone before a lesson, aloud when somebody presses the button; each page has its light.

Its microphone is a file. One of beeps hears no loudspeaker; one of our own chirps is a room in which it is heard.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.support.browser import Chromium, shot, until_true
from tests.support.footage import RATE, Devices, room_devices, write_wav
from tests.support.processes import ROOT, wait_until
from tests.support.site import PlannedLesson, Site

pytestmark = pytest.mark.e2e

TELL = "import {signal} from './frontend/modules/media/chirp.js'; console.log(JSON.stringify([...signal(%d)]))"
CUT = "window.WebSocket = class { constructor() { setTimeout(() => this.onclose?.(), 50) } close() {} send() {} }"
LIGHT = "document.getElementById('selftest')?.dataset.light ?? ''"


def hearing_devices(folder: Path) -> Devices:
    """What a microphone hears beside a loudspeaker that plays our chirps, again and again."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: no chirp can be made")
    said = subprocess.run(
        [node, "--input-type=module", "-e", TELL % RATE], cwd=ROOT, capture_output=True, text=True, check=True
    )
    chirps = np.array(json.loads(said.stdout)) * 0.3
    path = folder / "chirps.wav"
    # Often enough that any recording of the test holds one whole pair.
    write_wav(path, np.tile(np.concatenate([chirps, np.zeros(int(0.1 * RATE))]), 20))
    return Devices(room_devices(0).video, path)


def hang_up(browsers: Chromium, site: Site, lesson: PlannedLesson, devices: Devices) -> Page:
    page = browsers.desktop(devices).open(site.url + "/kiosk?lang=zh-CN")
    until_true(page, "/^[0-9]{3} ?[0-9]{3}$/.test(document.getElementById('bind-code').textContent.trim())")
    site.bind(re.sub(r"\D", "", page.inner_text("#bind-code")), lesson.rooms[0])
    return page


def lamp(site: Site, lesson: PlannedLesson) -> dict[str, Any]:
    """The room's light as the district's board has it."""
    with site.visitor("city") as city:
        board = city.get("/api/v1/lights").json()
    (row,) = [one for one in board if one["lesson"] == lesson.id]
    return next(one for one in row["lights"] if one["room"] == lesson.rooms[0])


def again(page: Page) -> str:
    """Press the button; the light it ends with."""
    page.click("#selftest-again")
    page.wait_for_selector("#selftest-again:disabled")
    page.wait_for_selector("#selftest-again:enabled", timeout=60_000)
    return str(page.evaluate(LIGHT))


def test_a_screen_tests_itself_and_everybody_sees_its_light(site: Site, browsers: Chromium, tmp_path: Path) -> None:
    lesson = site.plan_lesson("自检之课", starts_in=12 * 60, minutes=10, rooms=1)
    deaf = hang_up(browsers, site, lesson, room_devices(0))

    # Nobody touches it: a quarter of an hour before the lesson it says what it found.
    wait_until(lambda: lamp(site, lesson)["tested_at"] is not None and not lamp(site, lesson)["demo"], 90, "a test")
    assert again(deaf) == "red"
    assert "听不到自己的喇叭" in deaf.inner_text("#selftest-text")
    shot(deaf, "selftest-kiosk-red")
    light = lamp(site, lesson)
    assert (light["light"], light["cause"]) == ("red", "听不到自己的喇叭")
    deaf.context.close()

    hears = hang_up(browsers, site, lesson, hearing_devices(tmp_path))
    until_true(hears, "!document.getElementById('idle').hidden")
    assert again(hears) == "green", hears.inner_text("#selftest")
    shot(hears, "selftest-kiosk-green")
    assert lamp(site, lesson)["light"] == "green"
    with site.visitor("city") as city:
        lines = city.get("/api/v1/lines").json()
        assert any(one["measures"] >= 1 and one["down_kbps"] > 1000 for one in lines)
    with site.visitor("teacher") as teacher:
        assert 'data-light="green"' in teacher.look("/desk")

    # A web filter that lets pages through and cuts every WebSocket.
    hears.evaluate(f"{CUT}; null")
    assert again(hears) == "red" and "WebSocket" in hears.inner_text("#selftest-text")
    shot(hears, "selftest-kiosk-websocket")
    assert "WebSocket" in lamp(site, lesson)["cause"]


def test_a_pc_in_the_wrong_year_is_told_so_with_a_picture(site: Site, browsers: Chromium) -> None:
    desktop = browsers.desktop()
    page = desktop.context.new_page()
    page.clock.set_fixed_time("2010-01-01T00:00:00Z")
    page.goto(site.url + "/check/pc")
    assert page.is_visible("#clock") and page.is_visible("#clock svg")
    assert "电脑时间不对" in page.inner_text("#clock")
    assert "2010-01-01 08:00" in page.inner_text("#time-here")
    assert not page.is_visible("#good")
    shot(page, "pc-clock")
    right = browsers.desktop().open(site.url + "/check/pc")  # the wrong clock is its whole context's
    assert right.is_visible("#good"), right.inner_text("#pc")
    assert desktop.trouble.found == []


def test_an_old_core_is_told_to_switch(site: Site, browsers: Chromium) -> None:
    desktop = browsers.desktop()
    page = desktop.context.new_page()
    page.add_init_script("Object.defineProperty(document, 'documentMode', {value: 11})")
    page.goto(site.url + "/check/pc")
    assert "请切换极速模式" in page.inner_text("#core") and page.is_visible("#core svg")
    shot(page, "pc-core")
    old = desktop.context.new_page()
    agent = "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/86.0.4240.198 Safari/537.36"
    old.add_init_script(f"Object.defineProperty(navigator, 'userAgent', {{value: '{agent}'}})")
    old.goto(site.url + "/check/pc")
    assert old.is_visible("#old")
