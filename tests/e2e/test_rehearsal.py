"""试讲 from the desk with one press: the robot classroom is seen, answers, echoes on the floor, loses its line and is
back; it goes home with the rehearsal."""

from __future__ import annotations

import pytest

from tests.support.browser import Chromium, shot, until_true
from tests.support.classroom import RECEIVING
from tests.support.footage import teacher_devices
from tests.support.processes import wait_until
from tests.support.site import DEMO_PASSWORD, Site

pytestmark = pytest.mark.e2e

FRAMES = "async () => Math.max(0, ...(await measure.received()).filter(r => r.kind === 'video').map(r => r.frames))"
ENERGY = "async () => Math.max(0, ...(await measure.received()).filter(r => r.kind === 'audio').map(r => r.energy))"
AWAY = "!document.querySelector('.tile .tile-away').hidden"
CHAT = "text => document.getElementById('chat').textContent.includes(text)"


def test_a_teacher_rehearses_with_a_robot(site: Site, browsers: Chromium) -> None:
    desktop = browsers.desktop(teacher_devices())
    page = desktop.open(site.url + "/login")
    page.fill("input[name=login]:not([type=hidden])", "teacher")
    page.fill("input[type=password]", DEMO_PASSWORD)
    page.press("input[type=password]", "Enter")
    page.wait_for_url("**/desk", timeout=60_000)
    shot(page, "rehearsal-desk")
    page.click('form[action="/rehearsals"] button')
    page.wait_for_url("**/teach")
    until_true(page, "measure.seen.pongs.length > 0 && measure.seen.streams.length > 0", seconds=60)
    page.click("#check-start:not([disabled])")
    page.wait_for_selector("#bar-close:visible")
    until_true(page, RECEIVING, seconds=90)
    assert page.locator(".tile").count() == 1
    until_true(page, CHAT, "机器人教室到了", seconds=60)
    page.fill("#chat input", "听得见吗？")
    page.press("#chat input", "Enter")
    until_true(page, CHAT, "这里是机器人教室", seconds=60)
    until_true(page, "!document.querySelector('.tile .tile-hand').hidden", seconds=60)
    shot(page, "rehearsal-hand")

    before = float(page.evaluate(ENERGY))
    page.click(".tile .tile-floor")
    wait_until(lambda: float(page.evaluate(ENERGY)) > before + 1e-4, 60, "the robot's voice")
    shot(page, "rehearsal-floor")

    page.click(".tile .tile-drill")
    until_true(page, AWAY, seconds=60)
    shot(page, "rehearsal-drop")
    until_true(page, f"!({AWAY})", seconds=90)
    seen = float(page.evaluate(FRAMES))
    wait_until(lambda: float(page.evaluate(FRAMES)) > seen, 60, "its picture again")
    until_true(page, CHAT, "刚才断线了", seconds=60)

    page.click("#bar-close")
    page.click("#closing-yes")
    page.wait_for_selector("#bar-leave:visible")
    until_true(page, AWAY, seconds=60)
    assert desktop.trouble.found == []
