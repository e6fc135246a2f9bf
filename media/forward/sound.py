"""How sound survives a bad line: what publishers are told of their listeners, and how often a listener gets it twice.

Pure. Browsers put forward error correction into Opus only when told of loss; a listener on a thin line makes them send
longer packets of fewer bits, because 20 ms packets of 32 kbit/s are 60 kbit/s on the wire.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

NORMAL_BITS, NORMAL_PTIME = 32_000, 20
THIN_BITS, THIN_PTIME = 24_000, 40
BARE_BITS, BARE_PTIME = 16_000, 60
_THIN, _BARE = 260_000.0, 65_000.0  # below: bit/s of the worst listener's line
_BACK = 1.3  # times that, for ...
_BACK_AFTER = 10.0  # ... so long, until sound is as before: encoders should not be turned to and fro
_MOST_SAID = 0.25  # Opus gains nothing from being told of more
_TWICE, _THRICE = 0.015, 0.10  # loss from which a packet carries the one before it, or two
_BEFORE_PICTURES = 0.05
_MEAGRE = 150_000.0  # bit/s of a line that carries sound and stills
_FEWER_AFTER = 6.0  # seconds: a page's picture that fills a meagre line is through
REPEATED = 0.65  # what a repeated packet costs: its bytes without headers
_CALMER = 0.5  # of these, before it is less again


@dataclass(frozen=True, slots=True)
class Budget:
    """How a publisher should send one sound."""

    bitrate: int = NORMAL_BITS
    ptime_ms: int = NORMAL_PTIME


def reported_loss(own: float, listeners: Iterable[float]) -> int:
    """RFC 3550's fraction of 256 for the publisher of a sound: his own loss and then his worst listener's."""
    worst = max(listeners, default=0.0)
    return round(min(1 - (1 - own) * (1 - worst), _MOST_SAID) * 256) if own or worst else 0


def weighed(reported: float, newest: float) -> float:
    """A sound's loss. ``reported``: by its own reports, every five seconds; ``newest``: of everything right now, which
    is a reason to repeat, but too much chance to take anything from a picture."""
    return max(reported, min(newest, _BEFORE_PICTURES * 0.99))


def before_pictures(loss: float, line: float) -> bool:
    """Whether pictures give way to repetition: where much is lost, and where only stills fit anyway."""
    return loss >= _BEFORE_PICTURES or line < _MEAGRE


def redundancy(loss: float, line: float, sound: float, pictures: float, current: int) -> int:
    """How many earlier packets each one repeats (RFC 2198). ``line``, ``sound``, ``pictures``: bit/s of the estimate,
    of all sound without repetition, of the pictures shown. A meagre line loses packets in gusts, whenever a page fills
    its queue, which nobody can foretell; Opus' own correction needs bits that thin sound has not (browsers: from about
    24 kbit/s on)."""
    wanted = 2 if loss >= _THRICE * (_CALMER if current >= 2 else 1) else 0
    if not wanted and (line < _MEAGRE or loss >= _TWICE * (_CALMER if current >= 1 else 1)):
        wanted = 1
    spare = line - sound - (0.0 if before_pictures(loss, line) else pictures)
    while wanted and wanted * sound * REPEATED > spare:
        wanted -= 1
    return wanted


@dataclass(slots=True)
class Repetition:
    """One listener's: more at once; fewer on a meagre line only when that was right for a while. What fills such a line
    for some seconds makes the estimate fall and packets get lost: the worst moment to stop."""

    distance: int = 0
    _fewer_since: float | None = None

    def step(self, wanted: int, line: float, now: float) -> int:
        if wanted >= self.distance or line >= _MEAGRE:
            self.distance, self._fewer_since = wanted, None
        elif self._fewer_since is None:
            self._fewer_since = now
        elif now - self._fewer_since >= _FEWER_AFTER:
            self.distance, self._fewer_since = wanted, None
        return self.distance


def _level(worst: float | None, scale: float = 1.0) -> Budget:
    if worst is None or worst >= _THIN * scale:
        return Budget()
    return Budget(THIN_BITS, THIN_PTIME) if worst >= _BARE * scale else Budget(BARE_BITS, BARE_PTIME)


@dataclass(slots=True)
class Thrift:
    """One published sound's budget: down at once, up only when the line has been better for a while."""

    said: Budget = Budget()
    _better_since: float | None = None

    def step(self, worst: float | None, now: float) -> Budget | None:
        """``worst``: bit/s of the thinnest line that listens, None: no listener, or none that is limited. What is to
        be said now, None: nothing new."""
        wanted = _level(worst)
        if wanted.bitrate < self.said.bitrate:
            self._better_since = None
            self.said = wanted
            return wanted
        if _level(worst, _BACK).bitrate <= self.said.bitrate:
            self._better_since = None
            return None
        if self._better_since is None:
            self._better_since = now
        if now - self._better_since < _BACK_AFTER:
            return None
        self._better_since = None
        self.said = _level(worst, _BACK)
        return self.said
