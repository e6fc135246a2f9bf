"""One room, seen from outside: joins, wishes, floor and slots, recording by the timetable, presence, silence, the end."""

from __future__ import annotations

import pytest

from signaling.effects import Dispose, Negotiate, RemoveTransport, Seal
from signaling.messages import LastSeen, Report
from signaling.ops import decode, encode
from signaling.room import state_to_json
from tests.support.liveroom import START_MS, Bench
from tests.support.offers import offer
from tests.support.signaling import MINUTE_MS, make_spec

REPORT = {"type": "report", "connected_ms": 10_000, "heard_ms": 10_000, "saw_ms": 9_000}


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
    again = bench.join("watch")
    assert bench.last(again, "error")["code"] == "seat_revoked" and again in bench.closed
    restarted = Bench.make(bench.spec, bench.journal)
    assert restarted.last(restarted.join("watch"), "error")["code"] == "seat_revoked"


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
    assert bench.code(watcher, "hand.raise") == ""
    assert bench.code(room, "hand.lower", seat="w-p1") == "forbidden"
    assert bench.code(teacher, "hand.lower", seat="w-p1") == ""
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


# --- slots ------------------------------------------------------------------------------------------------------------


def lesson() -> tuple[Bench, str, dict[str, str]]:
    """A teacher and three rooms, all connected both ways."""
    bench, teacher = opened()
    rooms = {n: bench.join("class", f"room{n}") for n in ("1", "2", "3")}
    for seat, page in (("t-teacher", teacher), *((f"r-room{n}", page) for n, page in rooms.items())):
        bench.offer(page, "pub", offer("chromium-pub"), {"0": "mic", "1": "camera"})
        bench.offer(page, "sub", offer("chromium-sub"))
        bench.connect(seat, "pub")
        bench.connect(seat, "sub")
    return bench, teacher, rooms


def test_who_sees_what() -> None:
    bench, teacher, rooms = lesson()
    assert bench.shows(rooms["1"]) == {"0": ("t-teacher", "mic"), "3": ("t-teacher", "camera")}
    assert bench.shows(teacher) == {str(n + 2): (f"r-room{n}", "camera") for n in (1, 2, 3)}
    bench.wish(teacher, "floor.give", seat="r-room2")
    assert bench.shows(rooms["1"]) == {
        "0": ("t-teacher", "mic"),
        "1": ("r-room2", "mic"),
        "3": ("t-teacher", "camera"),
        "5": ("r-room2", "camera"),
    }
    assert bench.shows(rooms["2"]) == {"0": ("t-teacher", "mic"), "3": ("t-teacher", "camera")}
    assert bench.shows(teacher)["0"] == ("r-room2", "mic")
    sub = bench.transport("r-room1", "sub")
    assert bench.routes[(sub, "1")] == f"{bench.transport('r-room2', 'pub')}/mic"
    bench.wish(teacher, "floor.take", seat=None)
    assert bench.routes[(sub, "1")] is None and "1" not in bench.shows(rooms["1"])


def test_a_track_is_shown_once_its_transport_is_connected() -> None:
    bench, teacher = opened()
    room = bench.join("class", "room1")
    bench.offer(room, "sub", offer("chromium-sub"))
    bench.offer(teacher, "pub", offer("chromium-pub"), {"0": "mic", "1": "camera"})
    assert bench.shows(room) == {}
    bench.connect("t-teacher", "pub")
    assert set(bench.shows(room)) == {"0", "3"}
    bench.lose("t-teacher", "pub", "closed")
    assert bench.shows(room) == {} and "t-teacher" in bench.room.lobby.people


def test_offers_that_fail() -> None:
    bench, teacher = opened()
    assistant, watcher = bench.join("assistant", "room1"), bench.join("watch")
    bench.offer(assistant, "sub", offer("chromium-sub"))
    assert bench.last(assistant, "error")["code"] == "forbidden"
    bench.offer(watcher, "pub", offer("chromium-pub"), {"0": "mic"})
    assert bench.last(watcher, "error")["code"] == "forbidden"
    bench.offer(teacher, "pub", "v=0\r\n" + "s=-\r\n" * 5)
    assert bench.last(teacher, "error")["code"] == "sdp_empty"
    bench.offer(teacher, "pub", "x" * 30, {"0": "mic"})
    assert bench.last(teacher, "error")["code"] == "sdp_malformed"
    assert not any(isinstance(effect, Negotiate) for effect in bench.effects)


def test_the_media_plane_may_refuse() -> None:
    bench, teacher = opened()
    bench.offer(teacher, "sub", offer("chromium-sub"))
    bench.do(bench.room.refused(bench.transport("t-teacher", "sub"), teacher, "o", "media_full", bench.now))
    assert bench.last(teacher, "error")["code"] == "media_full"
    assert bench.room.lobby.people["t-teacher"].legs == {}


def test_a_shut_laptop_is_noticed_by_silence() -> None:
    bench, teacher, rooms = lesson()
    bench.now += 30
    bench.room.heard_from(rooms["2"], bench.now)
    bench.lose("r-room1", "sub", "silence")
    assert "r-room1" not in bench.room.lobby.people
    assert rooms["1"] in bench.closed and "closed" not in bench.types(rooms["1"])
    # A page that still speaks lost only its media: it stays.
    bench.lose("r-room2", "sub", "silence")
    assert "r-room2" in bench.room.lobby.people
    assert "3" not in bench.shows(teacher) and bench.shows(teacher)["4"] == ("r-room2", "camera")


def test_whip_and_whep() -> None:
    bench = Bench.make()
    seat = bench.seat("teacher")
    bench.do(bench.room.http_offer("h1", "res1", seat, "pub", offer("aiortc-pub"), bench.now))
    assert bench.counted("EndpointJoined")[0].data["path"] == "whip"
    bench.connect("t-teacher", "pub")
    player = bench.seat("watch")
    bench.do(bench.room.http_offer("h2", "res2", player, "sub", offer("aiortc-sub"), bench.now))
    sub = bench.transport("w-p1", "sub")
    assert bench.routes[(sub, "0")].endswith("/mic") and bench.routes[(sub, "1")].endswith("/camera")  # type: ignore[union-attr]
    bench.do(bench.room.http_delete("res1", bench.now))
    assert "t-teacher" not in bench.room.lobby.people and bench.routes[(sub, "1")] is None
    bench.connect("w-p1", "sub")
    bench.lose("w-p1", "sub", "silence")
    assert bench.room.lobby.people == {}
    bench.do(bench.room.http_offer("h3", "res3", player, "pub", offer("aiortc-pub"), bench.now))
    assert bench.last("h3", "error")["code"] == "forbidden" and bench.room.lobby.people == {}


# --- recording --------------------------------------------------------------------------------------------------------


def sends(bench: Bench, teacher: str) -> None:
    bench.offer(teacher, "pub", offer("chromium-pub"), {"0": "mic", "1": "camera"})
    bench.connect("t-teacher", "pub")


def test_recording_goes_from_opening_to_close_and_on_when_that_is_undone() -> None:
    bench = Bench.make()
    teacher, room = bench.join("teacher"), bench.join("class", "room1")
    sends(bench, teacher)
    bench.offer(room, "pub", offer("chromium-pub"), {"0": "mic", "1": "camera"})
    bench.connect("r-room1", "pub")
    assert bench.recorded == {}
    bench.wish(teacher, "lesson.open")
    assert sorted(bench.recorded.values()) == ["camera", "mic"]
    assert all("t-teacher" in track for track in bench.recorded)
    assert bench.room.log.state.recording.on
    bench.wish(teacher, "lesson.close")
    assert bench.recorded == {} and not bench.room.log.state.recording.on
    assert sum(isinstance(effect, Seal) for effect in bench.effects) == 1
    bench.wish(teacher, "lesson.reopen")
    assert sorted(bench.recorded.values()) == ["camera", "mic"]


def test_recording_starts_at_the_bell_if_the_teacher_sends_and_has_not_clicked() -> None:
    bench = Bench.make(make_spec(starts_at_ms=START_MS + 10_000))
    bench.pass_time(11)
    assert "recording" not in bench.kinds()
    teacher = bench.join("teacher")
    sends(bench, teacher)
    bench.pass_time(1)
    assert bench.room.log.state.recording.reason == "timetable" and len(bench.recorded) == 2


def test_a_publisher_who_comes_back_is_recorded_again() -> None:
    bench, teacher = opened()
    sends(bench, teacher)
    first = set(bench.recorded)
    bench.offer(teacher, "pub", offer("aiortc-pub"), {"0": "mic", "1": "camera"})
    assert set(bench.recorded).isdisjoint(first) and sorted(bench.recorded.values()) == ["camera", "mic"]


def test_a_lesson_that_shall_not_be_recorded() -> None:
    bench = Bench.make(make_spec(starts_at_ms=START_MS).model_copy(update={"record": False}))
    teacher = bench.join("teacher")
    bench.wish(teacher, "lesson.open")
    sends(bench, teacher)
    assert bench.recorded == {} and "recording" not in bench.kinds()


def test_only_the_teacher_hears_what_is_saved() -> None:
    bench, teacher = opened()
    room = bench.join("class", "room1")
    bench.do(bench.room.saved(5_000, True))
    assert bench.last(teacher, "saved") == {"type": "saved", "room_ms": 5000, "at_ms": START_MS + 5000, "stalled": True}
    assert "saved" not in bench.types(room)


# --- presence ---------------------------------------------------------------------------------------------------------


def test_presence_is_bounded_by_what_the_node_knows() -> None:
    bench, _, rooms = lesson()
    page = rooms["1"]
    bench.pass_time(10)
    bench.do(bench.room.report(page, Report.model_validate(REPORT), bench.now))
    fact = [one for one in bench.counted("Presence") if one.data["seat"] == "r-room1"][-1]
    assert (fact.data["heard_ms"], fact.data["saw_ms"]) == (10_000, 9_000) and fact.room == "room1"
    assert fact.data["to_at"] - fact.data["from_at"] == 10_000
    bench.now += 5
    bench.lose("r-room1", "sub", "closed")
    bench.now += 5
    bench.do(bench.room.report(page, Report.model_validate(REPORT), bench.now))
    fact = [one for one in bench.counted("Presence") if one.data["seat"] == "r-room1"][-1]
    assert fact.data["heard_ms"] == 5_000  # it claimed ten


def test_presence_without_reports() -> None:
    bench, _ = opened()
    bench.join("assistant", "room1")
    bench.pass_time(40)
    facts = [one for one in bench.counted("Presence") if one.data["seat"] == "a-room1"]
    assert len(facts) == 2 and all(one.data["heard_ms"] == 0 and one.data["connected"] for one in facts)
    spans = [(one.data["from_at"], one.data["to_at"]) for one in facts]
    assert spans[0][1] == spans[1][0]
    assert len({one.id for one in bench.facts}) == len(bench.facts)


def test_people_are_told_at_most_once_a_second_and_only_news() -> None:
    bench, teacher, rooms = lesson()
    before = bench.types(teacher).count("people")
    report = Report.model_validate({**REPORT, "rtt_ms": 700.0, "loss": 0.0})
    for _ in range(5):
        bench.do(bench.room.report(rooms["1"], report, bench.now))
    bench.pass_time(0.9, 0.1)
    assert bench.types(teacher).count("people") <= before + 1
    bench.pass_time(2)
    cards = {card["seat"]: card for card in bench.last(teacher, "people")["people"]}
    assert cards["r-room1"]["light"] == "red" and cards["r-room1"]["heard"] is True
    assert cards["r-room2"]["light"] == "yellow" and cards["r-room2"]["heard"] is False
    assert cards["r-room1"]["publishing"] == ["camera", "mic"]
    quiet = bench.types(teacher).count("people")
    bench.pass_time(5)
    assert bench.types(teacher).count("people") == quiet


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
