"""Slot policy: which published track stands in which m-line of a viewer. Pure, and the only place that decides it.

A room never hears itself; a receiving room's microphone is forwarded only while it has the floor; receiving rooms see
each other only on the stage. A viewer with one place for sound gets the mix of the stage, where it is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from media.parameters import Source
from signaling.mixing import FED, SENDS
from signaling.seats import Role

FLOOR_LIMIT = 2
"""Rooms on the floor at once: the audience has two slots of sound beside the teacher's."""

Feed = tuple[str, Source]
"""(seat, source)"""


@dataclass(frozen=True, slots=True)
class Stage:
    """``rooms`` are the lesson's receiving seats in order, ``published`` all feeds that are sent to the node."""

    teacher: str
    rooms: tuple[str, ...]
    floor: tuple[str, ...]
    published: frozenset[Feed]

    def has(self, feed: Feed) -> Feed | None:
        return feed if feed in self.published else None


def layout(stage: Stage, seat: str, role: Role, audio: Sequence[str], video: Sequence[str]) -> dict[str, Feed | None]:
    """mid -> feed for a viewer with these m-lines, in their order."""
    if role == "teacher":
        sounds, pictures = _lead(stage, len(video))
    else:
        sounds, pictures = _audience(stage, seat)
        if len(audio) == 1 and role in FED and (mixed := stage.has((SENDS, "mic"))):
            sounds = [mixed]
    shown: dict[str, Feed | None] = dict(zip(audio, [*sounds, *[None] * len(audio)], strict=False))
    return shown | dict(zip(video, [*pictures, *[None] * len(video)], strict=False))


def _lead(stage: Stage, places: int) -> tuple[list[Feed | None], list[Feed | None]]:
    """Tiles keep their place in the lesson's order; with more rooms than places only those with a picture get one."""
    sounds = [stage.has((room, "mic")) for room in stage.floor]
    tiles = [stage.has((room, "camera")) for room in stage.rooms]
    if len(tiles) > places:
        tiles = [feed for feed in tiles if feed]
    return sounds, tiles


def _audience(stage: Stage, seat: str) -> tuple[list[Feed | None], list[Feed | None]]:
    others = [room for room in stage.floor if room != seat]
    sounds: list[Feed | None] = [stage.has((stage.teacher, "mic"))]
    # A shared screen's sound goes before the floor: what the teacher plays is the lesson.
    extra: list[Feed | None] = [
        stage.has((stage.teacher, "screen-audio")),
        *(stage.has((one, "mic")) for one in others),
    ]
    sounds += [feed for feed in extra if feed]
    pictures = [stage.has((stage.teacher, "camera")), stage.has((stage.teacher, "screen"))]
    return sounds, pictures + [stage.has((one, "camera")) for one in others]


def changed(before: Mapping[str, str | None], after: Mapping[str, str | None]) -> dict[str, str | None]:
    return {mid: track for mid, track in after.items() if before.get(mid) != track}
