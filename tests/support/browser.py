"""Chromium for end-to-end tests: the system's own, headless, camera and microphone from files, no autoplay flag.

One browser process a device (fake devices belong to the process), a fresh profile each; ``measure.js`` in every page.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Response, sync_playwright

from tests.support.footage import Devices
from tests.support.processes import ROOT, wait_until

SHOTS = ROOT / "tests" / "shots"
MEASURE = Path(__file__).with_name("measure.js")

# No sandbox for root, and no calls to the outside. Nothing here helps a page to play sound.
ARGS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--disable-sync",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    # Several windows share two cores here: a window behind another one must not be slowed down.
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
]


def chromium() -> str:
    for name in (os.environ.get("CHROMIUM", "chromium"), "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("Chromium is not installed (Debian: chromium)")


@dataclass
class Trouble:
    """What a page complained about: script errors, console errors, server errors, blocked by CSP."""

    found: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.found.append(f"console: {message.text} ({message.location.get('url', '')})")

        def on_response(response: Response) -> None:
            if response.status >= 500:
                self.found.append(f"{response.status} {response.url}")

        page.on("console", on_console)
        page.on("pageerror", lambda error: self.found.append(f"error: {error}"))
        page.on("response", on_response)


@dataclass
class Desktop:
    """One device: a browser with its own camera and microphone, one context, its pages watched."""

    browser: Browser
    context: BrowserContext
    trouble: Trouble

    def open(self, url: str) -> Page:
        page = self.context.new_page()
        page.goto(url)
        return page


class Chromium:
    """Opens devices; closes them all at the end."""

    def __init__(self, playwright: Playwright) -> None:
        self._playwright = playwright
        self._open: list[Browser] = []

    def desktop(
        self,
        devices: Devices | None = None,
        *,
        viewport: tuple[int, int] = (1280, 720),
        locale: str = "zh-CN",
        phone: bool = False,
        args: tuple[str, ...] = (),
    ) -> Desktop:
        flags = [*ARGS, *args]
        if devices:
            flags += ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
            flags += [
                f"--use-file-for-fake-video-capture={devices.video}",
                f"--use-file-for-fake-audio-capture={devices.audio}",
            ]
        # Playwright's own defaults would mute and allow autoplay; a classroom's browser does neither.
        browser = self._playwright.chromium.launch(
            executable_path=chromium(),
            args=flags,
            ignore_default_args=["--mute-audio", "--autoplay-policy=no-user-gesture-required"],
        )
        self._open.append(browser)
        return _desktop(browser, viewport=viewport, locale=locale, phone=phone, devices=devices is not None)

    @staticmethod
    def beside(other: Desktop, *, viewport: tuple[int, int] = (1280, 720), phone: bool = False) -> Desktop:
        """Somebody else's, without camera and microphone: a profile of its own in a browser that runs already."""
        return _desktop(other.browser, viewport=viewport, phone=phone)

    def close(self) -> None:
        for browser in self._open:
            browser.close()


def _desktop(
    browser: Browser, *, viewport: tuple[int, int], locale: str = "zh-CN", phone: bool = False, devices: bool = False
) -> Desktop:
    options: dict[str, Any] = {"viewport": {"width": viewport[0], "height": viewport[1]}, "locale": locale}
    if phone:
        options |= {"is_mobile": True, "has_touch": True, "device_scale_factor": 2}
    context = browser.new_context(timezone_id="Asia/Shanghai", **options)
    context.set_default_timeout(60_000)  # a limit for a busy machine, no measure
    if devices:
        context.grant_permissions(["camera", "microphone"])
    context.add_init_script(path=MEASURE)
    trouble = Trouble()
    context.on("page", trouble.listen)
    return Desktop(browser, context, trouble)


@contextmanager
def start_chromium() -> Iterator[Chromium]:
    chromium()  # skip before anything is started
    with sync_playwright() as playwright:
        browsers = Chromium(playwright)
        try:
            yield browsers
        finally:
            browsers.close()


@pytest.fixture(scope="module")
def browsers() -> Iterator[Chromium]:
    with start_chromium() as browsers:
        yield browsers


def until_true(page: Page, script: str, arg: object = None, seconds: float = 60) -> None:
    """Polls from outside: Playwright's wait_for_function evaluates strings in the page, which our CSP forbids."""
    wait_until(lambda: page.evaluate(script, arg), seconds, script)


def shot(page: Page, name: str) -> Path:
    """A picture for people, under the ignored tests/shots/."""
    SHOTS.mkdir(exist_ok=True)
    path = SHOTS / f"{name}.png"
    page.screenshot(path=path)
    return path
