"""Slots, publishing, recording and presence of a room, seen from outside."""

from __future__ import annotations

from signaling.effects import Negotiate, Route, Seal
from signaling.messages import Report
from tests.support.liveroom import START_MS, Bench
from tests.support.offers import offer
from tests.support.signaling import make_spec

REPORT = {"type": "report", "connected_ms": 10_000, "heard_ms": 10_000, "saw_ms": 9_000}


def opened() -> tuple[Bench, str]:
    bench = Bench.make()
    teacher = bench.join("teacher")
    assert bench.code(teacher, "lesson.open") == ""
    return bench, teacher


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


def test_another_camera_in_a_sources_place_is_routed_anew() -> None:
    """Its m-line is another, its name the same: the media plane has forgotten the old one."""
    bench, teacher, _ = lesson()
    again = offer("chromium-pub").replace("a=group:BUNDLE 0 1", "a=group:BUNDLE 0 7").replace("a=mid:1", "a=mid:7")
    bench.effects.clear()
    bench.offer(teacher, "pub", again, {"0": "mic", "7": "camera"})
    track = f"{bench.transport('t-teacher', 'pub')}/camera"
    (negotiated,) = [one for one in bench.effects if isinstance(one, Negotiate)]
    assert negotiated.kind == "same" and negotiated.unpublish == (track,)
    routed = {one.transport for one in bench.effects if isinstance(one, Route) and one.track == track}
    assert routed == {bench.transport(f"r-room{n}", "sub") for n in (1, 2, 3)}


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


def test_a_shared_screen_is_recorded_with_its_sound() -> None:
    bench, teacher = opened()
    bench.offer(teacher, "pub", offer("chromium-pub-screen"), {"2": "screen-audio", "3": "camera", "4": "screen"})
    bench.connect("t-teacher", "pub")
    assert sorted(bench.recorded.values()) == ["camera", "screen", "screen-audio"]


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
