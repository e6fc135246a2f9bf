"""The facade without a network: what peers see when others publish, lose, switch, fall silent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from media.errors import ResourceError
from media.parameters import (
    Extensions,
    IceCredentials,
    TrackActive,
    TransportConnected,
    TransportLost,
    TransportParameters,
)
from media.wire import feedback, rtcp, rtp, stun
from tests.support.media_hall import (
    AUDIO_SSRC,
    INTER,
    KEY,
    VIDEO_SSRC,
    Hall,
    Peer,
    Publisher,
    audio_slot,
    body_of,
    camera,
    mic,
    values_of,
    video_slot,
)


class Lesson:
    """A teacher with camera and microphone, a room with a slot for each."""

    def __init__(self, hall: Hall, route: bool = True) -> None:
        self.hall, self.sfu = hall, hall.sfu
        self.teacher, self.room = hall.peer("teacher"), hall.peer("room")
        self.sfu.publish("teacher", "camera", camera(), hall.clock.now)
        self.sfu.publish("teacher", "mic", mic(), hall.clock.now)
        self.sfu.add_slot("room", video_slot())
        self.sfu.add_slot("room", audio_slot())
        self.video = Publisher(self.teacher)
        self.audio = Publisher(self.teacher, AUDIO_SSRC, 111, 7)
        if route:
            self.sfu.route("room", "v", "camera", hall.clock.now)
            self.sfu.route("room", "a", "mic", hall.clock.now)

    def asked(self, peer: Peer, kind: int) -> list[rtcp.Packet]:
        """RTCP packets of this format that the peer got."""
        return [p for c in peer.receive()[1] for p in rtcp.split(c) if (p.type, p.count) == divmod(kind, 100)]


PLI, NACK, TWCC = 20601, 20501, 20515


@pytest.fixture(params=[True, False], ids=["in place", "copying"])
def hall(request: pytest.FixtureRequest) -> Hall:
    return Hall(in_place=request.param)


def test_peers_connect_and_are_told_where(hall: Hall) -> None:
    peer = hall.peer("teacher")
    assert hall.sfu.events() == [TransportConnected("lesson", "teacher", "udp")]
    assert hall.sfu.events() == []
    assert peer.answer is not None
    assert [(c.protocol, c.address, c.port) for c in peer.answer.candidates] == [
        ("udp", "192.0.2.1", 7000),
        ("tcp", "192.0.2.1", 7000),
    ]
    assert peer.answer.candidates[0].priority > peer.answer.candidates[1].priority


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


def test_a_lost_request_is_repeated_until_there_is_a_picture(hall: Hall) -> None:
    lesson = Lesson(hall)
    asked = 0
    for _ in range(40):
        lesson.video.send(INTER)
        hall.tick(0.1)
        asked += len(lesson.asked(lesson.teacher, PLI))
    assert 3 <= asked <= 8


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


def test_transport_wide_feedback_every_50_ms(hall: Hall) -> None:
    lesson = Lesson(hall)
    hall.tick()
    lesson.teacher.receive()
    messages: list[rtcp.Packet] = []
    for i in range(50):
        (lesson.video.packet if i == 20 else lesson.video.send)(INTER)  # one is lost
        hall.tick(0.01)
        messages += lesson.asked(lesson.teacher, TWCC)
    assert 9 <= len(messages) <= 11
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


def test_the_recorder_is_a_subscriber(hall: Hall) -> None:
    taken: list[bytes] = []
    reports: list[tuple[int, float, int]] = []

    class Sink:
        def on_rtp(self, packet: bytes, arrival: float) -> None:
            taken.append(packet)

        def on_sender_report(self, ssrc: int, ntp_seconds: float, rtp_timestamp: int, arrival: float) -> None:
            reports.append((ssrc, ntp_seconds, rtp_timestamp))

    lesson = Lesson(hall, route=False)
    hall.sfu.record("camera", Sink())
    lesson.video.send(KEY)
    lost = lesson.video.packet(b"\x10\x01lost")
    lesson.video.send(INTER)
    lesson.video.rtx(lost)
    lesson.video.rtx(lost)
    lesson.teacher.send_rtcp(rtcp.build_sender_report(rtcp.SenderReport(VIDEO_SSRC, rtcp.to_ntp(5.5), 4000, 2, 20)))
    assert [body_of(p) for p in taken] == [KEY, INTER, b"\x10\x01lost"]
    assert {(rtp.parse(p).payload_type, rtp.parse(p).ssrc) for p in taken} == {(96, VIDEO_SSRC)}
    assert rtp.parse(taken[2]).sequence == rtp.parse(lost).sequence
    assert reports == [(VIDEO_SSRC, 5.5, 4000)]
    hall.sfu.record("camera", None)
    lesson.video.send(INTER)
    assert len(taken) == 3


def test_a_track_is_active_while_packets_come(hall: Hall) -> None:
    lesson = Lesson(hall)
    hall.sfu.events()
    lesson.video.send(KEY)
    assert hall.sfu.events() == [TrackActive("lesson", "teacher", "camera", True)]
    hall.run(2.2, 0.1)
    assert hall.sfu.events() == [TrackActive("lesson", "teacher", "camera", False)]
    lesson.video.send(INTER)
    assert hall.sfu.events() == [TrackActive("lesson", "teacher", "camera", True)]


def test_a_silent_peer_is_lost_and_lives_again_by_an_ice_restart(hall: Hall) -> None:
    lesson = Lesson(hall)
    hall.sfu.events()
    for _ in range(4):
        hall.run(3.0, 0.1)
        lesson.teacher.check()
    hall.run(1.0, 0.1)
    assert hall.sfu.events() == [TransportLost("lesson", "room", "silence")], "once, and only the silent one"
    room = lesson.room
    assert room.answer is not None
    room.ice = IceCredentials("again", "x" * 24)
    old = room.answer.ice
    room.answer = hall.sfu.restart_ice("room", room.ice, hall.clock.now)
    assert room.answer.ice != old
    room.path = (room.path[0], ("203.0.113.5", 999))  # and from another network
    room.check()
    assert hall.sfu.events() == [TransportConnected("lesson", "room", "udp")]
    lesson.video.send(KEY)
    assert [body_of(p) for p in room.receive()[0]] == [KEY], "SRTP goes on where it was"


def test_the_nominated_path_is_taken(hall: Hall) -> None:
    lesson = Lesson(hall)
    home = lesson.room.path
    lesson.room.path = (home[0], ("203.0.113.7", 4242))
    lesson.room.check(nominate=False)
    lesson.video.send(KEY)
    assert hall.wire.take(lesson.room.path[1]) == []
    assert len(hall.wire.take(home[1])) == 1
    lesson.room.check()
    lesson.video.send(INTER)
    assert len(hall.wire.take(lesson.room.path[1])) == 1


def test_close_notify_ends_a_transport_once(hall: Hall) -> None:
    lesson = Lesson(hall)
    hall.sfu.events()
    for datagram in lesson.room.dtls.close():
        lesson.room.send(datagram)
    assert hall.sfu.events() == [TransportLost("lesson", "room", "closed")]
    hall.run(15.0, 0.5)
    assert TransportLost("lesson", "room", "silence") not in hall.sfu.events()


def test_an_impostor_gets_nothing(hall: Hall) -> None:
    peer = hall.peer("teacher", connect=False)
    promised = hall.peer("other", connect=False).dtls.fingerprints
    peer.answer = hall.sfu.add_transport("lesson", "teacher", TransportParameters(peer.ice, promised), hall.clock.now)
    peer.check()
    peer.shake_hands()
    assert hall.sfu.events() == [TransportLost("lesson", "teacher", "fingerprint")]
    hall.sfu.publish("teacher", "camera", camera(), hall.clock.now)
    Publisher(peer).send(KEY)
    assert [e for e in hall.sfu.events() if isinstance(e, TrackActive)] == []


def test_a_forged_check_moves_nothing(hall: Hall) -> None:
    lesson = Lesson(hall)
    assert lesson.room.answer is not None
    name = f"{lesson.room.answer.ice.ufrag}:{lesson.room.ice.ufrag}".encode()
    forged = stun.build(stun.BINDING_REQUEST, bytes(12), [(stun.USERNAME, name), (stun.USE_CANDIDATE, b"")], "guess")
    hall.sfu.receive(forged, (hall.port, ("203.0.113.66", 1)), hall.clock.now)
    lesson.video.send(KEY)
    assert len(lesson.room.receive()[0]) == 1


def test_leaving_takes_everything_along(hall: Hall) -> None:
    lesson = Lesson(hall)
    lesson.video.send(KEY)
    hall.sfu.remove_transport("teacher", hall.clock.now)
    lesson.teacher.dtls.step(*hall.wire.take(lesson.teacher.path[1])[-1:])
    assert lesson.teacher.dtls.closed, "the peer is told"
    hall.sfu.remove_transport("teacher", hall.clock.now)
    hall.run(3.0)
    assert [s.transport for s in hall.sfu.stats("lesson")] == ["room"]
    with pytest.raises(ResourceError):
        hall.sfu.publish("teacher", "x", camera(), hall.clock.now)
    hall.sfu.remove_router("lesson", hall.clock.now)
    assert hall.sfu.stats("lesson") == []
    registry = hall.sfu._registry
    left = (registry.transports, registry.tracks, registry.by_ufrag, registry.by_path, registry.by_peer)
    assert all(not table for table in left)
    engine = hall.sfu.engine
    assert not engine._peers and not engine._paths and not engine._streams and not engine._links  # type: ignore[attr-defined]


def test_bounds_are_kept(hall: Hall) -> None:
    small = Hall(max_transports=1, max_tracks=1)
    small.peer("one")
    with pytest.raises(ResourceError):
        small.peer("two")
    small.sfu.publish("one", "a", camera(), 0.0)
    with pytest.raises(ResourceError):
        small.sfu.publish("one", "b", camera(), 0.0)
    small.sfu.add_slot("one", video_slot())
    with pytest.raises(ResourceError):
        small.sfu.add_slot("one", video_slot("z"))
    with pytest.raises(ResourceError):
        small.sfu.route("one", "nowhere", "a", 0.0)
    with pytest.raises(ResourceError):
        small.sfu.add_transport("elsewhere", "x", TransportParameters(IceCredentials("a", "b"), ()), 0.0)


def test_extensions_that_were_not_negotiated_are_absent(hall: Hall) -> None:
    lesson = Lesson(hall, route=False)
    hall.sfu.add_slot("room", audio_slot("b", ssrc=0xAAAA, extensions=Extensions()))
    hall.sfu.route("room", "b", "mic", hall.clock.now)
    lesson.audio.send(b"opus", False, (1, b"\x11"))
    ((packet,), _) = lesson.room.receive()
    assert packet[0] == 0x80
    assert body_of(packet) == b"opus"
