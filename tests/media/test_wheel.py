from __future__ import annotations

from collections.abc import Iterator

from media.wheel import Beat, Rota, Wheel, portions


def test_beats_keep_their_pace() -> None:
    fast: list[float] = []
    slow: list[float] = []
    wheel = Wheel(Beat(0.1, fast.append), Beat(1.0, slow.append))
    now = 50.0
    while now < 60.0:
        due = wheel.tick(now)
        assert due > now
        now = due
    assert 98 <= len(fast) <= 102
    assert 9 <= len(slow) <= 11


def test_what_was_slept_through_is_not_made_up_for() -> None:
    beats: list[float] = []
    wheel = Wheel(Beat(0.1, beats.append))
    wheel.tick(1.0)
    due = wheel.tick(100.0)
    assert beats == [1.0, 100.0]
    assert 100.0 < due <= 100.1


def test_a_look_comes_once_at_its_time() -> None:
    rota = Rota()
    rota.set("b", 2.0)
    rota.set("a", 1.0)
    assert rota.due(0.9) == []
    assert rota.due(5.0) == ["a", "b"]
    assert rota.due(5.0) == []


def test_the_last_word_counts() -> None:
    rota = Rota()
    rota.set("a", 1.0)
    rota.set("a", 3.0)
    rota.set("b", 1.0)
    rota.drop("b")
    assert rota.due(2.0) == []
    rota.sooner("a", 9.0)
    rota.sooner("a", 2.5)
    assert rota.due(2.5) == ["a"]
    assert rota.due(9.0) == []


def test_between_portions_packets_pass() -> None:
    told: list[object] = []

    def look(_now: float) -> Iterator[None]:
        for portion in portions("abcde", 2):
            told.append("".join(portion))
            yield

    wheel = Wheel(Beat(1.0, look), Beat(1.0, told.append))
    wheel.tick(5.0, lambda: told.append("packets"))
    assert told == ["ab", "packets", "cd", "packets", "e", "packets", "packets", 5.0, "packets"]
