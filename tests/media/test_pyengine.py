"""The packet engine through the facade: what a receiver sees when others publish, lose packets, take turns."""

from __future__ import annotations

from dataclasses import replace

from media.parameters import (
    Extensions,
)
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
    audio_slot,
    body_of,
    camera,
    values_of,
    video_slot,
)


def test_a_packet_is_rewritten_for_its_reader(hall: Hall) -> None:
    lesson = Lesson(hall)
    lesson.video.send(KEY)
    lesson.audio.send(b"opus", False, (1, b"\x9e"), (4, b"0"))
    (video, audio), _ = lesson.room.receive()
    head = rtp.parse(video)
    assert (head.ssrc, head.payload_type, head.marker) == (0x5555, 120, True)
    assert body_of(video) == KEY
    assert values_of(video) == {9: b"v", 7: (int(hall.clock.now * 262144) & 0xFFFFFF).to_bytes(3, "big"), 8: b"\0\1"}
    head = rtp.parse(audio)
    assert (head.ssrc, head.payload_type, head.marker) == (0x7777, 63, False)
    assert values_of(audio) | {7: b""} == {9: b"a", 6: b"\x9e", 7: b"", 8: b"\0\2"}, (
        "level passes, transport-wide counts on"
    )
    assert body_of(audio) == b"opus"


def test_numbers_keep_gaps_and_order(hall: Hall) -> None:
    lesson = Lesson(hall)
    packets = [lesson.video.packet(KEY if i == 0 else INTER) for i in range(8)]
    for i in (0, 1, 3, 2, 6, 7, 7):
        lesson.teacher.send(lesson.teacher.protect(packets[i]))
    got, _ = lesson.room.receive()
    first = rtp.parse(got[0]).sequence
    assert [(rtp.parse(p).sequence - first) & 0xFFFF for p in got] == [0, 1, 3, 2, 6, 7]
    stamps = [rtp.parse(p).timestamp for p in got]
    assert (stamps[1] - stamps[0]) & 0xFFFFFFFF == 3000


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


def test_padding_only_packets_keep_the_numbers(hall: Hall) -> None:
    lesson = Lesson(hall)
    lesson.video.send(KEY)
    probe = bytearray(lesson.video.packet(b"\0\0\0\4"))
    probe[0] |= 0x20
    lesson.teacher.send(lesson.teacher.protect(bytes(probe)))
    lesson.video.send(INTER)
    got, _ = lesson.room.receive()
    assert [body_of(p) for p in got] == [KEY, b"", INTER]
    assert [rtp.parse(p).sequence for p in got] == [(rtp.parse(got[0]).sequence + i) & 0xFFFF for i in range(3)]


def test_a_slot_changes_its_track_without_a_seam(hall: Hall) -> None:
    lesson = Lesson(hall)
    other = hall.peer("other")
    hall.sfu.publish("other", "second", camera(), hall.clock.now)
    second = Publisher(other, sequence=200)
    second.timestamp = 3_000_000_000
    lesson.video.send(KEY)
    lesson.video.send(INTER)
    hall.tick(0.5)
    hall.sfu.route("room", "v", "second", hall.clock.now)
    lesson.video.send(INTER)
    second.send(INTER)
    second.send(KEY)
    second.send(INTER)
    got, _ = lesson.room.receive()
    heads = [rtp.parse(p) for p in got]
    assert [body_of(p) for p in got] == [KEY, INTER, KEY, INTER]
    assert [(h.sequence - heads[0].sequence) & 0xFFFF for h in heads] == [0, 1, 2, 3]
    assert (heads[2].timestamp - heads[1].timestamp) & 0xFFFFFFFF == 45000
    assert {h.ssrc for h in heads} == {0x5555}
    hall.sfu.route("room", "v", None, hall.clock.now)
    second.send(KEY)
    assert lesson.room.receive()[0] == []


def test_a_publisher_that_comes_back_with_new_numbers_is_followed_at_its_key_frame(hall: Hall) -> None:
    lesson = Lesson(hall)
    lesson.video.send(KEY)
    lesson.video.sequence = 30000
    for _ in range(3):
        lesson.video.send(INTER)
    lesson.teacher.receive()
    hall.tick(0.6)
    lesson.video.send(KEY)
    got, _ = lesson.room.receive()
    assert [body_of(p) for p in got] == [KEY, KEY]
    assert (rtp.parse(got[1]).sequence - rtp.parse(got[0]).sequence) & 0xFFFF == 1


def test_a_slot_without_the_codec_stays_dark(hall: Hall) -> None:
    lesson = Lesson(hall, route=False)
    codec = replace(video_slot().codecs[0], mime="video/H264", fmtp="packetization-mode=1;profile-level-id=42e01f")
    hall.sfu.add_slot("room", video_slot("h", ssrc=0x9999, codecs=(codec,)))
    hall.sfu.route("room", "h", "camera", hall.clock.now)
    lesson.video.send(KEY)
    assert lesson.room.receive()[0] == []


def test_streams_are_learnt_by_mid(hall: Hall) -> None:
    """An offer without a=ssrc lines: two cameras with one payload type, told apart by the mid extension only."""
    teacher, room = hall.peer("teacher"), hall.peer("room")
    for mid in ("1", "2"):
        hall.sfu.publish("teacher", f"camera{mid}", camera(mid=mid, ssrcs=(), rtx_ssrcs=()), hall.clock.now)
    hall.sfu.add_slot("room", video_slot())
    hall.sfu.route("room", "v", "camera2", hall.clock.now)
    Publisher(teacher, ssrc=1).send(KEY, True)  # no mid: nobody's yet
    Publisher(teacher, ssrc=2).send(KEY + b"1", True, (4, b"1"))
    second = Publisher(teacher, ssrc=3)
    second.send(KEY + b"2", True, (4, b"2"))
    second.send(INTER)  # the mid may be left out from now on
    assert [body_of(p) for p in room.receive()[0]] == [KEY + b"2", INTER]


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


def test_extensions_that_were_not_negotiated_are_absent(hall: Hall) -> None:
    lesson = Lesson(hall, route=False)
    hall.sfu.add_slot("room", audio_slot("b", ssrc=0xAAAA, extensions=Extensions()))
    hall.sfu.route("room", "b", "mic", hall.clock.now)
    lesson.audio.send(b"opus", False, (1, b"\x11"))
    ((packet,), _) = lesson.room.receive()
    assert packet[0] == 0x80
    assert body_of(packet) == b"opus"
