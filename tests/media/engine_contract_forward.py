"""Contract: a packet is found, decrypted, written anew for each reader, and nothing else happens."""

from __future__ import annotations

from random import Random

import pytest

from media.engine import Datagram, Detail, Engine, KeyFrameWanted, LinkSwitched, RtcpArrived, StreamActive
from media.parameters import Codec, Extensions
from tests.support.engine_rig import (
    LINK_SSRC,
    OPUS,
    Layers,
    Lesson,
    Make,
    Rig,
    Source,
    audio_link,
    steps,
    video,
    video_link,
    vp8,
)

KEY, INTER = vp8(None, key=True, body=b"key"), vp8(None, body=b"inter")
H264 = Codec("video/H264", 102, 90000, fmtp="packetization-mode=1;profile-level-id=42e01f")


class Contract:
    """The fixtures; a twin overrides ``engine``."""

    @pytest.fixture
    def engine(self) -> Make:
        raise NotImplementedError

    @pytest.fixture(params=[b"SRTP_AEAD_AES_128_GCM", b"SRTP_AES128_CM_SHA1_80"], ids=["gcm", "cm80"])
    def rig(self, engine: Make, request: pytest.FixtureRequest) -> Rig:
        return Rig(engine, request.param)


class Sink:
    """A recorder."""

    def __init__(self) -> None:
        self.packets: list[tuple[bytes, float]] = []

    def on_rtp(self, packet: bytes, arrival: float) -> None:
        self.packets.append((packet, arrival))

    def on_sender_report(self, ssrc: int, ntp_seconds: float, rtp_timestamp: int, arrival: float) -> None:
        raise AssertionError("reports are not the engine's")


class Forwarding(Contract):
    def test_a_packet_is_rewritten_for_its_reader(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        lesson.camera.send(KEY)
        lesson.mic.send(b"opus", (1, b"\x9e"), (4, b"0"), marker=False)
        picture, sound = lesson.room.take()
        assert (picture.ssrc, picture.payload_type, picture.marker, picture.payload) == (LINK_SSRC, 120, True, KEY)
        stamp = (int(rig.now * 262144) & 0xFFFFFF).to_bytes(3, "big")
        assert picture.values == {9: b"v", 7: stamp, 8: b"\0\1"}
        assert (sound.ssrc, sound.payload_type, sound.marker, sound.payload) == (0x7777, 63, False, b"opus")
        assert sound.values == {9: b"a", 6: b"\x9e", 7: stamp, 8: b"\0\2"}, "level passes, transport-wide counts on"

    def test_random_starts_come_from_the_given_source(self, engine: Make) -> None:
        """So that two twins can be compared byte for byte."""
        rig = Rig(engine)
        lesson = Lesson(rig)
        lesson.camera.send(KEY)
        lesson.mic.send(b"opus", step=960)
        random = Random(7)
        starts = [(random.getrandbits(15), random.getrandbits(31)) for _ in range(2)]
        assert [(p.sequence, p.timestamp) for p in lesson.room.take()] == starts

    def test_two_engines_send_the_same_bytes(self, engine: Make) -> None:
        sent = []
        for _ in range(2):
            rig = Rig(engine)
            lesson = Lesson(rig)
            for i in range(20):
                lesson.camera.send(vp8(i, key=i == 0, tl0=i))
                lesson.mic.send(b"opus%d" % i, step=960)
            sent.append(lesson.room.encrypted())
        assert sent[0] == sent[1]
        assert len(sent[0]) == 40

    def test_numbers_keep_gaps_and_order_and_duplicates_are_dropped(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        packets = [lesson.camera.packet(KEY if i == 0 else INTER) for i in range(8)]
        for i in (0, 1, 3, 2, 6, 7):
            lesson.teacher.send(packets[i])
        twice = lesson.camera.packet(INTER)
        lesson.teacher.send(twice)
        rig.receive(lesson.teacher.protect(twice), lesson.teacher.path)
        got = lesson.room.take()
        assert [(p.sequence - got[0].sequence) & 0xFFFF for p in got] == [0, 1, 3, 2, 6, 7, 8]
        assert (got[1].timestamp - got[0].timestamp) & 0xFFFFFFFF == 3000

    def test_a_burst_reaches_several_readers_whole(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        others = [rig.peer() for _ in range(3)]
        for place, peer in enumerate(others):
            rig.engine.add_link(50 + place, peer.handle, video_link(ssrc=0x9000 + place))
            rig.engine.switch(50 + place, Lesson.VIDEO)
        rig.burst([(lesson.teacher, lesson.camera.packet(KEY if i == 0 else INTER * 100)) for i in range(40)])
        for place, peer in enumerate(others):
            got = peer.take()
            assert steps([p.sequence for p in got]) == [1] * 39
            assert {p.ssrc for p in got} == {0x9000 + place}

    def test_padding_only_packets_take_a_number(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        lesson.camera.send(KEY)
        probe = bytearray(lesson.camera.packet(b"\0\0\0\4"))
        probe[0] |= 0x20
        lesson.teacher.send(bytes(probe))
        lesson.camera.send(INTER)
        got = lesson.room.take()
        assert [p.payload for p in got] == [KEY, b"", INTER]
        assert steps([p.sequence for p in got]) == [1, 1]

    def test_nothing_is_shown_before_a_key_frame(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        lesson.camera.send(INTER)
        assert lesson.room.take() == []
        sending = rig.engine.sending(Lesson.SHOWN)
        assert sending is not None and not sending.started
        lesson.camera.send(KEY)
        lesson.camera.send(INTER)
        assert [p.payload for p in lesson.room.take()] == [KEY, INTER]
        sending = rig.engine.sending(Lesson.SHOWN)
        assert sending is not None and sending.started
        assert (sending.stream, sending.packets, sending.octets) == (Lesson.VIDEO, 2, len(KEY) + len(INTER))

    def test_a_stream_says_when_it_begins_and_begins_again(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        for pause, told in ((0.0, 1), (1.0, 0), (2.5, 1)):
            rig.wait(pause)
            lesson.camera.send(KEY)
            assert rig.told(StreamActive) == [StreamActive(Lesson.VIDEO)] * told

    def test_another_publisher_is_shown_without_a_seam(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        other = rig.peer()
        rig.engine.add_stream(60, other.handle, video(ssrcs=(0x4444,)))
        second = Source(other, 0x4444, sequence=200, timestamp=3_000_000_000)
        lesson.camera.send(KEY)
        lesson.camera.send(INTER)
        rig.wait(0.5)
        rig.events.clear()
        assert rig.engine.switch(Lesson.SHOWN, 60)
        lesson.camera.send(INTER)
        second.send(INTER)
        second.send(KEY)
        second.send(INTER)
        got = lesson.room.take()
        assert [p.payload for p in got] == [KEY, INTER, KEY, INTER]
        assert steps([p.sequence for p in got]) == [1, 1, 1]
        assert (got[2].timestamp - got[1].timestamp) & 0xFFFFFFFF == 45000
        assert {p.ssrc for p in got} == {LINK_SSRC}
        assert rig.told(LinkSwitched) == [LinkSwitched(Lesson.SHOWN, 60)]
        assert rig.engine.switch(Lesson.SHOWN, None)
        second.send(KEY)
        assert lesson.room.take() == []

    def test_a_publisher_that_comes_back_with_new_numbers_is_followed_at_its_key_frame(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        lesson.camera.send(KEY)
        lesson.camera.sequence = 30000
        rig.events.clear()
        for _ in range(3):
            lesson.camera.send(INTER)
        assert rig.told(KeyFrameWanted) == [KeyFrameWanted(Lesson.VIDEO)]
        lesson.camera.send(KEY)
        got = lesson.room.take()
        assert [p.payload for p in got] == [KEY, KEY]
        assert steps([p.sequence for p in got]) == [1]

    def test_a_link_without_the_codec_stays_dark(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.add_link(70, lesson.room.handle, video_link(codecs=(H264,), ssrc=0x9999))
        assert not rig.engine.switch(70, Lesson.VIDEO)
        lesson.camera.send(KEY)
        assert {p.ssrc for p in lesson.room.take()} == {LINK_SSRC}

    def test_extensions_that_were_not_negotiated_are_absent(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.add_link(71, lesson.room.handle, audio_link(ssrc=0xAAAA, extensions=Extensions()))
        rig.engine.switch(71, Lesson.AUDIO)
        lesson.mic.send(b"opus", (1, b"\x11"))
        plain = next(p for p in lesson.room.take() if p.ssrc == 0xAAAA)
        assert plain.values == {}
        assert plain.payload == b"opus"

    def test_streams_are_learnt_by_mid(self, rig: Rig) -> None:
        """An offer without a=ssrc lines: two cameras with one payload type, told apart by the mid extension only."""
        teacher, room = rig.peer(), rig.peer()
        for mid in (1, 2):
            rig.engine.add_stream(80 + mid, teacher.handle, video(str(mid)))
        rig.engine.add_link(90, room.handle, video_link())
        rig.engine.switch(90, 82)
        Source(teacher, 1).send(KEY)  # no mid: nobody's yet
        Source(teacher, 2).send(KEY + b"1", (4, b"1"))
        second = Source(teacher, 3)
        second.send(KEY + b"2", (4, b"2"))
        second.send(INTER)  # the mid may be left out from now on
        assert [p.payload for p in room.take()] == [KEY + b"2", INTER]

    def test_layers_are_learnt_by_rid(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 31)
        Source(layers.teacher, 0x999).send(KEY, (4, b"1"))  # a layer that does not say which
        Source(layers.teacher, 0x998).send(KEY, (4, b"1"), (10, b"x"))  # one that nobody offered
        for layer in (0, 1, 2):
            layers.send(layer, key=True)
        assert [p.payload[7] for p in layers.room.take()] == [1]

    def test_the_recorder_gets_plain_packets(self, rig: Rig) -> None:
        lesson, sink = Lesson(rig), Sink()
        rig.engine.tap(Lesson.AUDIO, sink)
        lesson.mic.send(b"opus", (1, b"\x9e"))
        ((packet, arrival),) = sink.packets
        assert (packet[12:], packet[0], packet[1], arrival) == (b"opus", 0x80, 0x80 | OPUS.payload_type, rig.now)
        rig.engine.tap(Lesson.AUDIO, None)
        lesson.mic.send(b"opus")
        assert len(sink.packets) == 1

    def test_what_is_not_media_comes_out_as_events(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        report = bytes.fromhex("80c9000100000001")
        rig.receive(lesson.teacher.protect(report, rtcp=True), lesson.teacher.path)
        assert rig.told(RtcpArrived) == [RtcpArrived(lesson.teacher.handle, report)]
        stranger = (rig.port, ("203.0.113.9", 9))
        check = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)
        rig.receive(check, stranger)
        assert rig.told(Datagram) == [Datagram("stun", stranger, check)]
        flight = b"\x16\xfe\xfd" + bytes(20)
        rig.receive(flight, lesson.room.path)
        assert rig.told(Datagram) == [Datagram("dtls", lesson.room.path, flight)]
        before = rig.engine.garbage
        for garbage in (flight, b"", b"\xff" * 30, bytes(3000)):
            rig.receive(garbage, stranger)
        assert (rig.engine.garbage - before, rig.told(object)) == (4, [])

    def test_forged_and_broken_packets_are_refused(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        good = lesson.teacher.protect(lesson.camera.packet(KEY))
        rig.receive(good[:-1] + bytes([good[-1] ^ 1]), lesson.teacher.path)
        rig.receive(good[:13], lesson.teacher.path)
        counted = rig.engine.counters(lesson.teacher.handle)
        assert counted is not None
        assert (counted.refused, counted.received_packets) == (2, 2)
        lesson.teacher.send(bytes.fromhex("a060000100000000" + "00001111" + "100000ff"))  # padding over the end
        assert lesson.room.take() == []
        rig.receive(good, lesson.teacher.path)
        assert len(lesson.room.take()) == 1

    def test_counters_count(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        for i in range(5):
            lesson.camera.send(KEY if i == 0 else INTER)
        got = lesson.room.take()
        room, teacher = rig.engine.counters(lesson.room.handle), rig.engine.counters(lesson.teacher.handle)
        assert room is not None and teacher is not None
        assert (room.sent_packets, room.sent_bytes) == (5, sum(p.size for p in got))
        assert (teacher.received_packets, room.received_packets) == (5, 0)
        seen = rig.engine.reception(Lesson.VIDEO)
        assert seen is not None
        assert (seen.ssrc, seen.expected, seen.received) == (0x1111, 5, 5)

    def test_whoever_leaves_takes_everything_along(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        lesson.camera.send(KEY)
        rig.engine.remove_peer(lesson.room.handle)
        lesson.room.take()
        lesson.camera.send(INTER)
        assert lesson.room.take() == []
        assert rig.engine.sending(Lesson.SHOWN) is None
        rig.engine.remove_peer(lesson.teacher.handle)
        lesson.camera.send(INTER)
        assert rig.engine.reception(Lesson.VIDEO) is None

    def test_nobody_answers_for_handles_that_are_gone(self, rig: Rig) -> None:
        """Teardown and packets cross each other: nothing of this may raise."""
        engine: Engine = rig.engine
        for handle in (1, 999):
            engine.remove_stream(handle)
            engine.remove_peer(handle)
            engine.set_detail(handle, Detail.STILLS)
            engine.set_redundancy(handle, 1)
            engine.pace(handle, 1000.0)
            engine.tap(handle, None)
            engine.send_rtcp(handle, bytes(8))
            engine.drop_path((handle, ("x", 1)))
            engine.send((handle, ("x", 1)), b"x")
            assert not engine.switch(handle, 1, keep=True)
            assert (engine.probe(handle, 1000, rig.now), engine.resend(handle, [1], rig.now)) == (0, 0)
            assert engine.missing(handle, rig.now) == []
            assert engine.arrivals(handle) == []
            assert engine.departures(handle) == []
            assert engine.loudness(handle) is None and engine.sending(handle) is None
            assert engine.reception(handle) is None and engine.counters(handle) is None
        assert engine.pump(rig.now) is None
