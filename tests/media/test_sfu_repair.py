"""Losses through the facade: reports and wishes of real peers become the engine's calls, and the other way round."""

from __future__ import annotations

from dataclasses import replace

from media.engine import Detail
from media.wire import feedback, rtp
from tests.support.media_hall import (
    INTER,
    KEY,
    NACK,
    PLI,
    VIDEO_SSRC,
    Hall,
    Lesson,
    Publisher,
    body_of,
    camera,
    video_slot,
)


def test_nothing_is_shown_before_a_key_frame_and_one_is_asked_for(hall: Hall) -> None:
    lesson = Lesson(hall)
    lesson.video.send(INTER)
    assert lesson.room.receive()[0] == []
    assert [feedback.media_ssrc(p) for p in lesson.asked(lesson.teacher, PLI)] == [VIDEO_SSRC]
    lesson.video.send(KEY)
    lesson.video.send(INTER)
    assert [body_of(p) for p in lesson.room.receive()[0]] == [KEY, INTER]


def test_what_the_room_lost_is_sent_again_as_rtx(hall: Hall) -> None:
    lesson = Lesson(hall)
    lesson.video.send(KEY)
    lesson.video.send(b"\x10\x01wanted")
    lesson.video.send(INTER)
    lost = lesson.room.receive()[0][1]
    nack = feedback.build_nack(9, 0x5555, [rtp.parse(lost).sequence])
    lesson.room.send_rtcp(nack)
    lesson.room.send_rtcp(nack)
    (again,) = lesson.room.receive()[0]
    head = rtp.parse(again)
    assert (head.ssrc, head.payload_type, head.timestamp) == (0x6666, 121, rtp.parse(lost).timestamp)
    assert body_of(again) == lost[2:4] + body_of(lost), "RFC 4588: original sequence number, then the payload"
    stats = {s.transport: s for s in hall.sfu.stats("lesson")}["room"]
    assert (stats.nacks_received, stats.retransmitted) == (2, 1), "not twice within 150 ms"
    lesson.room.send_rtcp(feedback.build_nack(9, 0x5555, [40000]))
    lesson.room.send_rtcp(feedback.build_nack(9, 0x9999, [1]))
    assert lesson.room.receive()[0] == []


def test_a_thin_line_gets_little_again_and_nothing_of_what_is_not_shown(hall: Hall) -> None:
    lesson = Lesson(hall)
    for body in (KEY, *[INTER] * 8):
        lesson.video.send(body)
    numbers = [rtp.parse(packet).sequence for packet in lesson.room.receive()[0]]
    state = hall.sfu._registry.states["room"]
    assert state.subscriber.estimator is not None
    state.subscriber.estimator.rate = 65_000.0
    lesson.room.send_rtcp(feedback.build_nack(9, 0x5555, numbers))
    assert len(lesson.room.receive()[0]) == 3
    state.slots["v"].detail = Detail.NOTHING
    hall.clock.pass_(60.0)
    lesson.room.send_rtcp(feedback.build_nack(9, 0x5555, numbers))
    assert lesson.room.receive()[0] == []


def test_without_rtx_the_very_same_number_comes_again(hall: Hall) -> None:
    lesson = Lesson(hall, route=False)
    codec = replace(video_slot().codecs[0], rtx=None)
    lesson.sfu.add_slot("room", video_slot("w", ssrc=0x8888, rtx_ssrc=None, codecs=(codec,)))
    lesson.sfu.route("room", "w", "camera", hall.clock.now)
    lesson.video.send(KEY)
    lesson.video.send(b"\x10\x01wanted")
    dropped = hall.wire.take(lesson.room.path[1])  # never reaches the room
    assert len(dropped) == 2
    lesson.video.send(INTER)
    ((third,), _) = lesson.room.receive()
    lesson.room.send_rtcp(feedback.build_nack(9, 0x8888, [rtp.parse(third).sequence - 1 & 0xFFFF]))
    ((again,), _) = lesson.room.receive()
    assert body_of(again) == b"\x10\x01wanted"
    assert rtp.parse(again).ssrc == 0x8888


def test_what_the_teacher_lost_is_asked_for_and_taken_from_rtx(hall: Hall) -> None:
    lesson = Lesson(hall)
    lesson.video.send(KEY)
    lost = lesson.video.packet(b"\x10\x01lost")
    lesson.video.send(INTER)
    lesson.teacher.receive()
    hall.run(0.04)
    asked = [s for p in lesson.asked(lesson.teacher, NACK) for s in feedback.nacked(p)]
    assert asked == [rtp.parse(lost).sequence]
    lesson.video.rtx(lost)
    lesson.video.rtx(lost)  # trap 7: browsers probe with old packets
    got, _ = lesson.room.receive()
    first = rtp.parse(got[0]).sequence
    assert [(rtp.parse(p).sequence - first) & 0xFFFF for p in got] == [0, 2, 1]
    assert body_of(got[2]) == b"\x10\x01lost"
    assert rtp.parse(got[2]).payload_type == 120
    hall.run(0.5)
    assert lesson.asked(lesson.teacher, NACK) == []


def test_of_a_simulcast_offer_one_layer_is_taken(hall: Hall) -> None:
    teacher, room = hall.peer("teacher"), hall.peer("room")
    hall.sfu.publish("teacher", "camera", camera(ssrcs=(), rtx_ssrcs=(), rids=("q", "h")), hall.clock.now)
    hall.sfu.add_slot("room", video_slot())
    hall.sfu.route("room", "v", "camera", hall.clock.now)
    low, high = Publisher(teacher, ssrc=1), Publisher(teacher, ssrc=2)
    high.send(KEY + b"h", True, (4, b"1"), (10, b"h"))
    low.send(KEY + b"q", True, (4, b"1"), (10, b"q"))
    high.send(INTER)
    low.send(INTER)
    assert [body_of(p) for p in room.receive()[0]] == [KEY + b"q", INTER]
