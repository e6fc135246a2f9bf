"""Who speaks: levels in, beginnings and ends out; every case a classroom has."""

from __future__ import annotations

import random

import pytest

from media.engine import Loudness
from media.forward.layers import Layer
from media.forward.registry import Registry
from media.forward.router import PublishedTrack
from media.forward.speakers import BEGINS, ENDS, LISTEN_EVERY, Ears, Speakers, Voice
from media.parameters import Codec, Extensions, Speaking, TrackParameters

VOICE, QUIET, CLOSED = 28, 70, 127
PACKETS = 10


def heard(level: float) -> Loudness:
    return Loudness(PACKETS, PACKETS, round(level), round(level * PACKETS))


def turns(levels: list[float], voice: Voice | None = None) -> list[tuple[float, bool]]:
    """(seconds, begins) of one track that was this loud, look by look."""
    voice = voice or Voice()
    found = [(n * LISTEN_EVERY, voice.hear(heard(level), LISTEN_EVERY)) for n, level in enumerate(levels, 1)]
    return [(at, turned) for at, turned in found if turned is not None]


def seconds(level: float, length: float) -> list[float]:
    return [level] * round(length / LISTEN_EVERY)


def test_a_sentence_begins_and_ends() -> None:
    found = turns(seconds(QUIET, 2) + seconds(VOICE, 4) + seconds(QUIET, 3))
    assert [begins for _, begins in found] == [True, False]
    assert found[0][0] == pytest.approx(2 + BEGINS, abs=LISTEN_EVERY)
    assert found[1][0] == pytest.approx(6 + ENDS, abs=LISTEN_EVERY)


@pytest.mark.parametrize(
    ("levels", "why"),
    [
        (seconds(CLOSED, 10), "a closed microphone"),
        (seconds(QUIET, 10), "a quiet classroom"),
        (seconds(QUIET, 2) + seconds(VOICE, LISTEN_EVERY) + seconds(QUIET, 4), "a cough"),
        (seconds(QUIET, 2) + [VOICE, QUIET] * 3 + seconds(QUIET, 3), "chairs, one after the other"),
        (seconds(60, 3) + seconds(55, 20), "whispers in the last row"),
    ],
)
def test_nobody_speaks(levels: list[float], why: str) -> None:
    assert turns(levels) == [], why


def test_a_breath_ends_no_speech() -> None:
    sentence = seconds(VOICE, 2.4) + seconds(QUIET, 0.6)
    assert [begins for _, begins in turns(sentence * 10)] == [True]


def test_a_fan_is_no_speaker_for_long() -> None:
    """Switched on in mid-lesson it may count as voice at first; then it is the room's quiet, and a voice over it is
    heard."""
    voice = Voice()
    fan = turns(seconds(QUIET, 2) + seconds(46, 60), voice)
    assert [begins for _, begins in fan] in ([], [True, False])
    assert [begins for _, begins in turns(seconds(VOICE, 2), voice)] == [True]


def test_a_teacher_who_never_pauses_is_heard_to_the_end() -> None:
    assert [begins for _, begins in turns(seconds(VOICE - 4, 600))] == [True]


def test_no_packets_is_silence() -> None:
    voice = Voice()
    turns(seconds(VOICE, 2), voice)
    assert voice.speaking
    for _ in range(10):
        voice.hear(None, LISTEN_EVERY)
    assert not voice.speaking


def test_the_lead_changes_only_to_somebody_clearly_louder_or_when_free() -> None:
    room = Speakers()

    def both(a: float, b: float, length: float = 3.0) -> None:
        for _ in range(round(length / LISTEN_EVERY)):
            room.hear({"a": heard(a), "b": heard(b)}, LISTEN_EVERY)

    both(QUIET, QUIET)
    assert room.leader is None
    both(VOICE, QUIET)
    assert room.leader == "a"
    both(VOICE, VOICE - 3)
    assert room.leader == "a", "b is hardly louder"
    both(VOICE, VOICE - 12)
    assert room.leader == "b"
    both(QUIET, QUIET)
    assert room.leader == "b", "nobody else speaks"
    both(VOICE, QUIET)
    assert room.leader == "a"


def test_who_leaves_has_stopped() -> None:
    room = Speakers()
    for _ in range(5):
        room.hear({"a": heard(VOICE)}, LISTEN_EVERY)
    assert room.leader == "a"
    assert room.hear({}, LISTEN_EVERY) == [("a", False)]
    assert room.leader is None


def test_beginnings_and_ends_alternate_whatever_comes() -> None:
    dice = random.Random(5)
    for _ in range(50):
        found = turns([dice.choice((VOICE, QUIET, CLOSED, 45, 20)) for _ in range(400)])
        assert [begins for _, begins in found] == [n % 2 == 0 for n in range(len(found))]


class Levels:
    """An engine that only knows how loud it was."""

    def __init__(self) -> None:
        self.levels: dict[int, float] = {}

    def loudness(self, stream: int) -> Loudness | None:
        return heard(self.levels[stream]) if stream in self.levels else None


def test_ears_listen_to_microphones_only_and_say_whose() -> None:
    registry, engine = Registry(), Levels()
    for stream, source in ((1, "mic"), (2, "screen-audio")):
        parameters = TrackParameters("0", "audio", source, Codec("audio/opus", 111, 48000, 2), Extensions())  # type: ignore[arg-type]
        layers = (Layer(stream, 0, None, 0),)
        registry.tracks[f"T/{source}"] = PublishedTrack(f"T/{source}", "T", "room", layers, parameters)
    ears = Ears(registry, engine)  # type: ignore[arg-type]
    engine.levels = {1: VOICE, 2: VOICE}
    for n in range(10):
        ears.listen(n * LISTEN_EVERY)
    assert registry.events == [Speaking("room", "T", "T/mic", True)]
    assert ears.leader("room") == "T/mic"
    assert ears.speaks("room", "T/mic") and not ears.speaks("room", "T/screen-audio")
    registry.tracks.clear()
    ears.listen(3.0)
    assert registry.events[1:] == [Speaking("room", "T", "T/mic", False)]
    assert ears.leader("room") is None and not ears.speaks("room", "T/mic")
