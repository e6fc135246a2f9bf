"""Who speaks, in a room: pages are told at once, the ledger gets talks, and only who can be heard counts."""

from __future__ import annotations

from media.parameters import Speaking
from signaling.seats import Role
from tests.support.liveroom import START_MS, Bench
from tests.support.offers import offer

TEACHER, ROOM = "t-teacher", "r-room1"


def stage() -> tuple[Bench, str, str]:
    bench = Bench.make()
    teacher, room = bench.join("teacher"), bench.join("class", "room1")
    for connection, seat in ((teacher, TEACHER), (room, ROOM)):
        bench.offer(connection, "pub", offer("chromium-pub"), {"0": "mic", "1": "camera"})
        bench.connect(seat, "pub")
    return bench, teacher, room


def turn(bench: Bench, seat: str, on: bool) -> None:
    transport = bench.transport(seat, "pub")
    bench.event(Speaking(bench.room.lesson, transport, f"{transport}/mic", on))


def said(bench: Bench, connection: str) -> list[list[str]]:
    return [one["seats"] for one in bench.sent[connection] if one["type"] == "speaking"]


def test_the_teacher_s_talk_is_shown_and_counted() -> None:
    bench, teacher, room = stage()
    bench.wish(teacher, "lesson.open")
    bench.now = 10.0
    turn(bench, TEACHER, True)
    assert said(bench, room) == [[TEACHER]]
    bench.now = 30.0
    turn(bench, TEACHER, False)
    assert said(bench, room) == [[TEACHER], []]
    bench.pass_time(4)
    (fact,) = bench.counted("Spoke")
    assert (fact.data["from_at"], fact.data["to_at"]) == (START_MS + 10_000, START_MS + 30_000)
    assert (fact.data["seat"], fact.data["role"]) == (TEACHER, "teacher")


def test_a_room_without_the_floor_is_not_heard_and_with_it_at_once() -> None:
    bench, teacher, _ = stage()
    bench.wish(teacher, "lesson.open")
    turn(bench, ROOM, True)
    bench.pass_time(5)
    assert said(bench, teacher) == [] and bench.counted("Spoke") == []
    bench.wish(teacher, "floor.give", seat=ROOM)
    bench.pass_time(1)
    assert said(bench, teacher) == [[ROOM]]
    bench.pass_time(9)
    bench.wish(teacher, "floor.take", seat=ROOM)
    bench.pass_time(1)
    assert said(bench, teacher) == [[ROOM], []]
    (fact,) = bench.counted("Spoke")
    assert fact.room == "room1" and 8_000 < fact.data["to_at"] - fact.data["from_at"] < 11_000


def test_nothing_counts_before_the_opening() -> None:
    bench, teacher, _ = stage()
    turn(bench, TEACHER, True)
    bench.pass_time(70)
    assert bench.counted("Spoke") == []
    bench.wish(teacher, "lesson.open")
    bench.pass_time(1)
    assert said(bench, teacher) == [[TEACHER]]


def test_who_comes_later_is_told_and_who_leaves_has_talked() -> None:
    bench, teacher, _ = stage()
    bench.wish(teacher, "lesson.open")
    turn(bench, TEACHER, True)
    role: Role = "class"
    assert said(bench, bench.join(role, "room2")) == [[TEACHER]]
    bench.pass_time(5)
    bench.do(bench.room.leave(teacher, bench.now))
    bench.pass_time(1)
    (fact,) = bench.counted("Spoke")
    assert fact.data["role"] == "teacher"


def test_a_connection_that_ends_has_stopped_speaking() -> None:
    bench, teacher, room = stage()
    bench.wish(teacher, "lesson.open")
    turn(bench, TEACHER, True)
    transport = bench.transport(TEACHER, "pub")
    bench.lose(TEACHER, "pub", "closed")
    bench.event(Speaking(bench.room.lesson, transport, f"{transport}/mic", False))
    assert said(bench, room) == [[TEACHER], []]
    bench.pass_time(10)
    assert said(bench, room) == [[TEACHER], []]


def test_the_end_counts_what_goes_on() -> None:
    bench, teacher, _ = stage()
    bench.wish(teacher, "lesson.open")
    bench.pass_time(1)
    turn(bench, TEACHER, True)
    bench.pass_time(7)
    bench.do(bench.room.close("shutdown", bench.now))
    assert len(bench.counted("Spoke")) == 1
