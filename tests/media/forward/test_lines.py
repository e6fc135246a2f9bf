from __future__ import annotations

from media.forward import lines
from media.forward.lines import Lines


def test_a_thin_line_is_remembered_until_it_is_a_good_one() -> None:
    held = Lines(300_000)
    assert held.start("school") == 300_000, "nobody was here before"
    held.learnt("school", 90_000)
    assert held.start("school") == 90_000
    assert held.start("another") == held.start(None) == 300_000
    held.learnt("school", 2_000_000)
    assert held.start("school") == 300_000, "what is plenty is no reason to begin with more"


def test_what_was_measured_counts_until_something_is_learnt() -> None:
    held = Lines(300_000)
    held.told("school", 100_000)
    assert held.start("school") == 80_000
    held.learnt("school", 120_000)
    held.told("school", 100_000)
    assert held.start("school") == 120_000
    held.learnt("school", 5_000_000)
    held.told("school", 100_000)
    assert held.start("school") == 300_000, "a good line stays one, whatever was measured before"
    held.told("town", 20_000_000)
    assert held.start("town") == 300_000


def test_the_line_not_heard_of_for_longest_is_forgotten() -> None:
    held = Lines(300_000)
    for number in range(lines.MOST):
        held.learnt(f"school {number}", 50_000)
    held.learnt("school 0", 60_000)
    held.learnt("one more", 50_000)
    assert held.start("school 0") == 60_000
    assert held.start("school 1") == 300_000
