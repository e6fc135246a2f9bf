"""People and devices of one live lesson in Chromium: the teacher's computer, the rooms' kiosks, an assistant's phone.

Each does what a person does, by what the page shows; what happens is measured from outside (``measure.js``).
"""

from __future__ import annotations

import io
import re
import time
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import Page

from tests.support.browser import Chromium, Desktop, until_true
from tests.support.footage import room_devices, teacher_devices
from tests.support.replayed import Moment, Truth, captured_at
from tests.support.site import DEMO_PASSWORD, City, PlannedLesson, Visitor

SLIDES = 6
RECEIVING = "async () => (await measure.received()).some(r => r.kind === 'video' && r.frames > 5)"


@dataclass
class Teacher:
    """The lead teacher at the desk."""

    desktop: Desktop
    page: Page
    lesson: PlannedLesson

    @classmethod
    def comes(cls, browsers: Chromium, site: City, lesson: PlannedLesson, desktop: Desktop | None = None) -> Teacher:
        """Signs in, finds the lesson on the desk, and enters it."""
        desktop = desktop or browsers.desktop(teacher_devices())
        page = desktop.open(site.url + "/login")
        page.fill("input[name=login]:not([type=hidden])", "teacher")
        page.fill("input[type=password]", DEMO_PASSWORD)
        page.press("input[type=password]", "Enter")
        page.wait_for_url("**/desk", timeout=60_000)
        page.click(f'a[href="/live/{lesson.id}/teach"]')
        page.wait_for_url("**/teach")
        teacher = cls(desktop, page, lesson)
        teacher.ready()
        return teacher

    def ready(self) -> None:
        """Connected, with a picture of the own camera."""
        until_true(self.page, "measure.seen.pongs.length > 0 && measure.seen.streams.length > 0", seconds=60)

    def watch_devices(self) -> None:
        self.page.evaluate("{ measure.watchCamera(); measure.watchMarks(); null }")

    def opens(self) -> None:
        self.page.click("#check-start")
        self.page.wait_for_selector("#bar-close:visible")

    def closes(self) -> None:
        self.page.click("#bar-close")
        self.page.click("#closing-yes")
        self.page.wait_for_selector("#bar-leave:visible")

    def opens_slides(self) -> None:
        self.page.click("#bar-slides")
        self.page.click("#decks .deck-row button")
        until_true(self.page, f"document.getElementById('bar-page').textContent.trim() === '1 / {SLIDES}'")

    def turns_to(self, page: int) -> None:
        self.page.click("#bar-next")
        until_true(self.page, f"document.getElementById('bar-page').textContent.trim().startsWith('{page} /')")

    def floor(self, room: int) -> None:
        """Gives the floor to the room-th receiving room, or takes it back."""
        button = self.page.locator(".tile .tile-floor").nth(room)
        before = button.get_attribute("aria-pressed")
        button.click()
        until_true(
            self.page,
            "([n, was]) => document.querySelectorAll('.tile .tile-floor')[n].getAttribute('aria-pressed') !== was",
            [room, before],
        )

    def says(self, text: str) -> None:
        self.page.fill("#chat input", text)
        self.page.press("#chat input", "Enter")
        until_true(self.page, "text => document.getElementById('chat').textContent.includes(text)", text)

    def saved_text(self) -> str:
        return self.page.inner_text("#saved-text")

    def truth(self) -> Truth:
        offset = float(self.page.evaluate("measure.roomOffset()"))
        frames, marks = self.page.evaluate("[measure.seen.frames, measure.seen.marks]")

        def room_time(seen: list[tuple[float, float, int | None]]) -> list[Moment]:
            return [(at + offset, number) for at, number in captured_at(seen)]

        return Truth(room_time(frames), room_time(marks))

    def ops(self) -> list[dict[str, Any]]:
        """The log as this page received it."""
        messages = self.page.evaluate("measure.seen.messages.map(m => m.message).filter(m => m.type === 'ops')")
        return [op for message in messages for op in message["ops"]]


@dataclass
class Kiosk:
    """The screen of one receiving room. Nobody touches it after it was hung up."""

    desktop: Desktop
    page: Page
    room: int
    trouble: list[str] = field(default_factory=list)

    @classmethod
    def hung_up(cls, browsers: Chromium, site: City, lesson: PlannedLesson, room: int) -> Kiosk:
        """Opens /kiosk, shows a code; an administrator binds it to the room."""
        desktop = browsers.desktop(room_devices(room), viewport=(640, 360))
        page = desktop.open(site.url + "/kiosk")
        until_true(page, "/^[0-9]{3} ?[0-9]{3}$/.test(document.getElementById('bind-code').textContent.trim())")
        code = re.sub(r"\D", "", page.inner_text("#bind-code"))
        site.bind(code, lesson.rooms[room])
        return cls(desktop, page, room)

    def enters_by_itself(self, seconds: float = 60) -> None:
        self.page.wait_for_selector("#room:visible", timeout=seconds * 1000)

    def receives(self, seconds: float = 60) -> None:
        """The teacher's picture is being decoded."""
        until_true(self.page, RECEIVING, seconds=seconds)

    def signin_code(self) -> str:
        until_true(self.page, "document.getElementById('signin-code').textContent.trim() !== ''")
        return re.sub(r"\D", "", self.page.inner_text("#signin-code"))

    def received(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.page.evaluate("measure.received()")
        return rows

    def frames(self) -> int:
        """Pictures of the teacher decoded so far (the first video slot)."""
        return max((row["frames"] for row in self.received() if row["kind"] == "video"), default=0)

    def listens(self, ms: int) -> None:
        """Begins to; ``heard`` waits for the end."""
        self.page.evaluate("ms => { measure.listening = measure.hear(ms); }", ms)

    def heard(self) -> dict[str, Any]:
        heard: dict[str, Any] = self.page.evaluate("measure.listening")
        return heard


@dataclass
class Phone:
    """The assistant teacher's phone."""

    desktop: Desktop
    page: Page

    @classmethod
    def signs_in(
        cls, browsers: Chromium, site: City, lesson: PlannedLesson, code: str, other: Phone | None = None
    ) -> Phone:
        """``other``: a phone whose browser process this one may share."""
        screen = (390, 844)
        desktop = (
            browsers.beside(other.desktop, viewport=screen, phone=True)
            if other
            else browsers.desktop(viewport=screen, phone=True)
        )
        page = desktop.open(f"{site.url}/companion/{lesson.id}")
        page.fill("#code", code)
        page.click("#signin-form button")
        page.wait_for_selector("#work:visible")
        return cls(desktop, page)

    def counts_heads(self, absent: int) -> None:
        self.page.wait_for_selector("#count-seats .seat")
        for seat in range(absent):
            self.page.locator("#count-seats .seat").nth(seat).tap()
        self.page.tap("#count-send")
        self.page.wait_for_selector("#count-sent:visible")

    def raises_hand(self) -> None:
        self.page.tap("#hand-form button")
        self.page.wait_for_selector("#hand-lower:visible")


# One seek, then a moment of playing: what is shown and where the sound is, against the player's own room time.
SEEK = """async ({ms}) => {
  const { player } = document.getElementById('replay');
  const part = (name) => document.querySelector(`#replay [data-replay="${name}"]`);
  const [camera, mic, slide] = [part('camera'), part('mic'), part('slide')];
  player.pause();
  player.seek(ms);
  const there = (e) => !e.seeking && e.readyState >= 2 && Math.abs(e.currentTime * 1000 - ms) < 100;
  const ready = () => there(camera) && there(mic);
  for (let i = 0; i < 400 && !ready(); i++) await new Promise((done) => setTimeout(done, 50));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const still = measure.readCounter(camera, camera.videoWidth);
  const page = part('stage').dataset.main === 'slide' ? Number(slide.dataset.page) : null;
  player.play();
  await new Promise((done) => setTimeout(done, 1500)); // the picture is bent to the sound within this
  const moving = [], sound = [];
  for (let i = 0; i < 6; i++) {
    await new Promise((done) => {
      camera.requestVideoFrameCallback(done);
      setTimeout(done, 1000);
    });
    if (player.waiting) continue;
    moving.push([player.room_ms, measure.readCounter(camera, camera.videoWidth)]);
    sound.push([player.room_ms, mic.currentTime * 1000, mic.paused]);
  }
  player.pause();
  return { ms, still, page, moving, sound };
}"""


@dataclass
class Viewer:
    """Somebody who watches the replay on the lesson's page."""

    desktop: Desktop
    page: Page

    @classmethod
    def comes(cls, browsers: Chromium, site: City, lesson: str, login: str = "teacher") -> Viewer:
        desktop = browsers.desktop()
        page = desktop.open(f"{site.url}/login?next=/lessons/{lesson}")
        page.fill("input[name=login]:not([type=hidden])", login)
        page.fill("input[type=password]", DEMO_PASSWORD)
        page.press("input[type=password]", "Enter")
        page.wait_for_selector("#replay[data-ready=true]", state="attached", timeout=60_000)
        return cls(desktop, page)

    def seeks(self, ms: float) -> dict[str, Any]:
        seen: dict[str, Any] = self.page.evaluate(SEEK, {"ms": ms})
        return seen


def slides_pdf() -> bytes:
    """A PDF of plain coloured pages, each with its number large."""
    colours = ["#b4472d", "#2d6eb4", "#2d8a4b", "#8a2d7b", "#8a6a2d", "#2d8a8a"]
    pages = []
    for number, colour in enumerate(colours[:SLIDES], 1):
        page = Image.new("RGB", (960, 540), colour)
        ImageDraw.Draw(page).text((400, 180), str(number), fill="white", font_size=180)
        pages.append(page)
    out = io.BytesIO()
    pages[0].save(out, "PDF", save_all=True, append_images=pages[1:], resolution=96)
    return out.getvalue()


def upload_slides(visitor: Visitor, lesson: str) -> str:
    """Uploads and waits until the pages are drawn; the deck's id."""
    answer = visitor.post(
        f"/api/v1/lessons/{lesson}/decks",
        files={"file": ("课件.pdf", slides_pdf(), "application/pdf")},
        headers={"origin": visitor.origin, "x-csrf": visitor.csrf},
    )
    assert answer.status_code == 202, answer.text
    deck: str = answer.json()["id"]
    end = time.monotonic() + 60
    while time.monotonic() < end:
        now = visitor.get(f"/api/v1/lessons/{lesson}/decks/{deck}").json()
        if now["state"] == "ready":
            assert now["pages"] == SLIDES
            return deck
        assert now["state"] == "rendering", now
        time.sleep(0.2)
    raise TimeoutError("slides were not drawn within a minute")
