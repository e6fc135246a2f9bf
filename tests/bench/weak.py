"""A receiving room in real Chromium behind a bad line: what it hears and sees, how soon it settles and recovers.

A row is one rate: three rooms with 0, 3 and 10 % loss each way and 100 ms round trip, in a lesson of their own, because
the worst listener's line decides how sound is sent. The teacher is a Chromium that sends a camera in layers and
Mandarin speech, and does what the node asks of it. Slides are page turns (200 bytes of a socket) and, every 30 s, a
page's picture of 40 kB, both on the same line. Last: 60 s (quick: 20) of 60 kbit/s, then 5 Mbit/s again.

*Lost* are sound's packets on the way, drops of a full queue among them. What of it was not *concealed* (invented by the
player, also for what came too late) was repeated by RED or mended by Opus itself (``fec``: packets).

Prints a table and one line of JSON. ``--quick``: one run of the thin rows; ``--runs N --seconds S`` else.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from media.net.server import MediaServer
from media.parameters import AudioBudget, Candidate, LayersWanted, SlotQuality, TransportAnswer, TransportParameters
from media.sfu import Sfu
from tests.support.browser import ARGS, chromium
from tests.support.footage import teacher_devices
from tests.support.media import publish, running, subscribe
from tests.support.village_line import ProxiedLine
from tests.support.weather import Weather

RATES = (2_000_000, 500_000, 250_000, 100_000, 60_000)
LOSSES = (0.0, 0.03, 0.10)
DELAY = 0.05
GOOD = Weather(5_000_000, DELAY)
THIN = Weather(60_000, DELAY)
SLIDE_EVERY, PICTURE_EVERY, PICTURE = 2.0, 30.0, 40_000
BEST = "high"


@dataclass
class Room:
    """One receiving room and what was noted of it."""

    name: str
    line: ProxiedLine
    began: float
    qualities: list[tuple[float, str]] = field(default_factory=list)
    slides: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)
    stats: dict[str, float] = field(default_factory=dict)

    def settled(self) -> float:
        """Seconds until the quality that lasted longest had come for the first time."""
        name = self.usual()
        return next((at - self.began for at, quality in self.qualities if quality == name), 0.0)

    def usual(self) -> str:
        spans: dict[str, float] = {}
        ends = [at for at, _ in self.qualities[1:]] + [time.monotonic()]
        for (at, quality), end in zip(self.qualities, ends, strict=False):
            spans[quality] = spans.get(quality, 0.0) + end - at
        return max(spans, key=lambda one: spans[one], default="off")

    @property
    def concealed(self) -> float:
        return self.stats.get("concealed", 0.0) / max(self.stats.get("samples", 0.0), 1.0)


class Proxied(Sfu):
    """Rooms are told the proxy's address only."""

    through: int | None = None

    def add_transport(
        self, router: str, transport: str, parameters: TransportParameters, now: float
    ) -> TransportAnswer:
        answer = super().add_transport(router, transport, parameters, now)
        if self.through is None:
            return answer
        return replace(answer, candidates=(Candidate("udp", "127.0.0.1", self.through, 2130706431, "u0"),))


class Bench:
    """One browser for the teacher, one for the rooms, one node."""

    def __init__(self, sfu: Proxied, server: MediaServer, teacher: Page, hall: Page) -> None:
        self.sfu, self.server, self.teacher, self.hall = sfu, server, teacher, hall
        self.rooms: dict[str, Room] = {}
        self.loop = asyncio.get_running_loop()
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        offer = await self.teacher.evaluate("teach()")
        answer = publish(self.sfu, "lesson", "teacher", offer, self.loop.time(), "video/VP8")
        await self.teacher.evaluate("sdp => taught(sdp)", answer)
        self._tasks.append(asyncio.create_task(self._obey()))

    async def join(self, name: str, weather: Weather, seed: int) -> Room:
        line = await ProxiedLine.open(("127.0.0.1", self.server.port), weather, seed)
        self.sfu.through = line.port
        offer = await self.hall.evaluate("name => watch(name)", name)
        now = self.loop.time()
        answer = subscribe(self.sfu, "lesson", name, offer, now, transport_cc=True)
        room = self.rooms[name] = Room(name, line, time.monotonic())
        await self.hall.evaluate("([name, sdp]) => watched(name, sdp)", [name, answer])
        self.sfu.route(name, "0", "teacher/0", now)
        self.sfu.route(name, "1", "teacher/1", now)
        self._tasks.append(asyncio.create_task(self._slides(room)))
        return room

    async def note(self) -> None:
        for name, row in (await self.hall.evaluate("heard()")).items():
            self.rooms[name].stats = row

    async def leave(self) -> None:
        await self.note()
        for task in self._tasks[1:]:
            task.cancel()
        del self._tasks[1:]
        await self.hall.evaluate("leave()")
        for room in self.rooms.values():
            self.sfu.remove_transport(room.name, self.loop.time())
            room.line.close()
        self.rooms = {}

    async def _obey(self) -> None:
        """The teacher's page does what the node asks; what rooms get is noted."""
        while True:
            for event in self.sfu.events():
                if isinstance(event, LayersWanted):
                    await self.teacher.evaluate("rids => layers(rids)", list(event.rids))
                elif isinstance(event, AudioBudget):
                    await self.teacher.evaluate("([b, p]) => sound(b, p)", [event.bitrate, event.ptime_ms])
                elif isinstance(event, SlotQuality) and event.transport in self.rooms:
                    self.rooms[event.transport].qualities.append((time.monotonic(), event.quality))
            await asyncio.sleep(0.05)

    async def _slides(self, room: Room) -> None:
        """Page turns all the time, a new page's picture now and then."""
        turns = round(PICTURE_EVERY / SLIDE_EVERY)
        for turn in range(10_000):
            began = self.loop.time()
            await room.line.tcp(PICTURE if turn % turns == turns - 1 else 200)
            (room.pictures if turn % turns == turns - 1 else room.slides).append(self.loop.time() - began)
            await asyncio.sleep(max(0.0, began + SLIDE_EVERY - self.loop.time()))


@asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    async with async_playwright() as playwright, running(sfu=Proxied) as (sfu, server):
        assert isinstance(sfu, Proxied)
        devices = teacher_devices()
        camera = [
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={devices.video}",
            f"--use-file-for-fake-audio-capture={devices.audio}",
        ]
        pages, browsers = [], []
        for more in (camera, []):
            arguments = [*ARGS, "--autoplay-policy=no-user-gesture-required", *more]
            browser: Browser = await playwright.chromium.launch(executable_path=chromium(), args=arguments)
            browsers.append(browser)
            pages.append(await _page(browser))
        made = Bench(sfu, server, *pages)
        await made.begin()
        try:
            yield made
        finally:
            await made.leave()
            made._tasks[0].cancel()
            for browser in browsers:
                await browser.close()


async def _page(browser: Browser) -> Page:
    page = await browser.new_page()
    await page.route("**/*", lambda r: r.fulfill(body="<!doctype html><body></body>", content_type="text/html"))
    await page.goto("http://localhost/")
    await page.add_script_tag(path=Path(__file__).with_name("weak.js"))
    return page


async def row(bench: Bench, rate: int, seconds: float, seed: int) -> list[dict[str, Any]]:
    """One rate, all losses at once."""
    rooms = [
        await bench.join(f"{rate}-{loss}-{seed}", Weather(rate, DELAY, loss), seed * 100 + i)
        for i, loss in enumerate(LOSSES)
    ]
    await asyncio.sleep(seconds)
    await bench.note()
    found = [_result(room, rate, loss) for room, loss in zip(rooms, LOSSES, strict=True)]
    await bench.leave()
    return found


def _result(room: Room, rate: int, loss: float) -> dict[str, Any]:
    return {
        "rate": rate,
        "loss": loss,
        "concealed": room.concealed,
        "quality": room.usual(),
        "settle_s": room.settled(),
        "changes": len(room.qualities) - 1,
        "freezes": room.stats.get("freezes", 0),
        "frozen_s": room.stats.get("frozen", 0.0),
        "frames": room.stats.get("frames", 0),
        "slide_s": max(room.slides, default=0.0),
        "picture_s": max(room.pictures, default=0.0),
        "sound_delay_s": room.stats.get("delay", 0.0),
        "lost": room.stats.get("lost", 0.0),
        "fec": room.stats.get("fec", 0),
    }


async def recovery(bench: Bench, seconds: float, seed: int) -> float:
    """Seconds from the line's return until the best picture is shown; inf: not within 30."""
    room = await bench.join(f"back-{seed}", GOOD, seed)
    await asyncio.sleep(8)
    room.line.change(THIN)
    await asyncio.sleep(seconds)
    room.line.change(GOOD)
    back = time.monotonic()
    while time.monotonic() - back < 30:
        await asyncio.sleep(0.1)
        if room.qualities and room.qualities[-1][1] == BEST and room.qualities[-1][0] > back:
            break
    found = room.qualities[-1][0] - back if room.qualities and room.qualities[-1][1] == BEST else float("inf")
    await bench.leave()
    return found


def table(results: list[dict[str, Any]], backs: list[float]) -> list[dict[str, Any]]:
    """Median and worst of the runs, a line each."""
    lines = []
    print("  rate  loss  lost  concealed % (worst) quality settle s changes freezes (s) frames  turn s  page s delay s")
    for rate, loss in dict.fromkeys((one["rate"], one["loss"]) for one in results):
        runs = [one for one in results if (one["rate"], one["loss"]) == (rate, loss)]
        mid = {k: statistics.median(run[k] for run in runs) for k in runs[0] if k != "quality"}
        worst = max(run["concealed"] for run in runs)
        qualities = [run["quality"] for run in runs]
        usual = max(set(qualities), key=qualities.count)
        lines.append({**{k: round(v, 4) for k, v in mid.items()}, "worst": round(worst, 4), "quality": usual})
        print(
            f"{rate / 1000:6.0f} {loss:5.0%} {mid['lost']:5.1%} {mid['concealed']:11.2%} {worst:8.2%}"
            f" {usual:>7} {mid['settle_s']:8.1f} {mid['changes']:7.0f} {mid['freezes']:7.0f} {mid['frozen_s']:5.1f}"
            f" {mid['frames']:6.0f} {mid['slide_s']:7.2f} {mid['picture_s']:7.2f} {mid['sound_delay_s']:7.2f}"
        )
    print(f"back at full quality after {', '.join(f'{one:.1f}' for one in backs)} s")
    return lines


async def measure(rates: tuple[int, ...], runs: int, seconds: float, thin: float) -> dict[str, Any]:
    results: list[dict[str, Any]] = []
    backs: list[float] = []
    for seed in range(1, runs + 1):
        async with bench() as made:
            for rate in rates:
                results += await row(made, rate, seconds, seed)
            backs.append(await recovery(made, thin, seed))
    lines = table(results, backs)
    value = next((one["concealed"] for one in lines if (one["rate"], one["loss"]) == (100_000, 0.03)), None)
    return {"bench": "weak", "value": value, "unit": "share", "recover_s": statistics.median(backs), "table": lines}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rates", type=int, nargs="*", default=RATES)
    chosen = parser.parse_args()
    if chosen.quick:
        found = asyncio.run(measure((500_000, 100_000), 1, 20.0, 20.0))
    else:
        found = asyncio.run(measure(tuple(chosen.rates), chosen.runs, chosen.seconds, chosen.seconds))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
