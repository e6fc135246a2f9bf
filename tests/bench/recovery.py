"""What a crash costs: kill -9 of the node, then of the web, at random moments of a lesson (`bench recovery`).

A real lesson: `tongtang up`, a Chromium teacher, one kiosk. For each kill it measures
    back_s   seconds until the room's screen decodes new pictures of the teacher (aim <= 5); the web: until it answers
    lost_s   seconds of what the node had already received before the kill that no replay holds (aim <= 2)
    gap_s    the whole hole in the recording, the time without a node included
and over all of them facts lost (0): every op that a page was told is done must stand in the ledger's lesson.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.support.browser import Chromium, start_chromium
from tests.support.classroom import Kiosk, Teacher, upload_slides
from tests.support.processes import answers, wait_until
from tests.support.replayed import Recorded
from tests.support.site import PlannedLesson, Site


@dataclass
class Kill:
    """One crash and what it cost."""

    of: str
    at_room_ms: float
    back_s: float
    lost_s: float = 0.0
    gap_s: float = 0.0


def room_now(teacher: Teacher) -> float:
    return float(teacher.page.evaluate("measure.roomOffset() + performance.now()"))


def kill(site: Site, word: str) -> None:
    os.kill(site.child(word), signal.SIGKILL)


def crash_node(site: Site, teacher: Teacher, kiosk: Kiosk) -> Kill:
    """Until pictures are decoded again on a connection made after the kill."""
    at = room_now(teacher)
    connections = int(kiosk.page.evaluate("measure.seen.pcs.length"))
    kill(site, "node")
    began = time.monotonic()
    wait_until(lambda: kiosk.page.evaluate("n => measure.pictures(n)", connections) > 2, 60, "the room to be back")
    return Kill("node", at, time.monotonic() - began)


def crash_web(site: Site, teacher: Teacher, kiosk: Kiosk) -> Kill:
    """The lesson must go on meanwhile; back is the web itself."""
    at, frames = room_now(teacher), kiosk.frames()
    kill(site, "web")
    began = time.monotonic()
    wait_until(lambda: not answers(site.url + "/healthz"), 5, "the web to be gone")
    wait_until(lambda: answers(site.url + "/healthz"), 60, "the web to be back")
    back = time.monotonic() - began
    wait_until(lambda: kiosk.frames() > frames, 10, "pictures while the web was away")
    return Kill("web", at, back)


def hole(recorded: Recorded, track: str, at_ms: float) -> tuple[float, float]:
    """(lost before the kill, whole hole) around a moment, in seconds."""
    spans = recorded.covered(track)
    before = max((end for _, end in spans if end <= at_ms + 500), default=spans[0][0])
    for start, end in spans:
        if start <= at_ms <= end:
            before = max(before, min(end, at_ms))
            if end > at_ms + 1500:
                return 0.0, 0.0
            before = end
    after = min((start for start, _ in spans if start >= before), default=before)
    return max(0.0, at_ms - before) / 1000, max(0.0, after - before) / 1000


def lesson_with_crashes(site: Site, browsers: Chromium, kills: int, seed: int) -> tuple[list[Kill], int, int]:
    """The kills, the facts that a page was promised, and those the ledger misses."""
    chance = random.Random(seed)
    lesson = site.plan_lesson("灾难演练", starts_in=5, minutes=60, rooms=1)
    with site.visitor("teacher") as visitor:
        upload_slides(visitor, lesson.id)
    kiosk = Kiosk.hung_up(browsers, site, lesson, 0)
    teacher = Teacher.comes(browsers, site, lesson)
    kiosk.enters_by_itself()
    teacher.opens()
    kiosk.receives()
    done: list[Kill] = []
    said = 0
    for of in ("node", "web"):
        for number in range(kills):
            time.sleep(chance.uniform(8, 14))
            said += 1
            teacher.says(f"{of} {number}")
            time.sleep(chance.uniform(0, 1))
            done.append((crash_node if of == "node" else crash_web)(site, teacher, kiosk))
            print(f"{of} {number + 1}/{kills}: back after {done[-1].back_s:.1f} s", file=sys.stderr, flush=True)
    time.sleep(4)
    teacher.closes()
    return judge(site, lesson, done, said)


def judge(site: Site, lesson: PlannedLesson, done: list[Kill], said: int) -> tuple[list[Kill], int, int]:
    with site.visitor("teacher") as visitor:
        wait_until(lambda: Recorded(visitor, lesson.id).replay["state"] == "closed", 120, "the replay to be closed")
        recorded = Recorded(visitor, lesson.id)
        for one in done:
            holes = [hole(recorded, track, one.at_room_ms) for track in ("camera", "mic")]
            one.lost_s, one.gap_s = max(lost for lost, _ in holes), max(gap for _, gap in holes)
        wait_until(lambda: chats(site, lesson.id) >= said, 60, "facts to arrive")
    return done, said, said - chats(site, lesson.id)


def chats(site: Site, lesson: str) -> int:
    """Chat facts of this lesson in the ledger."""
    import sqlite3

    path = site.data / "tongtang.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        row = database.execute("select count(*) from facts where lesson_id = ? and kind = 'Chat'", (lesson,)).fetchone()
    return int(row[0])


def table(done: list[Kill]) -> None:
    print(f"{'killed':<8}{'at':>8}{'back s':>9}{'lost s':>9}{'gap s':>9}")
    for one in done:
        print(f"{one.of:<8}{one.at_room_ms / 1000:>7.1f}s{one.back_s:>9.2f}{one.lost_s:>9.2f}{one.gap_s:>9.2f}")


def worst(done: list[Kill], of: str, field: str) -> float:
    return round(max((getattr(one, field) for one in done if one.of == of), default=0.0), 2)


def summary(done: list[Kill], facts: int, lost: int) -> dict[str, Any]:
    node = [one for one in done if one.of == "node"]
    return {
        "bench": "recovery",
        "value": worst(done, "node", "back_s"),
        "unit": "s until the room is back, worst",
        "kills": len(done),
        "node_back_median_s": round(sorted(one.back_s for one in node)[len(node) // 2], 2),
        "node_lost_worst_s": worst(done, "node", "lost_s"),
        "node_gap_worst_s": worst(done, "node", "gap_s"),
        "web_back_worst_s": worst(done, "web", "back_s"),
        "web_lost_worst_s": worst(done, "web", "gap_s"),
        "facts": facts,
        "facts_lost": lost,
        "each": [asdict(one) for one in done],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two kills each instead of ten")
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tongtang-recovery-") as folder, start_chromium() as browsers:
        site = Site(Path(folder) / "data")
        try:
            done, facts, lost = lesson_with_crashes(site, browsers, 2 if words.quick else 10, words.seed)
        finally:
            site.stop()
    table(done)
    print(json.dumps(summary(done, facts, lost)))


if __name__ == "__main__":
    main()
