"""Is a queue building up on the way? The slope of one-way delay over packet groups (draft-ietf-rmcat-gcc-02 section 5).

Rule: only differences count, so neither clock needs to be right. The slope is a line fitted through the last twenty
groups, as browsers do it, instead of the draft's Kalman filter: one late packet bends a line less.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

Usage = Literal["normal", "over", "under"]

_GROUP = 0.005  # packets sent within 5 ms are one group (section 5.2)
_LONGEST_BURST = 0.1
_WINDOW = 20  # groups the line is fitted through
_SMOOTHING = 0.9
_GAIN = 4.0
_MOST_DELTAS = 60
_THRESHOLD, _LOWEST, _HIGHEST = 12.5, 6.0, 600.0  # ms (section 5.4: del_var_th)
_UP, _DOWN = 0.0087, 0.039  # K_u, K_d
_OUTLIER = 15.0  # ms over the threshold: a route change, not a trend
_OVERUSE_TIME = 0.010
_STEP_BACK = 3  # groups that arrive out of order before all is begun anew


class _Group:
    """Packets that left together."""

    __slots__ = ("arrived", "first_arrived", "first_sent", "sent")

    def __init__(self, sent: float, arrived: float) -> None:
        self.first_sent = self.sent = sent
        self.first_arrived = self.arrived = arrived


class Gradient:
    """``add`` packets in order of sending; ``usage`` says what the newest groups mean."""

    def __init__(self) -> None:
        self.usage: Usage = "normal"
        self.trend = 0.0  # ms, comparable to the threshold
        self._threshold = _THRESHOLD
        self._open: _Group | None = None
        self._last: _Group | None = None
        self._points: deque[tuple[float, float]] = deque(maxlen=_WINDOW)
        self._origin = 0.0
        self._delay = self._smooth = 0.0
        self._deltas = 0
        self._backwards = 0
        self._over_for = -1.0
        self._over_count = 0
        self._previous = 0.0
        self._updated = -1.0

    def add(self, sent: float, arrived: float) -> None:
        group = self._open
        if group is None:
            self._open = _Group(sent, arrived)
        elif sent < group.first_sent:
            return  # reordered by us: an answer to a NACK of before
        elif self._together(group, sent, arrived):
            group.sent, group.arrived = max(group.sent, sent), max(group.arrived, arrived)
        else:
            self._close(group)
            self._open = _Group(sent, arrived)

    @staticmethod
    def _together(group: _Group, sent: float, arrived: float) -> bool:
        if sent - group.first_sent <= _GROUP:
            return True
        # Held up together somewhere and let go at once (section 5.2): their distance says nothing of a queue.
        gap = arrived - group.arrived
        return gap <= _GROUP and gap < sent - group.sent and arrived - group.first_arrived < _LONGEST_BURST

    def _close(self, group: _Group) -> None:
        last, self._last = self._last, group
        if last is None:
            self._origin = group.arrived
            return
        passed, spread = group.arrived - last.arrived, group.sent - last.sent
        if passed < 0:
            self._backwards += 1
            if self._backwards >= _STEP_BACK:
                self._begin_anew()
            return
        self._backwards = 0
        self._step((passed - spread) * 1000, group.arrived, spread)

    def _begin_anew(self) -> None:
        self._last = None
        self._points.clear()
        self._delay = self._smooth = 0.0
        self._deltas = self._backwards = 0

    def _step(self, delta: float, arrived: float, spread: float) -> None:
        self._deltas = min(self._deltas + 1, _MOST_DELTAS)
        self._delay += delta
        self._smooth = _SMOOTHING * self._smooth + (1 - _SMOOTHING) * self._delay
        self._points.append(((arrived - self._origin) * 1000, self._smooth))
        slope = _slope(self._points) if len(self._points) == _WINDOW else None
        self._detect(slope, arrived, spread)

    def _detect(self, slope: float | None, arrived: float, spread: float) -> None:
        """Section 5.4."""
        if slope is None:
            return
        self.trend = self._deltas * slope * _GAIN
        if self.trend > self._threshold:
            self._over_for = spread / 2 if self._over_for < 0 else self._over_for + spread
            self._over_count += 1
            if self._over_for > _OVERUSE_TIME and self._over_count > 1 and self.trend >= self._previous:
                self._over_for, self._over_count = 0.0, 0
                self.usage = "over"
        else:
            self._over_for, self._over_count = -1.0, 0
            self.usage = "under" if self.trend < -self._threshold else "normal"
        self._previous = self.trend
        self._adapt(arrived)

    def _adapt(self, arrived: float) -> None:
        """A threshold that follows the noise, so that a rival that fills the queue does not starve us (section 5.4)."""
        size = abs(self.trend)
        if size <= self._threshold + _OUTLIER:
            gain = _DOWN if size < self._threshold else _UP
            passed = min((arrived - self._updated) * 1000, 100.0) if self._updated >= 0 else 0.0
            moved = self._threshold + gain * (size - self._threshold) * passed
            self._threshold = min(max(moved, _LOWEST), _HIGHEST)
        self._updated = arrived


def _slope(points: deque[tuple[float, float]]) -> float | None:
    """Least squares; None when all came at one instant."""
    count = len(points)
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    above = sum((x - mean_x) * (y - mean_y) for x, y in points)
    below = sum((x - mean_x) ** 2 for x, _ in points)
    return above / below if below > 0 else None
