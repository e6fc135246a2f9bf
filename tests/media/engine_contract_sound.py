"""Contract: what the engine tells estimators and listeners: levels, arrivals, departures; and sound that repeats."""

from __future__ import annotations

from dataclasses import replace

from media.engine import Loudness
from media.parameters import Extensions
from media.wire import red
from media.wire.red import Block
from tests.media.engine_contract_forward import INTER, KEY, Contract
from tests.support.engine_rig import OUT_IDS, RED_OUT, Lesson, Rig, audio_link, steps, video_link


class Sound(Contract):
    def test_levels_are_summed_up_and_begin_anew(self, rig: Rig) -> None:
        """RFC 6464: the V bit, then -dBov."""
        lesson = Lesson(rig)
        assert rig.engine.loudness(Lesson.AUDIO) == Loudness(0, 0, 127, 0)
        for level in (0x80 | 30, 0x80 | 12, 100, 127):
            lesson.mic.send(b"opus", (1, bytes([level])))
        lesson.mic.send(b"opus")  # says nothing
        assert rig.engine.loudness(Lesson.AUDIO) == Loudness(4, 2, 12, 269)
        assert rig.engine.loudness(Lesson.AUDIO) == Loudness(0, 0, 127, 0)

    def test_a_packet_that_comes_twice_counts_once(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        packet = lesson.mic.packet(b"opus", (1, b"\x85"))
        lesson.teacher.send(packet)
        lesson.mic.send(b"opus", (1, b"\x85"))
        rig.receive(lesson.teacher.protect(packet), lesson.teacher.path)
        assert rig.engine.loudness(Lesson.AUDIO) == Loudness(2, 2, 5, 10)

    def test_arrivals_tell_every_numbered_packet_once(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.now = 7.0
        lesson.camera.send(KEY)
        rig.now = 7.5
        lesson.mic.send(b"opus")
        first = rig.engine.arrivals(lesson.teacher.handle)
        assert [(n & 0xFFFF, at) for n, at in first] == [(1, 7.0), (2, 7.5)]
        assert rig.engine.arrivals(lesson.teacher.handle) == []

    def test_departures_tell_number_time_and_size(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.now = 7.0
        lesson.camera.send(KEY)
        rig.now = 7.5
        lesson.mic.send(b"opus")
        rig.engine.send_rtcp(lesson.room.handle, bytes.fromhex("80c9000100000001"))
        lesson.camera.send(INTER)
        sent = lesson.room.take()
        left = rig.engine.departures(lesson.room.handle)
        assert [(n & 0xFFFF, size) for n, _, size in left] == [(p.wide, p.size) for p in sent]
        assert [at for _, at, _ in left] == [7.0, 7.5, 7.5]
        assert rig.engine.departures(lesson.room.handle) == []

    def test_departures_are_extended_and_bounded(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        for i in range(2400 // 40):
            rig.burst([(lesson.teacher, lesson.camera.packet(KEY if i == 0 else INTER)) for _ in range(40)])
            lesson.room.encrypted()
        left = rig.engine.departures(lesson.room.handle)
        numbers = [n for n, _, _ in left]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert numbers[-1] == 65536 + 2400
        assert 1900 <= len(left) <= 2048

    def test_only_who_negotiated_has_departures(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        room = rig.peer()
        rig.engine.add_link(50, room.handle, video_link(extensions=Extensions(mid=9, abs_send_time=7)))
        rig.engine.switch(50, Lesson.VIDEO)
        lesson.camera.send(KEY)
        assert len(room.take()) == 1
        assert rig.engine.departures(room.handle) == []
        rig.engine.add_link(51, room.handle, audio_link(extensions=OUT_IDS))
        rig.engine.switch(51, Lesson.AUDIO)
        rig.burst([(lesson.teacher, lesson.camera.packet(INTER)), (lesson.teacher, lesson.mic.packet(b"opus"))])
        sizes = {p.ssrc: p.size for p in room.take()}
        assert [(n, size) for n, _, size in rig.engine.departures(room.handle)] == [(65537, sizes[0x7777])]

    # --- RED ---------------------------------------------------------------------------------------------------------

    def test_sound_repeats_what_was_before_it(self, rig: Rig) -> None:
        """RFC 2198, as browsers take it: the packet's own number and time, RED's type, Opus' type inside."""
        lesson = Lesson(rig)
        lesson.mic.send(b"one", step=960)
        rig.engine.set_redundancy(Lesson.HEARD, 2)
        for body in (b"two", b"three", b"four"):
            lesson.mic.send(body, (1, b"\x85"), step=960)
        rig.engine.set_redundancy(Lesson.HEARD, 1)
        lesson.mic.send(b"five", step=960)
        rig.engine.set_redundancy(Lesson.HEARD, 0)
        lesson.mic.send(b"six", step=960)
        got = lesson.room.take()
        assert [p.payload_type for p in got] == [63, 101, 101, 101, 101, 63]
        assert (got[0].payload, got[5].payload, got[1].values[6]) == (b"one", b"six", b"\x85")
        assert red.parse(got[1].payload) == [Block(63, 960, b"one"), Block(63, 0, b"two")]
        assert red.parse(got[3].payload) == [Block(63, 1920, b"two"), Block(63, 960, b"three"), Block(63, 0, b"four")]
        assert red.parse(got[4].payload) == [Block(63, 960, b"four"), Block(63, 0, b"five")]
        assert set(steps([p.sequence for p in got])) == {1}
        assert set(steps([p.timestamp for p in got], 32)) == {960}

    def test_what_was_lost_before_cannot_be_repeated(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.set_redundancy(Lesson.HEARD, 2)
        lesson.mic.send(b"one", step=960)
        late = lesson.mic.packet(b"two", step=960)
        lesson.mic.send(b"three", step=960)
        lesson.teacher.send(late)
        lesson.mic.send(b"four", step=960)
        got = lesson.room.take()
        assert red.parse(got[1].payload) == [Block(63, 1920, b"one"), Block(63, 0, b"three")]
        assert red.parse(got[2].payload) == [Block(63, 960, b"one"), Block(63, 0, b"two")]
        assert [b.payload for b in red.parse(got[3].payload)] == [b"two", b"three", b"four"]

    def test_a_voice_does_not_repeat_what_was_said_before_its_turn(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.switch(Lesson.HEARD, None)
        rig.engine.set_redundancy(Lesson.HEARD, 2)
        lesson.mic.send(b"unheard", step=960)
        rig.engine.switch(Lesson.HEARD, Lesson.AUDIO)
        lesson.mic.send(b"first", step=960)
        lesson.mic.send(b"second", step=960)
        got = lesson.room.take()
        assert [[b.payload for b in red.parse(p.payload)] for p in got] == [[b"first"], [b"first", b"second"]]

    def test_silence_is_too_long_ago_to_repeat(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.set_redundancy(Lesson.HEARD, 1)
        lesson.mic.send(b"one", step=960)
        lesson.mic.send(b"after DTX", step=48000)
        assert [len(red.parse(p.payload)) for p in lesson.room.take()] == [1, 1]

    def test_without_the_codec_nothing_changes(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        other = replace(RED_OUT, fmtp="111/111")  # of another codec's type
        for place, codecs in enumerate(((audio_link().codecs[0],), (*audio_link().codecs, other))):
            rig.engine.add_link(50 + place, lesson.room.handle, audio_link(ssrc=0x8000 + place, codecs=codecs))
            rig.engine.switch(50 + place, Lesson.AUDIO)
            rig.engine.set_redundancy(50 + place, 2)
        rig.engine.set_redundancy(Lesson.SHOWN, 2)
        for _ in range(3):
            lesson.mic.send(b"opus", step=960)
        lesson.camera.send(KEY)
        got = lesson.room.take()
        assert {p.payload for p in got if p.ssrc >= 0x7777} == {b"opus"}
        assert {p.payload_type for p in got} == {63, 120}
