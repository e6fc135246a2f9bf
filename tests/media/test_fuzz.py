"""A peer with valid keys that sends nonsense: nothing may raise, nobody else may notice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.media_hall import (
    AUDIO_SSRC,
    KEY,
    RTX_SSRC,
    VIDEO_SSRC,
    Hall,
    Publisher,
    audio_slot,
    body_of,
    camera,
    mic,
    video_slot,
)

pytestmark = pytest.mark.slow

HEAD = st.builds(
    lambda first, second, sequence, ssrc: (
        bytes([0x80 | first, second]) + sequence.to_bytes(2, "big") + bytes(4) + ssrc.to_bytes(4, "big")
    ),
    st.integers(0, 63),
    st.sampled_from([96, 97, 111, 0x80 | 96, 0x80 | 97, 5, 127]),
    st.integers(0, 0xFFFF),
    st.sampled_from([VIDEO_SSRC, RTX_SSRC, AUDIO_SSRC, 1, 0xFFFFFFFF]),
)
RTP = st.builds(lambda head, rest: head + rest, HEAD, st.binary(max_size=80))
RTCP = st.builds(
    lambda count, kind, body: (
        bytes([0x80 | count, kind]) + (len(body) // 4 + 1).to_bytes(2, "big") + body + bytes(4 + -len(body) % 4)
    ),
    st.integers(0, 63),
    st.sampled_from([200, 201, 202, 203, 205, 206, 207]),
    st.binary(max_size=80),
)
PLAIN = st.one_of(
    st.tuples(st.just("rtp"), RTP), st.tuples(st.just("rtcp"), RTCP), st.tuples(st.just("raw"), st.binary(max_size=100))
)


@settings(max_examples=25)
@given(st.lists(PLAIN, max_size=40))
def test_nonsense_with_valid_keys(packets: list[tuple[str, bytes]]) -> None:
    hall = Hall()
    villain, room, teacher = hall.peer("villain"), hall.peer("room"), hall.peer("teacher")
    hall.sfu.publish("villain", "bad", camera(), hall.clock.now)
    hall.sfu.publish("villain", "worse", mic(), hall.clock.now)
    hall.sfu.publish("teacher", "camera", camera(), hall.clock.now)
    for peer in ("villain", "room"):
        hall.sfu.add_slot(peer, video_slot())
        hall.sfu.add_slot(peer, audio_slot())
    hall.sfu.route("room", "a", "worse", hall.clock.now)
    hall.sfu.route("villain", "v", "camera", hall.clock.now)
    for kind, data in packets:
        villain.send(data if kind == "raw" else villain.protect(data, rtcp=kind == "rtcp"))
        hall.tick(0.03)
    hall.run(1.1)
    room.receive()
    hall.sfu.route("room", "v", "camera", hall.clock.now)
    Publisher(teacher).send(KEY)
    assert [body_of(p) for p in room.receive()[0]] == [KEY]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=300)), max_size=20))
def test_nonsense_without_keys(datagrams: list[tuple[int, bytes]]) -> None:
    """From a stranger, from a peer's own address, and with a believable head."""
    hall = Hall()
    room = hall.peer("room")
    for place, data in datagrams:
        path = room.path if place else (hall.port, ("203.0.113.9", 9))
        hall.sfu.receive((b"\x16\xfe\xfd" if place == 2 else b"") + data, path, hall.clock.now)
        hall.tick(0.01)
    assert not [e for e in hall.sfu.events() if type(e).__name__ == "TransportLost"]
