"""Tables of who is heard on a line that is too thin for all sounds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from media.forward.hearing import Hearing, Sound, audible, ordered, trusted

K = 1000.0
TEACHER, PUPIL, OTHER = Sound("teacher", 24 * K), Sound("pupil", 24 * K), Sound("other", 24 * K)
ALL = [TEACHER, PUPIL, OTHER]


def speaking(one: Sound, leads: bool = True) -> Sound:
    return replace(one, speaks=True, leads=leads)


def off(one: Sound) -> Sound:
    return replace(one, on=False)


# sounds in the order of their places, whose voice goes first, the order that follows
ORDERS = [
    (ALL, None, "teacher pupil other"),
    ([speaking(TEACHER), PUPIL, OTHER], "teacher", "teacher pupil other"),
    # a pupil who speaks goes before the teacher who listens, and nobody else does
    ([TEACHER, speaking(PUPIL), OTHER], "pupil", "pupil teacher other"),
    ([TEACHER, PUPIL, speaking(OTHER)], "other", "other teacher pupil"),
    # two pupils at once: the louder one, the teacher, the other one
    ([TEACHER, speaking(PUPIL, False), speaking(OTHER)], "other", "other teacher pupil"),
    # teacher and pupil at once: no silent microphone between them
    ([speaking(TEACHER), PUPIL, speaking(OTHER, False)], "teacher", "teacher other pupil"),
    # who spoke last and is silent now is before nobody
    ([TEACHER, replace(PUPIL, leads=True), OTHER], None, "teacher pupil other"),
]


@pytest.mark.parametrize(("sounds", "voice", "order"), ORDERS)
def test_order(sounds: list[Sound], voice: str | None, order: str) -> None:
    assert [one.key for one in ordered(sounds, voice)] == order.split()


# bit/s of the line, sounds of 24 kbit/s in order of rank, at most, how many are heard
COUNTS = [
    (None, ALL, 3, 3),
    (72 * K, ALL, 3, 3),
    (69 * K, ALL, 3, 3),  # who is heard stays while it nearly fits
    (68 * K, ALL, 3, 2),
    (45 * K, ALL, 3, 1),
    (10 * K, ALL, 3, 1),  # one is heard on any line
    (0.0, [TEACHER], 1, 1),
    (100 * K, [], 0, 0),
    # who is to be heard again needs room to spare
    (50 * K, [TEACHER, off(PUPIL)], 2, 1),
    (56 * K, [TEACHER, off(PUPIL)], 2, 2),
    (80 * K, [TEACHER, off(PUPIL), off(OTHER)], 3, 2),
    (84 * K, [TEACHER, off(PUPIL), off(OTHER)], 3, 3),
    (None, [TEACHER, off(PUPIL)], 1, 1),  # patience
    # one takes another's place: as many as before stay
    (47 * K, [off(PUPIL), TEACHER, OTHER], 3, 2),
    (30 * K, [off(PUPIL), TEACHER], 2, 1),
    # strictly in order: a cheap one does not slip in before one that does not fit
    (30 * K, [TEACHER, PUPIL, replace(OTHER, price=1 * K)], 3, 1),
]


@pytest.mark.parametrize(("line", "sounds", "most", "expected"), COUNTS)
def test_how_many(line: float | None, sounds: list[Sound], most: int, expected: int) -> None:
    assert audible(line, sounds, most) == expected


class Line:
    """Looks five times a second at a line, as steering does."""

    def __init__(self, *sounds: Sound) -> None:
        self.hearing, self.sounds, self.now = Hearing(), list(sounds), 100.0
        self.changes = 0

    def hear(self, line: float | None, *voices: str, seconds: float = 0.2) -> str:
        """``voices``: keys of those who speak, the loudest first. Who is heard at the end."""
        heard = frozenset[str]()
        for _ in range(round(seconds / 0.2)):
            self.now += 0.2
            told = [
                replace(one, speaks=one.key in voices, leads=one.key == next(iter(voices), None)) for one in self.sounds
            ]
            heard = self.hearing.hear(line, told, self.now)
            self.changes += heard != {one.key for one in self.sounds if one.on}
            self.sounds = [replace(one, on=one.key in heard) for one in self.sounds]
        return " ".join(one.key for one in self.sounds if one.on)


def test_a_dialogue_on_a_line_for_one_voice() -> None:
    line = Line(*ALL)
    assert line.hear(30 * K, "teacher") == "teacher"
    assert line.hear(30 * K, "teacher", seconds=20) == "teacher"
    assert line.changes == 1
    assert line.hear(30 * K, "pupil") == "pupil", "he answers"
    assert line.hear(30 * K) == "teacher", "he has ended: what the teacher says next is not cut"
    assert line.hear(30 * K, seconds=20) == "teacher"
    assert line.changes == 3


def test_who_talk_at_once_do_not_cut_each_other_up() -> None:
    line = Line(*ALL)
    line.hear(30 * K, "teacher")
    for _ in range(20):  # now this one is louder, now that one
        line.hear(30 * K, "pupil", "teacher", seconds=0.4)
        line.hear(30 * K, "teacher", "pupil", seconds=0.4)
    assert line.changes <= 1 + 16 / 2
    assert line.hear(30 * K, "pupil", seconds=2.2) == "pupil"


def test_the_others_come_back_when_the_line_does_and_not_before() -> None:
    line = Line(*ALL)
    assert line.hear(30 * K, "teacher") == "teacher"
    assert line.hear(59 * K, "teacher", seconds=1.6) == "teacher"
    assert line.hear(59 * K, "teacher", seconds=2) == "teacher pupil"
    assert line.hear(500 * K, "teacher") == "teacher pupil other"


def test_a_line_that_swings_is_not_followed() -> None:
    line = Line(*ALL)
    for _ in range(60):
        line.hear(30 * K, "teacher", seconds=1)
        line.hear(59 * K, "teacher", seconds=1)
    assert line.changes < 25, "two minutes in which it swings sixty times"


def test_a_line_that_nobody_knows_a_limit_of() -> None:
    line = Line(TEACHER, off(PUPIL))
    assert line.hear(None, "teacher") == "teacher pupil"


def test_calm_lines_are_tried() -> None:
    assert trusted(30 * K, 100.0, 105.0) == 30 * K
    assert trusted(30 * K, 100.0, 110.0) == 60 * K
