"""What a room got of the picture: only while the lesson is open, each moment once, shown where the figures rest."""

from __future__ import annotations

from server.participation import service as ledger
from server.participation.picture import Picture, pictures
from signaling.facts import Fact
from tests.server.indicators.test_rollup import City
from tests.support.ledger import MINUTE, Story
from tests.support.web import Web


def got(gets: str, start: int, end: int, room: str | None = "1", role: str = "class") -> Fact:
    data = {"role": role, "seat": f"r-{room}", "from_at": start, "to_at": end, "gets": gets}
    return Fact(f"L:1:{gets}{start}{end}", "Quality", "L", 1, end, end, room, None, data)


def test_stills_and_sound_alone_by_room() -> None:
    facts = [
        got("stills", 0, 30_000),
        got("stills", 20_000, 40_000),
        got("sound", 40_000, 90_000),
        got("high", 90_000, 99_000),
        got("high", 0, 99_000, room="2"),
        got("stills", 0, 9_000, room="3", role="watch"),
        got("stills", 0, 60 * MINUTE, room="4"),  # a clock was set
    ]
    found = pictures(facts, ((10_000, 50_000),))
    assert found == {"1": Picture(((10_000, 40_000),), ((40_000, 50_000),)), "2": Picture((), ())}
    assert (found["1"].stills_ms, found["1"].sound_ms) == (30_000, 10_000)


def test_a_blink_is_told_as_nothing() -> None:
    assert Picture(((0, 5_999),), ((0, 6_000),)).stills_ms == 0
    assert Picture(((0, 5_999),), ((0, 6_000),)).sound_ms == 6_000


async def test_it_stands_in_the_lesson_s_evidence(web: Web) -> None:
    city = await City(web).build()
    lesson = await city.lesson(40, 40)
    first, second = (room.id for room in city.rooms)
    story = Story(lesson, epoch=2)
    story.tell("LessonOpened", 0)
    for minute, room, gets in ((5, first, "stills"), (6, first, "stills"), (7, first, "sound"), (5, second, "mid")):
        at = story.start + minute * MINUTE
        times = {"from_at": at, "to_at": at + MINUTE}
        story.tell("Quality", minute + 1, room, role="class", seat=f"r-{room}", gets=gets, **times)
    story.tell("Quality", 9, first, seat=f"r-{first}")  # a broken sender's
    async with web.database.transaction() as session:
        await ledger.ingest(session, story.facts, web.clock.now())
    await ledger.catch_up(web.database, web.clock)
    page = await web.sign_in(await web.person("city_admin"))
    shown = (await page.get(f"/indicators/lessons/{lesson.id}")).text
    assert "只有静帧（几秒一张） 2.0 分钟" in shown and "只有声音 1.0 分钟" in shown and "一直是活动画面" in shown
