"""Talk time: unions, only while the lesson is open, and shown where the figures rest."""

from __future__ import annotations

from server.participation import service as ledger
from server.participation.talk import Talk, talks
from signaling.facts import Fact
from tests.server.indicators.test_rollup import City
from tests.support.ledger import MINUTE, Story
from tests.support.web import Web


def spoke(seat: str, start: int, end: int, room: str | None = None) -> Fact:
    role = "teacher" if room is None else "class"
    data = {"role": role, "seat": seat, "from_at": start, "to_at": end}
    return Fact(f"L:1:{seat}{start}{end}", "Spoke", "L", 1, end, end, room, None, data)


def test_a_moment_counts_once_and_only_in_the_open_lesson() -> None:
    facts = [
        spoke("r-1", 50, 90, "1"),
        spoke("t-x", 0, 40),
        spoke("t-x", 30, 60),
        spoke("t-x", 90, 150),
        spoke("t-x", 200, 100),
    ]
    assert talks(facts, ((10, 100),)) == [
        Talk("t-x", None, ((10, 60), (90, 100))),
        Talk("r-1", "1", ((50, 90),)),
    ]


def test_a_talk_of_hours_is_a_clock_that_was_set() -> None:
    assert talks([spoke("t-x", 0, 60 * MINUTE)], ((0, 99 * MINUTE),)) == []


async def test_it_stands_in_the_lesson_s_evidence(web: Web) -> None:
    city = await City(web).build()
    lesson = await city.lesson(40, 40)
    story = Story(lesson, epoch=2)
    story.tell("LessonOpened", 0)
    for start, seat, room in ((1, f"t-{lesson.teacher_id}", None), (5, f"r-{city.rooms[0].id}", city.rooms[0].id)):
        at = story.start + start * MINUTE
        role = "teacher" if room is None else "class"
        story.tell("Spoke", start + 1, room, role=role, seat=seat, from_at=at, to_at=at + MINUTE)
    async with web.database.transaction() as session:
        await ledger.ingest(session, story.facts, web.clock.now())
    await ledger.catch_up(web.database, web.clock)
    page = await web.sign_in(await web.person("city_admin"))
    shown = (await page.get(f"/indicators/lessons/{lesson.id}")).text
    assert "谁在发言" in shown and "1.0 分钟（50%）" in shown and 'class="spoke"' in shown
    figures = (await page.get(f"/api/v1/participation/lessons/{lesson.id}/talk")).json()
    assert [(one["room"], one["spoke_ms"]) for one in figures] == [(None, MINUTE), (city.rooms[0].id, MINUTE)]
