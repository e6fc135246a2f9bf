"""What happens by itself: reports, feedback, requests for pictures, on a clock moved by hand."""

from __future__ import annotations

import pytest

from media.wire import feedback, rtcp, rtp
from tests.support.media_hall import (
    INTER,
    KEY,
    PLI,
    TWCC,
    VIDEO_SSRC,
    Hall,
    Lesson,
    Publisher,
    video_slot,
)


def test_reports_to_the_publisher(hall: Hall) -> None:
    lesson = Lesson(hall)
    hall.tick()
    lesson.video.send(KEY)
    lesson.video.packet(INTER)
    lesson.video.send(INTER)
    lesson.teacher.send_rtcp(rtcp.build_sender_report(rtcp.SenderReport(VIDEO_SSRC, rtcp.to_ntp(5000.0), 4000, 2, 20)))
    lesson.teacher.receive()
    hall.clock.pass_(1.0)
    hall.sfu.tick(hall.clock.now)
    reports = [rtcp.receiver_report(p) for c in lesson.teacher.receive()[1] for p in rtcp.split(c)]
    (block,) = next(r for r in reports if r is not None).blocks
    assert (block.ssrc, block.fraction, block.lost) == (VIDEO_SSRC, 256 // 3, 1)
    assert block.highest & 0xFFFF == lesson.video.sequence
    assert block.lsr == 5000 << 16
    assert block.dlsr == pytest.approx(65536, abs=2)


def test_sender_reports_keep_sound_and_picture_together(hall: Hall) -> None:
    """The teacher's clock is an hour off. Media captured at one instant must map to one instant at the room."""
    lesson = Lesson(hall)
    hall.tick()
    wall = hall.clock.now + 3600.0
    lesson.video.send(KEY)
    lesson.audio.send(b"opus")
    (video, audio), _ = lesson.room.receive()
    for source, rate in ((lesson.video, 90000), (lesson.audio, 48000)):
        ahead = round(0.25 * rate)  # the report is taken a quarter of a second after those packets
        report = rtcp.SenderReport(source.ssrc, rtcp.to_ntp(wall + 0.25), source.timestamp + ahead, 1, 1)
        hall.sfu.receive(
            lesson.teacher.protect(rtcp.build_sender_report(report), rtcp=True),
            lesson.teacher.path,
            hall.clock.now + 0.25,
        )
    hall.tick(1.0)
    reports = [rtcp.sender_report(p) for c in lesson.room.receive()[1] for p in rtcp.split(c)]
    by_ssrc = {r.ssrc: r for r in reports if r is not None}
    captured = []
    for packet, rate in ((video, 90000), (audio, 48000)):
        head = rtp.parse(packet)
        report = by_ssrc[head.ssrc]
        captured.append(rtcp.from_ntp(report.ntp) - ((report.rtp_timestamp - head.timestamp) & 0xFFFFFFFF) / rate)
    assert captured[0] == pytest.approx(captured[1], abs=0.001)
    assert (by_ssrc[0x5555].packets, by_ssrc[0x5555].octets) == (1, len(KEY))


def test_round_trip_by_the_rooms_reports(hall: Hall) -> None:
    lesson = Lesson(hall)
    hall.tick()
    lesson.video.send(KEY)
    lesson.teacher.send_rtcp(rtcp.build_sender_report(rtcp.SenderReport(VIDEO_SSRC, rtcp.to_ntp(9.0), 4000, 1, 1)))
    hall.tick(1.0)
    reports = [rtcp.sender_report(p) for c in lesson.room.receive()[1] for p in rtcp.split(c)]
    sent = next(r for r in reports if r is not None)
    hall.clock.pass_(0.080)
    block = rtcp.ReportBlock(0x5555, 64, 3, 1, 0, rtcp.middle(sent.ntp), round(0.030 * 65536))
    lesson.room.send_rtcp(rtcp.build_receiver_report(rtcp.ReceiverReport(1, (block,))))
    stats = {s.transport: s for s in hall.sfu.stats("lesson")}["room"]
    assert stats.rtt_ms == pytest.approx(50, abs=1)
    assert stats.loss == 0.25


def test_transport_wide_feedback_every_100_ms(hall: Hall) -> None:
    lesson = Lesson(hall)
    hall.tick()
    lesson.teacher.receive()
    messages: list[rtcp.Packet] = []
    for i in range(50):
        (lesson.video.packet if i == 20 else lesson.video.send)(INTER)  # one is lost
        hall.tick(0.01)
        messages += lesson.asked(lesson.teacher, TWCC)
    assert 4 <= len(messages) <= 6
    seen = [entry for m in messages for entry in feedback.transport_cc(m)]
    assert [s for s, _ in seen] == list(range(1, len(seen) + 1))
    assert [s for s, at in seen if at is None] == [21]
    times = [at for _, at in seen if at is not None]
    assert times == sorted(times)
    assert times[-1] - times[0] == pytest.approx((len(seen) - 1) * 0.01, abs=0.002)


def test_unwanted_streams_count_for_bandwidth_all_the_same(hall: Hall) -> None:
    lesson = Lesson(hall)
    stranger = Publisher(lesson.teacher, ssrc=77, payload_type=55)
    hall.tick()
    lesson.teacher.receive()
    for _ in range(3):
        stranger.send(b"?")
    hall.tick(0.06)
    (message,) = lesson.asked(lesson.teacher, TWCC)
    assert [at is not None for _, at in feedback.transport_cc(message)] == [True] * 3


def test_requests_for_a_picture_are_coalesced(hall: Hall) -> None:
    lesson = Lesson(hall)
    lesson.video.send(KEY)
    lesson.teacher.receive()
    hall.tick(1.0)
    lesson.teacher.receive()
    for _ in range(10):
        lesson.room.send_rtcp(feedback.build_pli(9, 0x5555))
    assert len(lesson.asked(lesson.teacher, PLI)) == 1
    hall.run(0.4)
    assert lesson.asked(lesson.teacher, PLI) == []
    hall.run(0.3)
    assert len(lesson.asked(lesson.teacher, PLI)) == 1, "the wish that came too early is not forgotten"
    assert {s.transport: s.key_frames_requested for s in hall.sfu.stats("lesson")}["room"] == 10


def test_a_viewer_who_is_not_there_yet_costs_no_picture_and_gets_one_at_once(hall: Hall) -> None:
    lesson = Lesson(hall)
    lesson.video.send(KEY)
    lesson.room.speak()
    late = hall.peer("late", connect=False)
    late.join()
    hall.sfu.add_slot("late", video_slot())
    hall.tick(1.0)
    lesson.asked(lesson.teacher, PLI)
    hall.sfu.route("late", "v", "camera", hall.clock.now)
    hall.run(3.0)
    assert lesson.asked(lesson.teacher, PLI) == []
    late.check()
    late.shake_hands()
    assert len(lesson.asked(lesson.teacher, PLI)) == 1


def test_a_lost_request_is_repeated_until_there_is_a_picture(hall: Hall) -> None:
    lesson = Lesson(hall)
    asked = 0
    for _ in range(40):
        lesson.video.send(INTER)
        hall.tick(0.1)
        asked += len(lesson.asked(lesson.teacher, PLI))
    assert 3 <= asked <= 8
