"""The facade without a network: who connects, who is lost, who leaves, within which bounds."""

from __future__ import annotations

import pytest

from media.errors import ResourceError
from media.parameters import (
    IceCredentials,
    TrackActive,
    TransportConnected,
    TransportLost,
    TransportParameters,
)
from media.wire import rtcp, rtp, stun
from tests.support.media_hall import (
    INTER,
    KEY,
    VIDEO_SSRC,
    Hall,
    Lesson,
    Peer,
    Publisher,
    body_of,
    camera,
    video_slot,
)


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


def test_a_track_is_active_while_packets_come(hall: Hall) -> None:
    lesson = Lesson(hall)

    def told() -> list[bool]:
        return [event.active for event in hall.sfu.events() if isinstance(event, TrackActive)]

    told()
    lesson.video.send(KEY)
    assert told() == [True]
    hall.run(2.2, 0.1)
    assert told() == [False]
    lesson.video.send(INTER)
    assert told() == [True]


def test_only_media_and_who_joins_are_urgent(hall: Hall) -> None:
    """See ``media/net/reader.py``: a port that brings nothing else may rest."""

    def brought(*datagrams: bytes, of: Peer) -> bool:
        hall.wire.waiting += [(data, of.path[1]) for data in datagrams]
        return hall.sfu.service(hall.port, hall.clock.now)

    new = hall.peer("new", connect=False)
    new.join()
    assert brought(new.request(), of=new), "a first check"
    assert brought(new.dtls.step()[0], of=new), "a handshake"
    room = hall.peer("room")
    hall.sfu.add_slot("room", video_slot())
    report = rtcp.build_receiver_report(rtcp.ReceiverReport(9)) + rtcp.build_cname(9, "idle")
    hall.wire.take()
    assert not brought(room.request(), room.protect(report, rtcp=True), of=room)
    assert len(hall.wire.take()) == 1, "the check was answered"
    assert not brought(of=room)
    assert brought(room.request(nominate=False), of=room), "not like the last one"
    teacher = hall.peer("teacher")
    hall.sfu.publish("teacher", "camera", camera(), hall.clock.now)
    video = Publisher(teacher)
    assert brought(teacher.protect(video.packet(KEY)), of=teacher)
    assert brought(teacher.protect(video.packet(INTER)), of=teacher)
    assert brought(room.request(nominate=False), of=room), "while media flows everything is"


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
    assert not engine._peers and not engine._links  # type: ignore[attr-defined]
    assert not engine._intake.paths and not engine._fanout.streams  # type: ignore[attr-defined]


def test_a_recorder_that_fails_takes_no_picture_from_the_rooms(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def on_rtp(self, packet: bytes, arrival: float) -> None:
            raise ValueError("disk")

        def on_sender_report(self, ssrc: int, ntp_seconds: float, rtp_timestamp: int, arrival: float) -> None:
            raise ValueError("disk")

    lesson = Lesson(hall)
    hall.sfu.record("camera", Broken())
    for payload in (KEY, INTER, INTER):
        lesson.video.send(payload)
    lesson.teacher.send_rtcp(rtcp.build_sender_report(rtcp.SenderReport(VIDEO_SSRC, rtcp.to_ntp(5.5), 4000, 2, 20)))
    assert len(lesson.room.receive()[0]) == 3
    assert len(caplog.records) == 2, "said once, and once of the report"


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
