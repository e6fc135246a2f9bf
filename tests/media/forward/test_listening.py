"""A lesson with weather and three open microphones: the voice first, the others when the line has room for them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.support.village import QUIET, VOICE, Village
from tests.support.weather import Line, Weather, steady

pytestmark = pytest.mark.slow
GOOD, THIN = Weather(2e6, 0.05), Weather(40_000, 0.05)


def heard(village: Village, times: list[float], seconds: float = 6) -> float:
    """Share of the packets of the last ``seconds`` that came; they had one length all the while."""
    until = village.now - 0.5
    count = sum(until - seconds <= at < until for at in times)
    return count * village.thin[1] / 1000 / seconds


def whole(village: Village) -> bool:
    """Everybody was heard in the last seconds."""
    since = village.now - 3
    sounds = [[at for at in times if at > since] for times in (village.room.sounds, *village.room.voices)]
    return all(max((b - a for a, b in pairwise([since, *times, village.now])), default=9) < 0.3 for times in sounds)


def test_a_good_line_hears_everybody() -> None:
    assert whole(Village(steady(rate=2e6, delay=0.03), floor=2).run(5))


def test_a_starving_line_hears_who_speaks() -> None:
    """40 kbit/s: one voice, not three. Probes cost it a packet now and then."""
    village = Village(Line([(0, GOOD), (102, THIN)]), floor=2).run(16)
    teacher, pupil = village.mics[0], village.mics[1]
    assert heard(village, village.room.sounds) > 0.9, "the teacher explains"
    stats = next(s for s in village.sfu.stats("lesson") if s.transport == "room0")
    assert sorted(s.quality for s in stats.slots if s.kind == "audio") == ["high", "off", "off"]
    teacher.level, pupil.level = QUIET, VOICE
    village.run(8)
    assert heard(village, village.room.voices[0]) > 0.9, "a pupil answers"
    teacher.level, pupil.level = VOICE, QUIET
    village.run(8)
    assert heard(village, village.room.sounds) > 0.9


def test_the_others_come_back_with_the_line() -> None:
    village = Village(Line([(0, GOOD), (102, THIN), (115, GOOD)]), floor=2).run(15)
    assert min(heard(village, times) for times in village.room.voices) < 0.3, "not everybody was heard"
    assert whole(village.run(11))


def test_the_others_come_back_where_nothing_but_sound_is_sent() -> None:
    """No picture, so no probe either: the missing sound itself is the trial."""
    village = Village(Line([(0, GOOD), (105, Weather(25_000, 0.05)), (125, GOOD)]), floor=1)
    for encoder in village.encoders:
        encoder.due = float("inf")
    village.run(25)
    assert heard(village, village.room.voices[0]) < 0.5
    assert whole(village.run(35))
