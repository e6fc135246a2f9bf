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
BEFORE_PICTURES = 0.05
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


def redundancy(loss: float, line: float, sound: float, pictures: float, current: int) -> int:
    """How many earlier packets each one repeats (RFC 2198). ``line``, ``sound``, ``pictures``: bit/s of the estimate,
    of all sound without repetition, of the pictures shown. Where much is lost pictures give way; else Opus' own
    correction has to do when the line is full."""
    wanted = 2 if loss >= _THRICE * (_CALMER if current >= 2 else 1) else 0
    if not wanted and loss >= _TWICE * (_CALMER if current >= 1 else 1):
        wanted = 1
    spare = line - sound - (0.0 if loss >= BEFORE_PICTURES else pictures)
    while wanted and wanted * sound * REPEATED > spare:
        wanted -= 1
    return wanted


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
