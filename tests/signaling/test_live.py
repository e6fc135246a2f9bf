"""One room, seen from outside: joins, wishes, floor and slots, recording by the timetable, presence, silence, the
end.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from signaling.effects import Dispose, RemoveTransport
from signaling.messages import LastSeen
from signaling.ops import decode, encode
from signaling.room import state_to_json
from tests.support.liveroom import START_MS, Bench
from tests.support.offers import offer
from tests.support.signaling import MINUTE_MS, make_spec


def opened(**more: object) -> tuple[Bench, str]:
    bench = Bench.make(**more)
    teacher = bench.join("teacher")
    assert bench.code(teacher, "lesson.open") == ""
    return bench, teacher


# --- joining ----------------------------------------------------------------------------------------------------------


def test_the_first_op_carries_the_spec() -> None:
    bench = Bench.make()
    first = bench.journal[0].op
    assert first.kind == "room" and first.by == "node"
    assert first.body == {"spec": bench.spec.model_dump(), "zero_at_ms": START_MS}


def test_welcome() -> None:
    bench, _ = opened()
    room = bench.join("class", "room1")
    welcome = bench.last(room, "welcome")
    assert (welcome["seat"], welcome["role"], welcome["epoch"]) == ("r-room1", "class", 1)
    assert welcome["state"] == state_to_json(bench.room.log.state) and welcome["state"]["phase"] == "live"
    assert "record" not in welcome["spec"] and "hand.raise" in welcome["rights"]
    assert {person["seat"] for person in welcome["people"]} == {"t-teacher", "r-room1"}


def test_a_tail_for_those_who_missed_little() -> None:
    bench, teacher = opened()
    room = bench.join("class", "room1")
    seen = bench.last(room, "welcome")["seq"]
    bench.do(bench.room.lost(room, bench.now))
    bench.wish(teacher, "chat.say", text="一")
    back = bench.join("class", "room1", last=LastSeen(epoch=1, seq=seen))
    welcome = bench.last(back, "welcome")
    assert welcome["state"] is None and [op["kind"] for op in welcome["ops"]] == ["chat.say"]
    other = bench.join("class", "room2", last=LastSeen(epoch=7, seq=1))
    assert bench.last(other, "welcome")["state"] is not None
    ahead = bench.join("class", "room3", last=LastSeen(epoch=1, seq=999))
    assert bench.last(ahead, "welcome")["state"] is not None


def test_nothing_is_shown_before_it_is_durable() -> None:
    bench, teacher = opened()
    room = bench.join("class", "room1")
    bench.hold = True
    assert bench.wish(teacher, "chat.say", text="一") is None
    assert "chat.say" not in [op["kind"] for one in bench.sent[room] if one["type"] == "ops" for op in one["ops"]]
    late = bench.join("class", "room2")
    assert bench.last(late, "welcome")["state"]["chat"] == []
    bench.hold = False
    bench.flush()
    assert bench.last(room, "ops")["ops"][0]["kind"] == bench.last(late, "ops")["ops"][0]["kind"] == "chat.say"
    assert bench.types(teacher)[-2:] == ["ops", "done"]


def test_a_wish_asked_twice_is_done_once_even_while_it_waits() -> None:
    bench, teacher = opened()
    bench.hold = True
    bench.wish(teacher, "chat.say", "x", text="一")
    bench.wish(teacher, "chat.say", "x", text="一")
    bench.hold = False
    bench.flush()
    answers = [one for one in bench.sent[teacher] if one.get("id") == "x"]
    assert [one["type"] for one in answers] == ["done", "done"] and answers[0]["seq"] == answers[1]["seq"]
    assert bench.kinds().count("chat.say") == 1


def test_two_devices_of_one_seat() -> None:
    bench, _ = opened()
    old = bench.join("class", "room1", device="old")
    bench.offer(old, "sub", offer("chromium-sub"))
    new = bench.join("class", "room1", device="new")
    assert bench.last(old, "closed")["reason"] == "elsewhere" and old in bench.closed
    assert any(isinstance(effect, RemoveTransport) for effect in bench.effects)
    assert bench.last(new, "welcome")["transports"] == []
    # The one that was sent away says no more.
    bench.do(bench.room.lost(old, bench.now))
    assert bench.room.lobby.of(new) is not None and len(bench.room.lobby.people) == 2


def test_the_same_device_keeps_its_transports() -> None:
    bench, _ = opened()
    old = bench.join("class", "room1", device="d1")
    bench.offer(old, "sub", offer("chromium-sub"))
    bench.connect("r-room1", "sub")
    new = bench.join("class", "room1", device="d1")
    assert "closed" not in bench.types(old) and old in bench.closed
    assert bench.last(new, "welcome")["transports"] == ["sub"]
    assert "slots" in bench.types(new)
    assert len(bench.counted("EndpointJoined")) == 2  # teacher and room, once each


def test_a_lost_socket_keeps_its_seat_for_ten_seconds() -> None:
    bench, teacher = opened()
    room = bench.join("class", "room1")
    bench.do(bench.room.lost(room, bench.now))
    bench.pass_time(9)
    assert bench.last(teacher, "people")["people"][1]["light"] == "red"
    assert "r-room1" in bench.room.lobby.people
    bench.pass_time(2)
    assert "r-room1" not in bench.room.lobby.people
    assert bench.counted("EndpointLeft")[0].data["reason"] == "lost"


def test_leaving_and_being_revoked() -> None:
    bench, _ = opened()
    room = bench.join("class", "room1")
    bench.do(bench.room.leave(room, bench.now))
    assert "r-room1" not in bench.room.lobby.people and "closed" not in bench.types(room)
    watcher = bench.join("watch")
    bench.do(bench.room.revoke("w-p1", bench.now))
    assert bench.last(watcher, "closed")["reason"] == "revoked"
    old = replace(bench.seat("watch"), issued_at=START_MS // 1000)
    bench.do(bench.room.join("again", old, "d", None, "resume", bench.now))
    assert bench.last("again", "error")["code"] == "seat_revoked" and "again" in bench.closed
    restarted = Bench.make(bench.spec, bench.journal)
    restarted.do(restarted.room.join("again", old, "d", None, "resume", restarted.now))
    assert restarted.last("again", "error")["code"] == "seat_revoked"
    assert restarted.last(restarted.join("watch"), "welcome")["seat"] == "w-p1", "the web has given the seat anew"


def test_an_assistant_signs_in_by_coming() -> None:
    bench, _ = opened()
    first = bench.join("assistant", "room1", person="p7")
    bench.do(bench.room.lost(first, bench.now))
    bench.join("assistant", "room1", person="p7")
    assert bench.kinds().count("signin") == 1
    fact = bench.counted("AssistantSignedIn")[0]
    assert (fact.room, fact.person, fact.data["seat"]) == ("room1", "p7", "a-room1")


def test_a_full_room() -> None:
    bench, _ = opened()
    for n in range(199):
        bench.room.lobby.attach(bench.seat("watch", person=f"p{n}"), "whep", 0.0)
    late = bench.join("watch", person="late")
    assert bench.last(late, "closed")["reason"] == "full"


# --- wishes -----------------------------------------------------------------------------------------------------------


def test_wishes_that_cannot_be() -> None:
    bench = Bench.make()
    teacher, room, watcher = bench.join("teacher"), bench.join("class", "room1"), bench.join("watch")
    assistant, inspector = bench.join("assistant", "room1"), bench.join("inspector")
    assert bench.code(room, "hand.raise") == "phase_waiting"
    assert bench.code(room, "lesson.open") == "forbidden"
    assert bench.code(teacher, "fly") == "intent_unknown"
    assert bench.code(teacher, "page.turn", page=1) == "deck_none"
    assert bench.code(teacher, "deck.close") == "deck_none"
    assert bench.code(teacher, "deck.open", deck="d", pages=2, title="x") == ""
    assert bench.code(teacher, "page.turn", page=3) == "page_range"
    assert bench.code(teacher, "page.turn", page="2") == "intent_body"
    assert bench.code(teacher, "page.turn", page=2, more=1) == "intent_body"
    assert bench.code(teacher, "lesson.reopen") == "phase_waiting"
    assert bench.code(teacher, "lesson.open") == ""
    assert bench.code(teacher, "lesson.open") == "phase_live"
    assert bench.code(teacher, "floor.give", seat="r-room9") == "seat_unknown"
    assert bench.code(teacher, "floor.give", seat="t-teacher") == "seat_unknown"
    assert bench.code(teacher, "floor.give", seat="r-room2") == "floor_absent"
    assert bench.code(teacher, "floor.take", seat="r-room1") == "floor_none"
    assert bench.code(teacher, "floor.take", seat=None) == ""
    assert bench.code(room, "floor.take", seat=None) == "forbidden"
    assert bench.code(room, "hand.raise", pupil=100) == "intent_body"
    assert bench.code(room, "hand.lower") == "hand_none"
    assert bench.code(watcher, "hand.raise") == "forbidden"  # nobody could give it the floor
    assert bench.code(room, "hand.lower", seat="r-room2") == "forbidden"
    assert bench.code(teacher, "hand.lower", seat="r-room2") == "hand_none"
    assert bench.code(room, "chat.say", text="  ") == "chat_empty"
    assert bench.code(room, "chat.say", text="字" * 501) == "intent_body"
    assert bench.code(inspector, "chat.say", text="x") == "forbidden"
    assert bench.code(teacher, "chat.erase", seq=1) == "chat_unknown"
    assert bench.code(assistant, "headcount", expected=2, present=2, absent_seats=[1]) == "headcount_range"
    assert bench.code(room, "headcount", expected=2, present=2) == "forbidden"
    assert bench.code(assistant, "signal", what="bored") == "intent_body"
    assert bench.code(teacher, "lesson.close") == ""
    assert bench.code(room, "hand.raise") == "phase_closed"
    assert bench.code(teacher, "page.turn", page=1) == "phase_closed"
    bench.now += 301
    assert bench.code(teacher, "lesson.reopen") == "reopen_late"


def test_three_rooms_want_the_floor() -> None:
    bench, teacher = opened()
    for n in (1, 2, 3):
        bench.join("class", f"room{n}")
    assert bench.code(teacher, "floor.give", seat="r-room1") == ""
    assert bench.code(teacher, "floor.give", seat="r-room2") == ""
    assert bench.code(teacher, "floor.give", seat="r-room3") == "floor_full"
    assert bench.code(teacher, "floor.give", seat="r-room2") == ""


def test_an_assistants_hand_is_the_rooms() -> None:
    bench, _ = opened()
    assistant, room = bench.join("assistant", "room1"), bench.join("class", "room1")
    assert bench.code(assistant, "hand.raise", pupil=3) == ""
    assert bench.room.log.state.hands[0].seat == "r-room1"
    assert bench.code(room, "hand.lower") == "" and bench.room.log.state.hands == ()
    facts = bench.counted("Hand")
    assert [(fact.room, fact.data["up"]) for fact in facts] == [("room1", True), ("room1", False)]


def test_facts_of_ops_have_ids_of_their_ops() -> None:
    bench, teacher = opened()
    bench.now = 12.5
    seq = bench.wish(teacher, "chat.say", text="一")["seq"]  # type: ignore[index]
    fact = bench.counted("Chat")[0]
    assert fact.id == f"L1:1:{seq}" and fact.room_ms == 12_500 and fact.at_ms == START_MS + 12_500
    assert "一" not in str(fact.data)


# --- the end ----------------------------------------------------------------------------------------------------------


def test_a_closed_room_waits_until_it_cannot_be_undone() -> None:
    bench, teacher = opened()
    bench.wish(teacher, "lesson.close")
    bench.pass_time(300, 10)
    assert not bench.room.over
    bench.pass_time(20, 10)
    assert bench.room.over and bench.last(teacher, "closed")["reason"] == "ended"
    assert bench.effects[-1] == Dispose("ended")
    late = bench.join("class", "room1")
    assert bench.last(late, "error")["code"] == "room_over"


def test_a_forgotten_lesson_closes_itself_when_the_teacher_is_gone() -> None:
    spec = make_spec(starts_at_ms=START_MS)
    bench = Bench.make(spec)
    teacher, room = bench.join("teacher"), bench.join("class", "room1")
    bench.wish(teacher, "lesson.open")
    bench.now = (spec.ends_at_ms - START_MS + 31 * MINUTE_MS) / 1000
    bench.pass_time(1)
    assert bench.room.live
    bench.do(bench.room.leave(teacher, bench.now))
    bench.pass_time(290, 10)
    assert bench.room.live
    bench.pass_time(30, 10)
    assert bench.room.log.state.phase == "closed" and bench.last(room, "ops")["ops"][0]["by"] == "node"


@pytest.mark.parametrize(
    ("reason", "said"), [("epoch", "epoch"), ("moved", "moved"), ("cancelled", "ended"), ("shutdown", "shutdown")]
)
def test_the_room_goes_elsewhere(reason: str, said: str) -> None:
    bench, teacher = opened()
    bench.do(bench.room.close(reason, bench.now))
    assert bench.last(teacher, "closed")["reason"] == said and teacher in bench.closed
    assert bench.counted("EndpointLeft")[0].data["reason"] == reason


def test_a_restart_goes_on_in_the_same_epoch() -> None:
    bench, teacher = opened()
    bench.wish(teacher, "chat.say", "w", text="一")
    lines = [encode(entry) for entry in bench.journal]
    again = Bench.make(bench.spec, [entry for line in lines if (entry := decode(line))])
    assert again.room.log.state == bench.room.log.state and again.journal == []
    assert again.room.clock.room_ms(0.0) >= 60_000 and again.room.clock.zero_at_ms == START_MS
    back = again.join("teacher")
    answer = again.wish(back, "chat.say", "w", text="一")
    assert answer is not None and answer["type"] == "done" and again.journal == []


def test_another_node_says_from_where_it_goes_on() -> None:
    bench, teacher = opened()
    bench.wish(teacher, "chat.say", text="一")
    other = Bench.make(bench.spec.model_copy(update={"epoch": 2}), bench.journal)
    first, second = (entry.op for entry in other.journal)
    assert (first.kind, first.epoch, first.body["from_seq"]) == ("epoch", 2, len(bench.journal) + 1)
    assert second.kind == "room" and first.seq == bench.journal[-1].op.seq + 1
    assert first.body["gap_ms"] >= 59_000 and other.room.log.state.epoch == 2
    assert [line.text for line in other.room.log.state.chat] == ["一"]


def test_a_new_spec_is_logged_once() -> None:
    bench = Bench.make()
    bench.do(bench.room.specify(bench.spec, 1.0))
    changed = bench.spec.model_copy(update={"title": "新"})
    bench.do(bench.room.specify(changed, 1.0))
    bench.do(bench.room.specify(changed, 1.0))
    assert bench.kinds() == ["room", "room"] and bench.journal[1].op.body["spec"]["title"] == "新"
