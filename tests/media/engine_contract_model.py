"""Contract as properties: whatever the control plane does, a receiver can decode what it gets and sees no seam; and
whatever a peer with valid keys sends, nobody else notices.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.engine import Detail
from media.wire.vp8 import parse_descriptor
from tests.media.engine_contract_forward import Contract
from tests.support.engine_rig import Got, Layers, Lesson, Make, Rig, steps

LAYER = st.integers(0, 2)
ACTION = st.one_of(
    st.tuples(st.just("send"), st.booleans(), st.integers(1, 3)),
    st.tuples(st.just("send"), st.just(False), st.integers(1, 3)),
    st.tuples(st.just("switch"), LAYER, st.booleans(), st.booleans()),
    st.tuples(st.just("detail"), st.sampled_from(list(Detail))),
    st.tuples(st.just("pace"), st.sampled_from([None, 20_000.0, 200_000.0, 5e6])),
    st.tuples(st.just("wait"), st.sampled_from([0.001, 0.04, 0.7])),
)


class Story:
    """Three layers that send the same pictures, numbered in their bodies."""

    def __init__(self, make: Make) -> None:
        self.rig = Rig(make)
        self.layers = Layers(self.rig)
        self.shown = 0
        self.picture = 0
        self.got: list[Got] = []
        self.rig.engine.switch(40, 30)

    def act(self, action: Any) -> None:
        getattr(self, action[0])(*action[1:])
        self.rig.pump()
        self.got += self.layers.room.take()

    def send(self, key: bool, packets: int) -> None:
        self.picture += 1
        self.rig.wait(1 / 30)
        made = []
        for layer in range(3):
            body = self.picture.to_bytes(2, "big") + bytes((key,)) + bytes(300)
            made += self.layers.frame(layer, key, packets, self.picture * 3000, body)
        self.rig.burst([(self.layers.teacher, packet) for packet in made])

    def switch(self, layer: int, keep: bool, reported: bool) -> None:
        delta = self.layers.delta(layer, self.shown) if reported else None
        now = self.rig.engine.sending(40)
        if now is not None and now.stream is not None:
            delta = self.layers.delta(layer, now.stream - 30) if reported else None
        self.rig.engine.switch(40, 30 + layer, keep=keep, delta=delta)

    def detail(self, detail: Detail) -> None:
        self.rig.engine.set_detail(40, detail)

    def pace(self, rate: float | None) -> None:
        self.rig.engine.pace(self.layers.room.handle, rate)

    def wait(self, seconds: float) -> None:
        self.rig.wait(seconds)


def check(got: list[Got]) -> None:
    """No gap in any number, time only forward, and every picture can be decoded from those before it."""
    assert set(steps([p.sequence for p in got])) <= {1}
    ids, at = [], (-1, -1, -1)
    for place, packet in enumerate(got):
        head = parse_descriptor(packet.payload)
        layer, part, high, low, key = packet.payload[head.payload_at + 1 : head.payload_at + 6]
        picture = high << 8 | low
        if part == 0:
            follows = at == (layer, picture - 1, at[2])
            assert key or follows, "a picture whose reference was never sent"
            if place:
                assert (packet.timestamp - got[place - 1].timestamp) & 0xFFFFFFFF in range(1, 1 << 31)
            ids.append((head.picture_id or 0, head.tl0_index or 0))
        else:
            assert at == (layer, picture, part - 1), "a piece of another picture"
            assert packet.timestamp == got[place - 1].timestamp
        at = (layer, picture, part)
    assert set(steps([i for i, _ in ids], 15)) <= {1}
    assert set(steps([t for _, t in ids], 8)) <= {1}


class Continuity(Contract):
    @settings(max_examples=80, suppress_health_check=list(HealthCheck))
    @given(actions=st.lists(ACTION, max_size=60))
    def test_any_story_is_continuous(self, engine: Make, actions: list[Any]) -> None:
        story = Story(engine)
        for action in actions:
            story.act(action)
        story.act(("detail", Detail.ALL))
        story.act(("pace", None))
        story.act(("wait", 3.0))
        story.act(("send", True, 3))
        check(story.got)
        assert story.got and story.got[-1].payload[-303:-301] == story.picture.to_bytes(2, "big"), "and it goes on"


HEAD = st.builds(
    lambda first, second, sequence, stamp, ssrc: (
        bytes([0x80 | first, second]) + sequence.to_bytes(2, "big") + stamp.to_bytes(4, "big") + ssrc.to_bytes(4, "big")
    ),
    st.sampled_from([0, 0x10, 0x20, 0x30, 0x02, 0x3F]),
    st.sampled_from([96, 97, 111, 0x80 | 96, 0x80 | 97, 5, 127]),
    st.integers(0, 0xFFFF),
    st.sampled_from([0, 3000, 0x80000000, 0xFFFFFFFF]),
    st.sampled_from([0x1111, 0x2222, 0x3333, 1, 0xFFFFFFFF]),
)
BLOCKS = [b"\xbe\xde\0\0", b"\xbe\xde\0\1\x10\x85\x31\0", b"\x10\0\0\1\1\1\x7f\0"]
BLOCK = st.one_of(st.just(b""), st.sampled_from(BLOCKS))
NONSENSE = st.builds(lambda head, block, rest: head + block + rest, HEAD, BLOCK, st.binary(max_size=40))


class Hostility(Contract):
    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(
        packets=st.lists(st.one_of(NONSENSE, NONSENSE, st.binary(max_size=60)), max_size=40),
        rate=st.sampled_from([None, 50_000.0]),
        detail=st.sampled_from(list(Detail)),
        redundancy=st.integers(-1, 5),
    )
    def test_nonsense_with_valid_keys_hurts_nobody(
        self, engine: Make, packets: list[bytes], rate: float | None, detail: Detail, redundancy: int
    ) -> None:
        rig = Rig(engine)
        villain, lesson = Lesson(rig), Layers(rig)
        rig.engine.pace(villain.room.handle, rate)
        rig.engine.set_detail(Lesson.SHOWN, detail)
        rig.engine.set_redundancy(Lesson.HEARD, redundancy)
        rig.engine.switch(40, 30)
        for packet in packets:
            sealed = villain.teacher.try_protect(packet)
            rig.receive(sealed or packet, villain.teacher.path)
            rig.engine.missing(Lesson.VIDEO, rig.now)
            rig.engine.probe(Lesson.SHOWN, 2000, rig.now)
            rig.wait(0.01)
        rig.run(0.5)
        rig.engine.loudness(Lesson.AUDIO)
        rig.engine.departures(villain.room.handle)
        assert {got.ssrc for got in villain.room.take()} <= {0x5555, 0x6666, 0x7777}
        lesson.send(0, key=True)
        assert len(lesson.room.take()) == 1
