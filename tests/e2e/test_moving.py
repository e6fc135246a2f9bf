"""A live lesson goes to another node and back: nobody presses a key, and the silence is counted, not believed.

Two nodes of one `tongtang up`. First an administrator moves the room; then the node that has it is told to stop.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.browser import Chromium, shot
from tests.support.classroom import Kiosk, Teacher, upload_slides
from tests.support.processes import children_of, wait_until
from tests.support.replayed import Recorded
from tests.support.site import PlannedLesson, Site

pytestmark = pytest.mark.e2e

SILENCE_MS = 3000
"""The issue's limit."""
BESIDE_MS = 2500
"""What is listened to before and after the move."""


@dataclass
class Live:
    site: Site
    lesson: PlannedLesson
    teacher: Teacher
    kiosk: Kiosk

    def node_of_room(self) -> tuple[str, int]:
        """Name and process of the node that has the room's log open."""
        for pid, command in children_of(self.site.process.pid).items():
            if command.split()[-1:] == ["node"]:
                environ = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
                told = dict(line.split("=", 1) for line in environ if "=" in line)
                log = Path(told["TONGTANG_SPOOL"]) / "rooms" / f"{self.lesson.id}.jsonl"
                if any(file.resolve() == log for file in Path(f"/proc/{pid}/fd").iterdir()):  # a spare has it not open
                    return told["TONGTANG_NODE_ID"], pid
        return "", 0


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, browsers: Chromium) -> Iterator[Live]:
    site = Site(tmp_path_factory.mktemp("moving") / "data", nodes=2)
    try:
        lesson = site.plan_lesson("搬家", starts_in=5, minutes=60, rooms=1)
        with site.visitor("teacher") as visitor:
            upload_slides(visitor, lesson.id)
        kiosk = Kiosk.hung_up(browsers, site, lesson, 0)
        teacher = Teacher.comes(browsers, site, lesson)
        kiosk.enters_by_itself()
        teacher.opens()
        teacher.opens_slides()
        teacher.turns_to(2)
        teacher.says("搬家之前")
        kiosk.receives()
        yield Live(site, lesson, teacher, kiosk)
    finally:
        site.stop()


def listened(live: Live, move: Callable[[], object]) -> float:
    """The room's longest silence (ms) around what ``move`` does."""
    connections = live.kiosk.page.evaluate("measure.seen.pcs.length")
    live.kiosk.page.evaluate("{ measure.watchVoice(); null }")
    time.sleep(BESIDE_MS / 1000)
    move()
    wait_until(lambda: live.kiosk.page.evaluate("n => measure.pictures(n)", connections) > 5, 60, "pictures again")
    time.sleep(BESIDE_MS / 1000)
    return float(live.kiosk.page.evaluate("measure.silence()"))


def goes_on(live: Live, page: int) -> None:
    """Board, chat and log are what they were, and wishes are granted."""
    assert live.teacher.page.inner_text("#bar-page").strip().startswith(f"{page} /")
    assert "搬家之前" in live.teacher.page.inner_text("#chat")
    live.teacher.turns_to(page + 1)
    live.kiosk.page.wait_for_selector(f'.stage-slide[data-page$="/{page + 1}"]:visible')


def test_on_command(live: Live) -> None:
    before, _ = live.node_of_room()

    def move() -> None:
        with live.site.visitor("city") as city:
            moved = city.tell(f"/api/v1/liverooms/{live.lesson.id}/move", {"to": None})
        assert (moved["old"], moved["epoch"]) == (before, 2) and moved["new"] != before

    silence = listened(live, move)
    print(f"silence of the room while it moved: {silence:.0f} ms")
    shot(live.kiosk.page, "moved-kiosk")
    assert silence <= SILENCE_MS
    goes_on(live, 2)
    wait_until(lambda: live.node_of_room()[0] not in ("", before), 60, "the old node to let go")


def test_a_node_that_is_told_to_stop_moves_its_rooms_first(live: Live) -> None:
    before, pid = live.node_of_room()
    silence = listened(live, lambda: os.kill(pid, signal.SIGTERM))
    print(f"silence of the room while its node stopped: {silence:.0f} ms")
    assert silence <= SILENCE_MS
    goes_on(live, 3)
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), 60, "the node to end")
    assert live.node_of_room()[0] not in ("", before)


def test_one_replay_holds_all_of_it(live: Live) -> None:
    """Three epochs, one recording; its holes are the moves'."""
    with live.site.visitor("teacher") as visitor:

        def whole() -> bool:
            recorded = Recorded(visitor, live.lesson.id)
            return "mic" in recorded.names() and len({one["init"].split("-")[0] for one in fragments(recorded)}) == 3

        def fragments(recorded: Recorded) -> list[dict[str, str]]:
            track = next(one for one in recorded.replay["tracks"] if one["track"] == "mic")
            return list(track["fragments"])

        wait_until(whole, 60, "fragments of all three epochs")
        recorded = Recorded(visitor, live.lesson.id)
        spans = recorded.covered("mic")
        holes = [after[0] - before[1] for before, after in itertools.pairwise(spans)]
        print(f"holes in the recorded sound: {[round(hole) for hole in holes]} ms")
        assert all(hole <= SILENCE_MS + 1000 for hole in holes)
        kinds = [op["kind"] for op in recorded.replay["ops"]]
        assert kinds.count("handover") == kinds.count("epoch") == 2
