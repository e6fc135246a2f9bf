"""What a receiver gets: the word for both ends, the stretches for the ledger, the advice for publishers."""

from __future__ import annotations

import pytest

from media.parameters import AudioBudget, LayersWanted, Quality, SlotQuality
from signaling.reception import CUT_AFTER, Reception, Stretch, word
from tests.support.liveroom import Bench
from tests.support.offers import offer


@pytest.mark.parametrize(
    ("qualities", "mids", "wanted"),
    [
        ({"4": "high"}, ["4"], "high"),
        ({"4": "off"}, ["4"], "sound"),
        ({"4": "stills", "3": "high"}, ["4", "3"], "stills"),
        ({"3": "mid"}, ["4", "3"], "mid"),
        ({"3": "mid"}, [], None),
        ({}, ["3"], None),
    ],
)
def test_the_word(qualities: dict[str, Quality], mids: list[str], wanted: str | None) -> None:
    assert word(qualities, mids) == wanted


def test_stretches_follow_changes_and_are_never_long() -> None:
    got = Reception()
    assert got.turn(0.0, ["3"]) is None and got.gets is None
    got.qualities["3"] = "high"
    assert got.turn(1.0, ["3"]) is None and got.gets == "high"
    assert got.turn(30.0, ["3"]) is None
    got.qualities["3"] = "off"
    assert got.turn(31.0, ["3"]) == Stretch(1.0, 31.0, "high") and got.gets == "sound"
    assert got.turn(31.0 + CUT_AFTER, ["3"]) == Stretch(31.0, 31.0 + CUT_AFTER, "sound")
    assert got.gets == "sound"
    assert got.cut(100.0) == Stretch(31.0 + CUT_AFTER, 100.0, "sound")
    assert got.cut(101.0) is None


def test_a_step_on_the_way_is_no_stretch() -> None:
    got = Reception({"3": "low"})
    got.turn(1.0, ["3"])
    got.qualities["3"] = "mid"
    assert got.turn(1.5, ["3"]) is None and got.gets == "mid"


def lesson() -> tuple[Bench, str, str]:
    """The teacher sends three layers, a room receives."""
    bench = Bench.make()
    teacher, room = bench.join("teacher"), bench.join("class", "room1")
    bench.offer(teacher, "pub", offer("chromium-simulcast"), {"0": "camera"})
    bench.connect("t-teacher", "pub")
    bench.offer(room, "sub", offer("chromium-sub"))
    bench.connect("r-room1", "sub")
    return bench, teacher, room


def says(bench: Bench, mid: str, quality: Quality) -> None:
    bench.event(SlotQuality("L1", bench.transport("r-room1", "sub"), mid, quality))
    bench.now += 2.0
    bench.do(bench.room.tick(bench.now))


def test_both_ends_and_the_ledger_hear_what_a_room_gets() -> None:
    bench, teacher, room = lesson()
    says(bench, "3", "high")
    says(bench, "3", "stills")
    says(bench, "3", "off")
    for page in (teacher, room):
        cards = [m["people"] for m in bench.sent[page] if m["type"] == "people"][-1]
        assert {card["seat"]: card["gets"] for card in cards} == {"t-teacher": None, "r-room1": "sound"}
    bench.do(bench.room.leave(room, bench.now + 5.0))
    told = [fact for fact in bench.facts if fact.kind == "Quality"]
    assert [fact.data["gets"] for fact in told] == ["high", "stills", "sound"]
    assert [fact.data["to_at"] - fact.data["from_at"] for fact in told] == [2000, 2000, 5000]
    assert told[0].room == "room1" and told[0].data["seat"] == "r-room1"


def test_publishers_are_told_what_to_send_and_told_again() -> None:
    bench, teacher, _ = lesson()
    pub = bench.transport("t-teacher", "pub")
    bench.event(LayersWanted("L1", pub, f"{pub}/camera", ("q",)))
    bench.event(LayersWanted("L1", pub, f"{pub}/nothing", ("q",)))
    bench.event(AudioBudget("L1", pub, f"{pub}/camera", 16_000, 60))

    def told(page: str) -> list[tuple[str, str]]:
        return [(m["type"], m["source"]) for m in bench.sent[page] if m["type"] in ("layers", "audio-budget")]

    assert told(teacher) == [("layers", "camera"), ("audio-budget", "camera")]
    bench.do(bench.room.lost(teacher, bench.now))
    again = bench.join("teacher")
    assert told(again) == told(teacher)
    assert [m["rids"] for m in bench.sent[again] if m["type"] == "layers"] == [["q"]]
