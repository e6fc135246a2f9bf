"""Slot policy: who sees and hears whom."""

from __future__ import annotations

import pytest

from signaling.stage import Feed, Stage, layout

A = ["0", "1", "2"]
V = ["3", "4", "5", "6", "7", "8"]
ALL: frozenset[Feed] = frozenset(
    [("t", "camera"), ("t", "mic")] + [(room, source) for room in ("r1", "r2", "r3") for source in ("camera", "mic")]  # type: ignore[list-item]
)


def shown(
    seat: str, role: str, floor: tuple[str, ...] = (), published: frozenset[Feed] = ALL, **more: list[str]
) -> dict[str, Feed]:
    stage = Stage("t", ("r1", "r2", "r3"), floor, published)
    found = layout(stage, seat, role, more.get("audio", A), more.get("video", V))  # type: ignore[arg-type]
    assert set(found) == {*more.get("audio", A), *more.get("video", V)}
    return {mid: feed for mid, feed in found.items() if feed}


@pytest.mark.parametrize("role", ["class", "watch", "inspector"])
def test_the_audience_sees_the_teacher(role: str) -> None:
    assert shown("r1", role) == {"0": ("t", "mic"), "3": ("t", "camera")}


def test_rooms_on_the_floor_are_heard_by_all_but_themselves() -> None:
    floor = ("r2", "r1")
    assert shown("r3", "class", floor) == {
        "0": ("t", "mic"),
        "1": ("r2", "mic"),
        "2": ("r1", "mic"),
        "3": ("t", "camera"),
        "5": ("r2", "camera"),
        "6": ("r1", "camera"),
    }
    own = shown("r1", "class", floor)
    assert own["1"] == ("r2", "mic") and ("r1", "mic") not in own.values() and ("r1", "camera") not in own.values()


def test_no_microphone_without_the_floor() -> None:
    for seat, role in (("t", "teacher"), ("r1", "class"), ("w", "watch")):
        assert not [feed for feed in shown(seat, role).values() if feed[0].startswith("r") and feed[1] == "mic"]


def test_a_shared_screen_brings_picture_and_sound() -> None:
    published = ALL | {("t", "screen"), ("t", "screen-audio")}
    found = shown("r3", "class", ("r1", "r2"), published)
    assert (found["4"], found["1"], found["2"]) == (("t", "screen"), ("t", "screen-audio"), ("r1", "mic"))


def test_the_teachers_tiles_keep_their_places() -> None:
    found = shown("t", "teacher", ("r3",), ALL - {("r1", "camera")})
    assert found == {"0": ("r3", "mic"), "4": ("r2", "camera"), "5": ("r3", "camera")}
    assert ("t", "mic") not in found.values()


def test_with_more_rooms_than_tiles_only_those_with_a_picture() -> None:
    found = shown("t", "teacher", (), ALL - {("r1", "camera")}, video=["3", "4"])
    assert found == {"3": ("r2", "camera"), "4": ("r3", "camera")}


def test_a_player_with_two_lines() -> None:
    assert shown("w", "watch", ("r1",), audio=["a"], video=["v"]) == {"a": ("t", "mic"), "v": ("t", "camera")}


def test_before_the_teacher_comes() -> None:
    assert shown("r1", "class", (), frozenset()) == {}
