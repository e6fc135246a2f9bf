"""Contract: layers change at key frames without a seam; stills and pauses leave no gap in any number."""

from __future__ import annotations

from media.engine import Detail, LinkSwitched
from media.parameters import Codec
from media.wire.vp8 import parse_descriptor
from tests.media.engine_contract_forward import H264, INTER, KEY, Contract
from tests.support.engine_rig import VP8_OUT, Got, Layers, Lesson, Rig, Source, steps, video, video_link, vp8

H264_OUT = Codec("video/H264", 125, 90000, rtx=126, fmtp=H264.fmtp)


def layer_of(packet: Got) -> int:
    return packet.payload[parse_descriptor(packet.payload).payload_at + 1]


def pictures(packets: list[Got]) -> list[tuple[int, int]]:
    """(picture id, TL0PICIDX) of each."""
    read = [parse_descriptor(p.payload) for p in packets]
    return [(d.picture_id or 0, d.tl0_index or 0) for d in read]


def seamless(packets: list[Got]) -> None:
    """One packet a picture: every number goes on by one, time only forward."""
    assert set(steps([p.sequence for p in packets])) <= {1}
    assert all(step > 0 for step in steps([p.timestamp for p in packets], 32))
    assert set(steps([picture for picture, _ in pictures(packets)], 15)) <= {1}
    assert set(steps([tl0 for _, tl0 in pictures(packets)], 8)) <= {1}


class LayerSwitching(Contract):
    def test_what_is_shown_goes_on_until_the_next_begins(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 30)
        layers.send(0, key=True, at=0)
        rig.told(LinkSwitched)
        assert rig.engine.switch(40, 31, keep=True, delta=layers.delta(1, 0))
        for at in (3000, 6000):
            layers.send(0, at=at)
            layers.send(1, at=at)
        shown = rig.engine.sending(40)
        assert shown is not None and (shown.stream, shown.started) == (30, True)
        assert rig.told(LinkSwitched) == []
        layers.send(0, at=9000)
        layers.send(1, key=True, at=9000)
        for at in (12000, 15000):
            layers.send(0, at=at)
            layers.send(1, at=at)
        got = layers.room.take()
        assert [layer_of(p) for p in got] == [0, 0, 0, 0, 1, 1, 1]
        seamless(got)
        assert steps([p.timestamp for p in got], 32) == [3000, 3000, 3000, 1, 2999, 3000]
        rig.engine.service(rig.port, rig.now)
        shown = rig.engine.sending(40)
        assert shown is not None and (shown.stream, shown.started) == (31, True)

    def test_a_switch_is_told_with_its_packet(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 30)
        rig.burst([(layers.teacher, p) for p in layers.frame(0, key=True)])
        assert rig.told(LinkSwitched) == [LinkSwitched(40, 30)]
        rig.engine.switch(40, 31, keep=True)
        rig.burst([(layers.teacher, p) for p in layers.frame(0) + layers.frame(1, key=True) + layers.frame(1)])
        assert rig.told(LinkSwitched) == [LinkSwitched(40, 31)]
        assert [layer_of(p) for p in layers.room.take()] == [0, 0, 1, 1]

    def test_sender_reports_align_the_clocks(self, rig: Rig) -> None:
        """The delta counts, not the arrivals: the new layer's picture came 200 ms late."""
        layers = Layers(rig)
        rig.engine.switch(40, 30)
        layers.send(0, key=True, at=0)
        layers.send(0, at=3000)
        rig.engine.switch(40, 32, keep=True, delta=layers.delta(2, 0))
        rig.wait(0.2)
        layers.send(2, key=True, at=9000)
        got = layers.room.take()
        assert steps([p.timestamp for p in got], 32) == [3000, 6000]

    def test_a_correction_of_time_does_not_add_up(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 30)
        layers.send(0, key=True, at=0)
        at, shown = 3000, 0
        for _ in range(20):  # each key frame is of the same moment as the picture sent before it
            layers.send(shown, at=at)
            rig.engine.switch(40, 31 - shown, keep=True, delta=layers.delta(1 - shown, shown))
            shown = 1 - shown
            layers.send(shown, key=True, at=at)
            at += 3000
        layers.send(shown, at=at)
        got = layers.room.take()
        seamless(got)
        assert (got[-1].timestamp - got[0].timestamp) & 0xFFFFFFFF in (at, at + 1)

    def test_a_delta_that_cannot_be_is_not_believed(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 30)
        layers.send(0, key=True, at=0)
        rig.engine.switch(40, 31, keep=True, delta=layers.delta(1, 0) + 900_000 & 0xFFFFFFFF)
        rig.wait(0.1)
        layers.send(1, key=True, at=9000)
        got = layers.room.take()
        assert steps([p.timestamp for p in got], 32) == [9000]

    def test_without_keep_the_old_one_stops_at_once(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 30)
        layers.send(0, key=True, at=0)
        rig.engine.switch(40, 31, delta=layers.delta(1, 0))
        layers.send(0, at=3000)
        layers.send(1, at=3000)
        layers.send(1, key=True, at=6000)
        got = layers.room.take()
        assert [layer_of(p) for p in got] == [0, 1]
        assert steps([p.timestamp for p in got], 32) == [6000]
        seamless(got)

    def test_a_change_of_mind(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 30)
        layers.send(0, key=True)
        rig.engine.switch(40, 31, keep=True)
        rig.engine.switch(40, 32, keep=True)
        layers.send(1, key=True)
        layers.send(0)
        rig.engine.switch(40, 30, keep=True)  # stays
        layers.send(2, key=True)
        layers.send(0)
        rig.engine.switch(40, 32, keep=True)
        layers.send(2, key=True)
        got = layers.room.take()
        assert [layer_of(p) for p in got] == [0, 0, 0, 2]
        seamless(got)

    def test_keep_shows_nothing_new_without_its_codec(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.add_stream(60, lesson.teacher.handle, video("7", codec=H264, ssrcs=(0x4444,)))
        lesson.camera.send(KEY)
        assert not rig.engine.switch(Lesson.SHOWN, 60, keep=True)
        lesson.camera.send(INTER)
        assert len(lesson.room.take()) == 2

    def test_a_layer_that_ends_gives_way_to_the_awaited_one(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 30)
        layers.send(0, key=True)
        rig.engine.switch(40, 31, keep=True)
        rig.engine.remove_stream(30)
        layers.send(1)
        layers.send(1, key=True)
        assert [layer_of(p) for p in layers.room.take()] == [0, 1]
        rig.engine.switch(40, 32, keep=True)
        rig.engine.remove_stream(32)
        layers.send(1)
        assert [layer_of(p) for p in layers.room.take()] == [1]

    def test_another_codec_has_its_own_payload_type(self, rig: Rig) -> None:
        lesson = Lesson(rig, codecs=(VP8_OUT, H264_OUT))
        rig.engine.add_stream(60, lesson.teacher.handle, video("7", codec=H264, ssrcs=(0x4444,)))
        screen = Source(lesson.teacher, 0x4444, 102)
        lesson.camera.send(KEY)
        rig.engine.switch(Lesson.SHOWN, 60, keep=True)
        screen.send(b"\x65idr")
        lesson.camera.send(INTER)
        got = lesson.room.take()
        assert [(p.payload_type, p.payload) for p in got] == [(120, KEY), (125, b"\x65idr")]
        assert steps([p.sequence for p in got]) == [1]

    def test_late_packets_of_the_old_layer_are_dropped(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 30)
        layers.send(0, key=True)
        (late,) = layers.frame(0)
        layers.send(0)
        rig.engine.switch(40, 31, keep=True)
        layers.send(1, key=True)
        layers.teacher.send(late)
        assert [layer_of(p) for p in layers.room.take()] == [0, 0, 1]

    def test_what_was_lost_before_a_switch_is_repaired_after_it(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 30)
        for i in range(3):
            layers.send(0, key=i == 0)
        for layer in (1, 2, 0):
            rig.engine.switch(40, 30 + layer, keep=True)
            layers.send(layer, key=True)
            layers.send(layer)
        sent = layers.room.take()
        assert rig.engine.resend(40, [p.sequence for p in sent], rig.now) == len(sent)
        rig.engine.flush()
        again = layers.room.take()
        assert [p.payload for p in again] == [p.sequence.to_bytes(2, "big") + p.payload for p in sent]
        assert [p.timestamp for p in again] == [p.timestamp for p in sent]

    def test_picture_ids_of_seven_bits_stay_seven_bits(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        other = rig.peer()
        rig.engine.add_stream(60, other.handle, video(ssrcs=(0x4444,)))
        second = Source(other, 0x4444)
        lesson.camera.send(bytes([0x90, 0x80, 126, 0]))
        rig.engine.switch(Lesson.SHOWN, 60, keep=True)
        for i in range(3):
            second.send(bytes([0x90, 0x80, i + 5, 0 if i == 0 else 1]))
        assert [p.payload[2] for p in lesson.room.take()] == [126, 127, 0, 1]

    # --- stills, pause -----------------------------------------------------------------------------------------------

    def test_stills_are_key_frames_only_and_whole(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 30)
        layers.send(0, key=True, packets=2)
        half = layers.frame(0, packets=2)
        layers.teacher.send(half[0])
        rig.engine.set_detail(40, Detail.STILLS)
        layers.teacher.send(half[1])  # what began goes to its end
        for _ in range(3):
            layers.send(0, packets=2)
            layers.send(0, packets=2)
            layers.send(0, key=True, packets=3)
        got = layers.room.take()
        assert [p.marker for p in got] == [False, True] * 2 + [False, False, True] * 3
        assert set(steps([p.sequence for p in got])) == {1}
        assert steps(sorted({p.timestamp for p in got}), 32)[0] == 3000
        assert set(steps([p.timestamp for p in got if p.marker], 32)) == {3000, 9000}
        firsts = [p for p in got if p.payload[0] & 0x10]
        assert steps([i for i, _ in pictures(firsts)], 15) == [1, 1, 1, 1]
        assert steps([t for _, t in pictures(firsts)], 8) == [1, 1, 1, 1]

    def test_everything_comes_back_at_a_key_frame(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 30)
        layers.send(0, key=True)
        rig.engine.set_detail(40, Detail.STILLS)
        layers.send(0)
        rig.engine.set_detail(40, Detail.ALL)
        layers.send(0)
        sending = rig.engine.sending(40)
        assert sending is not None and not sending.started, "not yet what is wanted"
        layers.send(0, key=True)
        layers.send(0)
        got = layers.room.take()
        seamless(got)
        assert steps([p.timestamp for p in got], 32) == [9000, 3000]
        sending = rig.engine.sending(40)
        assert sending is not None and sending.started

    def test_nothing_is_nothing_and_the_numbering_stands_still(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 30)
        layers.send(0, key=True)
        rig.engine.set_detail(40, Detail.NOTHING)
        rig.told(LinkSwitched)
        for i in range(5):
            rig.wait(0.4)
            layers.send(0, key=i == 3, at=3000 + 36000 * (i + 1))
        assert len(layers.room.take()) == 1
        sending = rig.engine.sending(40)
        assert sending is not None and (sending.stream, sending.started) == (30, False)
        rig.engine.set_detail(40, Detail.ALL)
        layers.send(0, at=3000 + 36000 * 6)
        layers.send(0, key=True, at=3000 + 36000 * 7)
        layers.send(0, at=6000 + 36000 * 7)
        got = layers.room.take()
        seamless(got)
        assert len(got) == 2
        assert rig.told(LinkSwitched) == []
        assert rig.engine.resend(40, [got[0].sequence - 1 & 0xFFFF], rig.now) == 1, "what was before is not forgotten"

    def test_a_layer_chosen_during_a_pause_is_shown_after_it(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 30)
        layers.send(0, key=True, at=0)
        rig.engine.switch(40, 31, keep=True, delta=layers.delta(1, 0))
        rig.engine.set_detail(40, Detail.NOTHING)
        rig.engine.switch(40, 32, keep=True, delta=layers.delta(2, 1))
        for layer in range(3):
            layers.send(layer, key=True, at=3000)
        rig.engine.set_detail(40, Detail.ALL)
        for layer in range(3):
            layers.send(layer, key=True, at=6000)
        got = layers.room.take()
        assert [layer_of(p) for p in got] == [0, 2]
        assert steps([p.timestamp for p in got], 32) == [6000], "both deltas, one behind the other"

    def test_a_still_of_another_layer(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 31)
        layers.send(1, key=True)
        rig.engine.set_detail(40, Detail.STILLS)
        rig.engine.switch(40, 30, keep=True)
        layers.send(1, key=True)
        layers.send(0, key=True)
        layers.send(0)
        layers.send(1, key=True)
        layers.send(0, key=True)
        got = layers.room.take()
        assert [layer_of(p) for p in got] == [1, 1, 0, 0]
        seamless(got)

    def test_sound_has_no_detail(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.set_detail(Lesson.HEARD, Detail.NOTHING)
        lesson.mic.send(b"opus")
        assert len(lesson.room.take()) == 1

    def test_plain_streams_keep_their_numbers_as_they_are(self, rig: Rig) -> None:
        """Nothing to hide, nothing to rewrite: a link that never switched passes payloads untouched."""
        lesson = Lesson(rig)
        sent = [vp8(30000 + 7 * i, key=i == 0, tl0=3 * i) for i in range(5)]
        for payload in sent:
            lesson.camera.send(payload)
        assert [p.payload for p in lesson.room.take()] == sent

    def test_two_links_to_one_stream_are_independent(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.add_link(41, layers.room.handle, video_link(ssrc=0x8888, rtx_ssrc=0x8889))
        rig.engine.switch(40, 30)
        rig.engine.switch(41, 30)
        layers.send(0, key=True)
        rig.engine.set_detail(41, Detail.NOTHING)
        layers.send(0)
        got = layers.room.take()
        assert [p.ssrc for p in got] == [0x5555, 0x8888, 0x5555]
