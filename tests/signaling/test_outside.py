"""Encoders stand for their classroom: keys, seats, whose picture is shown and recorded."""

from __future__ import annotations

import pytest

from signaling.messages import EncoderKey, RoomSpec
from signaling.outside import IceServer, digest, encoder_seat, link, stands_for, withdrawn
from tests.support.liveroom import Bench
from tests.support.offers import offer
from tests.support.signaling import make_seat, make_spec

KEYS = {"lead": "tk-lead", "room1": "tk-room1"}


def with_keys(spec: RoomSpec, *rooms: str) -> RoomSpec:
    return spec.model_copy(update={"encoders": [EncoderKey(room=one, sha256=digest(KEYS[one])) for one in rooms]})


@pytest.mark.parametrize(("key", "stands"), [("tk-lead", "t-teacher"), ("tk-room1", "r-room1")])
def test_a_key_opens_its_classroom(key: str, stands: str) -> None:
    spec = with_keys(make_spec(), "lead", "room1")
    seat = encoder_seat(spec, 1, key, "n1", 1000)
    assert seat is not None and seat.role == "encoder" and seat.expires_at > spec.ends_at_ms // 1000
    assert stands_for(spec, seat) == stands


@pytest.mark.parametrize("key", ["", "tk-", "tk-other", "lead", digest("tk-lead")])
def test_other_keys_open_nothing(key: str) -> None:
    assert encoder_seat(with_keys(make_spec(), "lead"), 1, key, "n1", 0) is None


def test_pages_stand_for_themselves_and_specs_keep_keys_to_themselves() -> None:
    spec = with_keys(make_spec(), "lead")
    assert stands_for(spec, make_seat("class", "room1")) == "r-room1"
    assert "encoders" not in spec.public() and digest("tk-lead") not in str(spec.public())
    assert list(withdrawn(spec, make_spec())) == ["e-lead"] and not list(withdrawn(spec, spec))


def test_the_words_of_an_ice_server() -> None:
    assert link(IceServer("stun:relay.example")) == '<stun:relay.example>; rel="ice-server"'
    full = link(IceServer("turn:relay.example?transport=udp", "u", "p"))
    assert full.endswith('; rel="ice-server"; username="u"; credential="p"; credential-type="password"')


def test_an_encoder_is_shown_and_recorded_in_the_pages_place() -> None:
    bench = Bench.make()
    bench.do(bench.room.specify(with_keys(bench.spec, "lead"), 0.0))
    teacher, room = bench.join("teacher"), bench.join("class", "room1")
    bench.offer(teacher, "pub", offer("chromium-pub"), {"0": "mic", "1": "camera"})
    bench.connect("t-teacher", "pub")
    bench.offer(room, "sub", offer("chromium-sub"))
    bench.wish(teacher, "lesson.open")
    page = bench.transport("t-teacher", "pub")
    assert bench.recorded == {f"{page}/mic": "mic", f"{page}/camera": "camera"}
    seat = encoder_seat(bench.room.spec, 1, "tk-lead", "n1", 0)
    assert seat is not None
    bench.do(bench.room.http_offer("w1", "resource", seat, "pub", offer("chromium-simulcast"), bench.now))
    assert bench.recorded == {f"{page}/mic": "mic", f"{page}/camera": "camera"}, "not before it is connected"
    bench.connect("e-lead", "pub")
    encoder = bench.transport("e-lead", "pub")
    assert bench.recorded == {f"{page}/mic": "mic", f"{encoder}/camera": "camera"}
    sub = bench.transport("r-room1", "sub")
    assert bench.routes[(sub, "3")] == f"{encoder}/camera" and bench.routes[(sub, "0")] == f"{page}/mic"
    assert bench.shows(room)["3"] == ("t-teacher", "camera")
    bench.do(bench.room.specify(bench.spec, bench.now))
    assert bench.routes[(sub, "3")] == f"{page}/camera" and "e-lead" not in bench.room.lobby.people
    assert bench.recorded == {f"{page}/mic": "mic", f"{page}/camera": "camera"}


def test_a_rooms_encoder_is_heard_only_with_the_floor() -> None:
    bench = Bench.make()
    bench.do(bench.room.specify(with_keys(bench.spec, "room1"), 0.0))
    teacher, other = bench.join("teacher"), bench.join("class", "room2")
    bench.join("class", "room1")
    bench.offer(other, "sub", offer("chromium-sub"))
    seat = encoder_seat(bench.room.spec, 1, "tk-room1", "n1", 0)
    assert seat is not None
    bench.do(bench.room.http_offer("w1", "resource", seat, "pub", offer("chromium-pub"), bench.now))
    bench.connect("e-room1", "pub")
    bench.wish(teacher, "lesson.open")
    assert not bench.shows(other)
    bench.wish(teacher, "floor.give", seat="r-room1")
    assert set(bench.shows(other).values()) == {("r-room1", "mic"), ("r-room1", "camera")}
