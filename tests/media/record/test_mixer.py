"""One sound out of many: sums, never a wait, never an overflow, silence when nobody sounds."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from media.record.mixer import BLOCK, HELD, KNEE, LOUDEST, MOST, SILENCE, Mixer


def tone(level: int, samples: int = BLOCK) -> array[int]:
    return array("h", [level] * samples)


def test_nobody_is_silence() -> None:
    assert Mixer().take() == SILENCE and len(SILENCE) == BLOCK


def test_two_voices_are_added_and_one_goes_on_alone() -> None:
    mixer = Mixer()
    for _ in range(4):
        mixer.put("a", tone(1000))
        mixer.put("b", tone(-300))
    assert mixer.take() == tone(700)
    mixer.drop("b")
    assert mixer.take() == tone(1000)


def test_a_source_begins_with_something_in_hand_and_pauses_without_it() -> None:
    mixer = Mixer()
    mixer.put("a", tone(5, HELD - 1))
    assert mixer.take() == SILENCE
    mixer.put("a", tone(5, 1))
    assert [mixer.take() for _ in range(4)] == [tone(5), tone(5), tone(5), SILENCE]
    mixer.put("a", tone(5))
    assert mixer.take() == SILENCE, "it waits until its line is steady again"


def test_who_runs_ahead_loses_the_oldest() -> None:
    mixer = Mixer()
    for level in range(1, 2 + MOST // BLOCK):
        mixer.put("a", tone(level))
    newest = 1 + MOST // BLOCK
    assert mixer.take() == tone(newest - 2)


def test_loud_voices_are_bent_not_cut() -> None:
    mixer = Mixer()
    for source in "abc":
        mixer.put(source, tone(30_000, HELD))
    (level,) = set(mixer.take())
    assert KNEE < level <= LOUDEST


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-32768, 32767), st.integers(0, 3000)), max_size=30))
def test_whatever_comes_a_block_goes_out(fed: list[tuple[str, int, int]]) -> None:
    mixer = Mixer()
    for source, level, samples in fed:
        mixer.put(source, tone(level, samples))
        assert len(mixer.take()) == BLOCK
