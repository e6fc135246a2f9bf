"""Who talks in a lesson and for how long: the media plane's beginnings and ends become talks worth counting. Pure.

Rule: only who can be heard talks (the lead teacher, rooms on the floor); a talk includes its breaths; one that goes on
is counted minute by minute, so that a node that dies takes a minute with it at most.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PAUSE = 3.0
"""Seconds of silence that end a talk: shorter ones belong to it."""
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Talk:
    """[since, until), monotonic seconds."""

    seat: str
    since: float
    until: float


@dataclass(slots=True)
class _Voice:
    since: float
    quiet: float | None = None
    """Since when nothing is heard any more."""


@dataclass(slots=True)
class Talks:
    """By seat. ``speaking`` is what pages show; it follows at once."""

    _voices: dict[str, _Voice] = field(default_factory=dict)

    def speaking(self) -> list[str]:
        """Who speaks now, longest first."""
        return [seat for seat, voice in self._voices.items() if voice.quiet is None]

    def turn(self, seat: str, on: bool, now: float) -> bool:
        """Somebody begins or stops; False when that was known."""
        voice = self._voices.get(seat)
        if on and voice is None:
            self._voices[seat] = _Voice(now)
        elif on and voice is not None and voice.quiet is not None:
            voice.quiet = None
        elif not on and voice is not None and voice.quiet is None:
            voice.quiet = now
        else:
            return False
        return True

    def tick(self, heard: frozenset[str], now: float) -> list[Talk]:
        """What is over, or a minute long. Seats not in ``heard`` are cut off now."""
        done: list[Talk] = []
        for seat, voice in list(self._voices.items()):
            until = voice.quiet
            if seat not in heard:
                done.append(Talk(seat, voice.since, now if until is None else until))
                del self._voices[seat]
            elif until is not None and now - until >= PAUSE:
                done.append(Talk(seat, voice.since, until))
                del self._voices[seat]
            elif until is None and now - voice.since >= MINUTE:
                done.append(Talk(seat, voice.since, now))
                voice.since = now
        return [talk for talk in done if talk.until > talk.since]
