"""Contract: what got lost is sent again, but never so much that it drowns the line."""

from __future__ import annotations

import struct
from itertools import pairwise

from media.wire import rtp
from tests.media.engine_contract_forward import INTER, KEY, Contract
from tests.support.engine_rig import LINK_RTX, LINK_SSRC, VP8, VP8_OUT, Layers, Lesson, Rig, video

PLAIN_OUT = (type(VP8_OUT)("video/VP8", 120, 90000),)


class Repair(Contract):
    def test_a_lost_packet_goes_again_as_rtx(self, rig: Rig) -> None:
        """RFC 4588 section 4: the retransmission stream's own SSRC, type and numbers, the original number in front."""
        lesson = Lesson(rig)
        for payload in (KEY, b"\x10\x01wanted", INTER):
            lesson.camera.send(payload)
        lost = lesson.room.take()[1]
        rig.wait(0.05)
        assert rig.engine.resend(Lesson.SHOWN, [lost.sequence], rig.now) == 1
        rig.engine.flush()
        (again,) = lesson.room.take()
        assert (again.ssrc, again.payload_type, again.timestamp) == (LINK_RTX, 121, lost.timestamp)
        assert again.payload == struct.pack("!H", lost.sequence) + lost.payload
        assert again.wide == 4, "a transport-wide number of its own"
        assert again.values[7] == (int(rig.now * 262144) & 0xFFFFFF).to_bytes(3, "big")
        counted = rig.engine.counters(lesson.room.handle)
        assert counted is not None and counted.retransmitted == 1

    def test_what_was_never_sent_is_not_repeated(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        lesson.camera.send(KEY)
        (sent,) = lesson.room.take()
        for sequence in (sent.sequence + 1, sent.sequence - 1, sent.sequence + 0x8000):
            assert rig.engine.resend(Lesson.SHOWN, [sequence & 0xFFFF], rig.now) == 0

    def test_a_packet_goes_at_most_four_times_and_not_within_150_ms(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        lesson.camera.send(KEY)
        (sent,) = lesson.room.take()
        times = []
        for _ in range(200):
            rig.wait(0.01)
            if rig.engine.resend(Lesson.SHOWN, [sent.sequence] * 3, rig.now):
                times.append(rig.now)
        assert len(times) == 4
        assert all(b - a >= 0.149 for a, b in pairwise(times))

    def test_a_storm_of_nacks_costs_a_fifth_at_most(self, rig: Rig) -> None:
        """Trap 5: 400 kbit/s, and a receiver that asks for all of it, all the time."""
        lesson = Lesson(rig)
        media = repeated = 0
        for i in range(500):
            rig.wait(0.02)
            lesson.camera.send((KEY if i == 0 else INTER) + bytes(990))
            sent = lesson.room.take()
            media += sum(p.size for p in sent)
            newest = sent[-1].sequence
            rig.engine.resend(Lesson.SHOWN, [newest - j & 0xFFFF for j in range(17)], rig.now)
            rig.engine.flush()
            repeated += sum(p.size for p in lesson.room.take())
        assert 0.12 * media < repeated < 0.25 * media

    def test_without_rtx_the_very_same_bytes_come_again(self, rig: Rig) -> None:
        """Other bytes under the same number would share their keystream (RFC 7714 section 9.1)."""
        lesson = Lesson(rig, codecs=PLAIN_OUT, rtx_ssrc=None)
        for payload in (KEY, b"\x10\x01wanted", INTER):
            lesson.camera.send(payload)
        sent = lesson.room.encrypted()
        rig.wait(0.3)
        lesson.camera.send(INTER)
        lesson.room.encrypted()
        sequence = struct.unpack_from("!H", sent[1], 2)[0]
        assert rig.engine.resend(Lesson.SHOWN, [sequence], rig.now) == 1
        rig.engine.flush()
        assert lesson.room.encrypted() == [sent[1]]
        assert [n for n, _, _ in rig.engine.departures(lesson.room.handle)] == [65537, 65538, 65539, 65540]

    def test_sound_is_not_repeated_without_rtx(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        lesson.mic.send(b"opus")
        (sent,) = lesson.room.take()
        assert rig.engine.resend(Lesson.HEARD, [sent.sequence], rig.now) == 0

    def test_old_packets_are_forgotten(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        for i in range(40):
            lesson.camera.send(KEY if i == 0 else INTER)
            rig.wait(0.1)
        sent = lesson.room.take()
        assert rig.engine.resend(Lesson.SHOWN, [sent[5].sequence], rig.now) == 0
        assert rig.engine.resend(Lesson.SHOWN, [sent[15].sequence], rig.now) == 1

    def test_large_packets_are_forgotten_sooner(self, rig: Rig) -> None:
        """1.5 MB at most, however few there are. (The copying interface refuses them at the door.)"""
        lesson = Lesson(rig)
        for i in range(1005):
            lesson.camera.send((KEY if i == 0 else INTER) + bytes(1800 if 200 <= i < 1000 else 1200))
        sent = [struct.unpack_from("!H", data, 2)[0] for data in lesson.room.encrypted()]
        came = rig.engine.counters(lesson.teacher.handle)
        assert came is not None
        kept = came.refused > 0
        assert rig.engine.resend(Lesson.SHOWN, [sent[1]], rig.now + 1) == kept, "1.7 MB are too much"
        assert rig.engine.resend(Lesson.SHOWN, [sent[-5]], rig.now + 1) == 1

    # --- from the publisher ------------------------------------------------------------------------------------------

    def test_what_the_publisher_lost_is_asked_for_and_taken_from_rtx(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        lesson.camera.send(KEY)
        lost = lesson.camera.packet(b"\x10\x01lost")
        lesson.camera.send(INTER)
        assert rig.engine.missing(Lesson.VIDEO, rig.now) == [], "it may only be late"
        rig.wait(0.02)
        assert rig.engine.missing(Lesson.VIDEO, rig.now) == [rtp.parse(lost).sequence]
        assert rig.engine.missing(Lesson.VIDEO, rig.now) == [], "asked for just now"
        lesson.camera.rtx(lost, 0x2222, 1)
        lesson.camera.rtx(lost, 0x2222, 2)  # trap 7: browsers probe with old packets
        got = lesson.room.take()
        assert [(p.sequence - got[0].sequence) & 0xFFFF for p in got] == [0, 2, 1]
        assert (got[2].payload, got[2].payload_type, got[2].timestamp) == (
            b"\x10\x01lost",
            120,
            got[0].timestamp + 3000 & 0xFFFFFFFF,
        )
        rig.wait(0.5)
        assert rig.engine.missing(Lesson.VIDEO, rig.now) == []

    def test_a_retransmission_that_nobody_missed_is_dropped(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        sent = lesson.camera.send(KEY)
        lesson.camera.rtx(sent, 0x2222, 1)
        probe = rtp.build(97, 2, 1, 0x2222, b"\0\0\0\4")
        lesson.teacher.send(bytes([probe[0] | 0x20]) + probe[1:])  # padding only
        assert len(lesson.room.take()) == 1
        seen = rig.engine.reception(Lesson.VIDEO)
        assert seen is not None and seen.received == 1

    def test_layers_are_repaired_by_their_repaired_rid(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 31)
        layers.send(0, key=True)
        layers.send(1, key=True)
        (lost,) = layers.frame(1)
        layers.send(1)
        layers.sources[1].rtx(lost, 0x777, 1)  # does not say of which layer
        layers.sources[1].rtx(lost, 0x778, 1, (4, b"1"), (11, b"h"))
        got = layers.room.take()
        assert [(p.sequence - got[0].sequence) & 0xFFFF for p in got] == [0, 2, 1]

    def test_what_is_not_answered_is_given_up(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        lesson.camera.send(KEY)
        lost = [lesson.camera.packet(INTER) for _ in range(3)]
        lesson.camera.send(INTER)
        asked = []
        for _ in range(300):
            rig.wait(0.01)
            asked += rig.engine.missing(Lesson.VIDEO, rig.now)
        assert len(asked) == 3 * 8, "eight times each"
        rig.wait(1.0)
        rig.engine.missing(Lesson.VIDEO, rig.now)
        lesson.camera.rtx(lost[0], 0x2222, 1)
        assert len(lesson.room.take()) == 2, "too late for any player"

    def test_what_is_missing_is_bounded(self, rig: Rig) -> None:
        """Nobody asks what a stream of sound misses, for as long as the lesson lasts."""
        lesson = Lesson(rig)
        lesson.camera.send(KEY)
        for _ in range(60):
            lesson.camera.sequence += 250
            lesson.camera.send(INTER)
        rig.wait(0.02)
        asked = rig.engine.missing(Lesson.VIDEO, rig.now)
        assert 0 < len(asked) <= 8192
        assert len(set(asked)) == len(asked)

    def test_sound_is_not_asked_for_again(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        lesson.mic.send(b"opus")
        lesson.mic.packet(b"lost")
        lesson.mic.send(b"opus")
        rig.wait(0.1)
        assert rig.engine.missing(Lesson.AUDIO, rig.now) == []

    def test_a_stream_without_rtx_is_repaired_all_the_same(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        codec = type(VP8)("video/VP8", 96, 90000)
        rig.engine.add_stream(60, lesson.teacher.handle, video("7", codec=codec, ssrcs=(0x4444,)))
        rig.engine.switch(Lesson.SHOWN, 60)
        lesson.camera.ssrc = 0x4444
        lesson.camera.send(KEY)
        late = lesson.camera.packet(INTER)
        lesson.camera.send(INTER)
        rig.wait(0.02)
        assert rig.engine.missing(60, rig.now) == [rtp.parse(late).sequence]
        lesson.teacher.send(late)
        assert len(lesson.room.take()) == 3

    # --- probes ------------------------------------------------------------------------------------------------------

    def test_a_probe_repeats_the_newest_packets(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        for i in range(3):
            lesson.camera.send((KEY if i == 0 else INTER) + bytes(1000))
        sent = lesson.room.take()
        rig.engine.departures(lesson.room.handle)
        done = rig.engine.probe(Lesson.SHOWN, 5000, rig.now)
        rig.engine.flush()
        got = lesson.room.take()
        assert sum(p.size for p in got) == done
        assert 5000 <= done < 5000 + got[-1].size
        assert {p.ssrc for p in got} == {LINK_RTX}
        repeated = [struct.unpack_from("!H", p.payload)[0] for p in got]
        newest = [p.sequence for p in reversed(sent)]
        assert repeated == (newest * 2)[: len(got)]
        counted = rig.engine.counters(lesson.room.handle)
        assert counted is not None and (counted.probed, counted.retransmitted) == (done, 0)
        left = rig.engine.departures(lesson.room.handle)
        assert [size for _, _, size in left] == [p.size for p in got]

    def test_a_probe_is_bounded(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        lesson.camera.send(KEY)
        lesson.room.take()
        rig.engine.probe(Lesson.SHOWN, 10**9, rig.now)
        rig.engine.flush()
        assert len(lesson.room.take()) == 64

    def test_a_link_without_rtx_cannot_probe(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        lesson.mic.send(b"opus")
        assert rig.engine.probe(Lesson.HEARD, 1000, rig.now) == 0
        assert len(lesson.room.take()) == 1

    def test_padding_is_what_is_left_when_all_is_forgotten(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        done = rig.engine.probe(Lesson.SHOWN, 1000, rig.now)
        rig.engine.flush()
        got = lesson.room.take()
        assert {(p.ssrc, p.payload_type, p.payload) for p in got} == {(LINK_RTX, 121, b"")}
        assert sum(p.size for p in got) == done >= 1000
        lesson.camera.send(KEY)
        assert lesson.room.take()[-1].ssrc == LINK_SSRC
