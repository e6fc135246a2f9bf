"""What a stranger may send to a socket, and the code each wrong thing gets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from signaling.effects import Close, Effect, Send
from signaling.seats import admit, issue, sign
from signaling.session import Keys, Session
from tests.support.liveroom import START_MS, Bench
from tests.support.signaling import make_seat

WEB, OWN = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
KEYS = Keys(WEB.public_key(), OWN, "n1")


class Door:
    """A session and the room behind it."""

    def __init__(self, bench: Bench | None = None) -> None:
        self.bench = bench or Bench.make()
        self.session = Session.open("c", {"L1": self.bench.room}, KEYS, 0.0)
        self.now = 0.0

    def say(self, message: Any, at_ms: int = START_MS) -> list[Effect]:
        text = message if isinstance(message, str) else json.dumps(message)
        effects = self.session.receive(text, at_ms, self.now)
        self.bench.do(effects)
        return effects

    def join(self, token: str, at_ms: int = START_MS, **more: Any) -> list[Effect]:
        return self.say({"type": "join", "v": 1, "lesson": "L1", "token": token, **more}, at_ms)


def token(role: Any = "teacher", room: str | None = None, key: Ed25519PrivateKey = WEB, **changes: Any) -> str:
    seat = replace(make_seat(role, room), issued_at=START_MS // 1000, expires_at=START_MS // 1000 + 600)
    return issue(replace(seat, **changes), key)


def code(effects: list[Effect]) -> str:
    """The code of a refusal that closes the socket."""
    said, closed = effects
    assert isinstance(said, Send) and isinstance(closed, Close)
    return str(said.message.model_dump()["code"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"expires_at": START_MS // 1000 - 1}, "seat_expired"),
        ({"lesson": "L2"}, "seat_lesson"),
        ({"epoch": 2}, "seat_epoch"),
        ({"epoch": 0}, "seat_epoch"),
        ({"purpose": "service"}, "seat_purpose"),
        ({"key": Ed25519PrivateKey.generate()}, "seat_signature"),
    ],
)
def test_tokens_that_do_not_admit(changes: dict[str, Any], expected: str) -> None:
    door = Door()
    assert code(door.join(token(**changes))) == expected
    assert door.session.ended and door.say({"type": "ping", "t": 1}) == []


@pytest.mark.parametrize("text", ["", "a.b", "x", "e30.AAAA", sign({"aud": "node"}, WEB), "a" * 4000])
def test_what_is_no_token(text: str) -> None:
    assert code(Door().join(text)) in ("seat_malformed", "seat_signature")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("", "message"),
        ("{", "message"),
        ("[]", "message"),
        ("null", "message"),
        ({"type": "fly"}, "message"),
        ({"type": "join", "v": 1, "lesson": "L1", "token": "x", "more": 1}, "message"),
        ({"type": "join", "v": 1, "lesson": "L1", "token": "x" * 5000}, "message"),
        ({"type": "join", "v": 1, "lesson": "../L1", "token": "x"}, "message"),
        ({"type": "join", "v": 9, "lesson": "L1", "token": "x"}, "version"),
        ({"type": "join", "v": 1, "lesson": "L9", "token": "x"}, "room_unknown"),
        ({"type": "do", "id": "1", "kind": "lesson.open", "body": {}}, "join_first"),
        ({"type": "ping", "t": 1}, "join_first"),
        ("[" * 60_000, "message"),
        ('"' + "字" * 30_000 + '"', "message"),
    ],
)
def test_first_messages_that_are_wrong(message: Any, expected: str) -> None:
    assert code(Door().say(message)) == expected


def test_joining_twice_is_wrong() -> None:
    door = Door()
    door.join(token())
    assert door.session.room is door.bench.room
    assert code(door.join(token())) == "message"


def test_binary_frames_are_wrong() -> None:
    assert code(Door().session.binary()) == "message"


def test_nobody_sits_in_the_door() -> None:
    session = Door().session
    assert session.tick(10.0) == []
    assert code(session.tick(10.1)) == "join_timeout"
    joined = Door()
    joined.join(token())
    assert joined.session.tick(60.0) == []


def test_a_resume_token_holds_when_the_seat_has_expired() -> None:
    door = Door()
    door.join(token("class", "room1"))
    resume = door.bench.last("c", "welcome")["resume"]
    end = door.bench.spec.ends_at_ms
    for at_ms, admitted in ((START_MS + 700_000, True), (end + 29 * 60_000, True), (end + 31 * 60_000, False)):
        again = Door(door.bench)
        again.join(resume, at_ms)
        assert (again.session.room is not None) is admitted
    seat = admit(resume, KEYS.public(), lesson="L1", epoch=1, now=START_MS / 1000)
    assert (seat.purpose, seat.id, seat.node) == ("resume", "r-room1", "n1")


def test_a_resume_token_is_this_nodes_own() -> None:
    door = Door()
    door.join(token("class", "room1"))
    resume = door.bench.last("c", "welcome")["resume"]
    other = Keys(WEB.public_key(), Ed25519PrivateKey.generate(), "n2")
    session = Session.open("c9", {"L1": door.bench.room}, other, 0.0)
    join = {"type": "join", "v": 1, "lesson": "L1", "token": resume}
    assert code(session.receive(json.dumps(join), START_MS, 0.0)) == "seat_signature"


def test_pong_tells_the_room_time() -> None:
    door = Door()
    door.join(token())
    door.now = 2.5
    door.say({"type": "ping", "t": 17.25})
    assert door.bench.last("c", "pong") == {"type": "pong", "t": 17.25, "room_ms": 2500, "at_ms": START_MS + 2500}


def test_too_many_messages() -> None:
    door = Door()
    door.join(token())
    for _ in range(80):
        door.say({"type": "ping", "t": 1})
    limited = door.bench.last("c", "error")
    assert limited["code"] == "rate" and limited["retry_ms"] > 0 and not door.session.ended
    door.now = 5.0
    door.say({"type": "ping", "t": 2})
    assert door.bench.last("c", "pong")["t"] == 2
    for _ in range(300):
        door.say({"type": "ping", "t": 1})
    assert door.session.ended and "c" in door.bench.closed


def test_too_much_chat_says_which_line() -> None:
    door = Door()
    door.join(token())
    for n in range(6):
        door.say({"type": "do", "id": f"w{n}", "kind": "chat.say", "body": {"text": "x"}})
    assert door.bench.last("c", "error")["id"] == "w5"
    assert door.bench.kinds().count("chat.say") == 5
    door.say({"type": "do", "id": "w9", "kind": "lesson.open", "body": {}})
    assert door.bench.room.live


def test_too_many_offers() -> None:
    door = Door()
    door.join(token())
    for n in range(11):
        door.say({"type": "offer", "id": f"o{n}", "pc": "sub", "sdp": "v=0\r\n" + "s=-\r\n" * 5})
    codes = [one["code"] for one in door.bench.sent["c"] if one["type"] == "error"]
    assert codes == ["sdp_empty"] * 10 + ["rate"] and door.bench.last("c", "error")["id"] == "o10"


def test_leaving_ends_the_session() -> None:
    door = Door()
    door.join(token())
    door.say({"type": "leave"})
    assert door.bench.room.lobby.people == {} and door.session.ended
    assert door.session.lost(1.0) == []


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
def test_noise_gets_one_error_and_the_end(text: str) -> None:
    assert code(Door().say(text)) == "message"


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(
    kind=st.sampled_from(
        ["deck.open", "page.turn", "floor.give", "floor.take", "hand.raise", "chat.say", "chat.erase", "headcount", "x"]
    ),
    body=st.dictionaries(
        st.sampled_from(["deck", "page", "pages", "seat", "text", "seq", "pupil", "expected"]), _json, max_size=4
    ),
)
def test_no_body_breaks_a_room(kind: str, body: dict[str, Any]) -> None:
    door = Door()
    door.join(token())
    door.say({"type": "do", "id": "w", "kind": "lesson.open", "body": {}})
    door.say({"type": "do", "id": "w1", "kind": kind, "body": body})
    answer = door.bench.sent["c"][-1]
    assert answer["type"] in ("done", "error") and answer["id"] == "w1"
