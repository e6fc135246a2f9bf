"""What one receiver gets of the lesson's picture, in a word for both ends, and for how long, for the ledger. Pure.

Rule: the word is that of the picture that carries the lesson: the shared screen where there is one, else the teacher's
camera. Without any picture sent there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from media.parameters import Quality

Gets = Literal["high", "mid", "low", "stills", "sound"]

CUT_AFTER = 60.0
"""An interval is told at the latest then: a node that dies loses no more than a minute of it."""
SETTLED = 1.0
"""A word shorter than this is a step on the way to another."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """[since, until): what was got."""

    since: float
    until: float
    gets: Gets


@dataclass(slots=True)
class Reception:
    qualities: dict[str, Quality] = field(default_factory=dict)
    """mid -> what the media plane last said of this slot."""
    gets: Gets | None = None
    _since: float = 0.0

    def clear(self) -> None:
        """The receiving connection is gone, its slots with it."""
        self.qualities.clear()

    def turn(self, now: float, mids: Sequence[str]) -> Stretch | None:
        """``mids``: slots that carry the lesson's picture, the first first; none while nothing is received. Gives the
        stretch that ends now, if one does."""
        gets = word(self.qualities, mids)
        if gets == self.gets and now - self._since < CUT_AFTER:
            return None
        ended = self.cut(now)
        self.gets = gets
        return ended

    def cut(self, now: float) -> Stretch | None:
        """What was got until now, for somebody who leaves."""
        gets, since = self.gets, self._since
        self.gets, self._since = None, now
        return Stretch(since, now, gets) if gets is not None and now - since >= SETTLED else None


def word(qualities: Mapping[str, Quality], mids: Sequence[str]) -> Gets | None:
    said = next((qualities[mid] for mid in mids if mid in qualities), None)
    return "sound" if said == "off" else said
