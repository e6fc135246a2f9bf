"""Talks: breaths belong to them, minutes are counted as they pass, nobody talks who cannot be heard."""

from __future__ import annotations

from signaling.talk import Talk, Talks

BOTH = frozenset({"t", "r"})


def test_a_talk_includes_its_breaths() -> None:
    talks = Talks()
    assert talks.turn("t", True, 0.0)
    assert talks.turn("t", False, 5.0)
    assert talks.tick(BOTH, 7.9) == []
    assert talks.turn("t", True, 7.9)
    assert talks.turn("t", False, 10.0)
    assert talks.speaking() == []
    assert talks.tick(BOTH, 12.9) == []
    assert talks.tick(BOTH, 13.0) == [Talk("t", 0.0, 10.0)]
    assert talks.tick(BOTH, 20.0) == []


def test_a_long_talk_is_counted_by_the_minute_without_holes() -> None:
    talks = Talks()
    talks.turn("t", True, 0.0)
    counted: list[Talk] = []
    for step in range(1, 601):
        counted += talks.tick(BOTH, step * 0.25)
    talks.turn("t", False, 150.0)
    counted += talks.tick(BOTH, 160.0)
    assert [one.since for one in counted[1:]] == [one.until for one in counted[:-1]]
    assert (counted[0].since, counted[-1].until) == (0.0, 150.0)


def test_who_loses_the_floor_is_cut_off() -> None:
    talks = Talks()
    talks.turn("r", True, 0.0)
    assert talks.speaking() == ["r"]
    assert talks.tick(frozenset({"t"}), 4.0) == [Talk("r", 0.0, 4.0)]
    assert talks.speaking() == []
    assert not talks.turn("r", False, 5.0), "the media plane says so later"


def test_what_is_known_is_no_news() -> None:
    talks = Talks()
    assert not talks.turn("t", False, 0.0)
    assert talks.turn("t", True, 1.0)
    assert not talks.turn("t", True, 2.0)
