"""Presence of one endpoint, cut into intervals of about ten seconds: what the page reports, bounded by what the node
knows.

Rule: an interval never counts more sound or picture than the time its receiving transport was connected within it.
"""

from __future__ import annotations

from dataclasses import dataclass

REPORT_AFTER = 5.0
"""A report that comes sooner than this after the last cut waits for the next one."""
CUT_AFTER = 15.0
"""Without a report (old page, WHEP player, assistant's phone) the node cuts by itself; late reports still find their
interval.
"""


@dataclass(frozen=True, slots=True)
class Interval:
    since: float
    until: float
    heard_ms: int
    saw_ms: int


@dataclass(slots=True)
class Presence:
    since: float
    heard_ms: int = 0
    saw_ms: int = 0
    media_since: float | None = None
    """Since when the receiving transport is connected."""
    media_s: float = 0.0
    """Connected seconds of this interval that are over."""

    def media(self, connected: bool, now: float) -> None:
        if connected and self.media_since is None:
            self.media_since = now
        elif not connected and self.media_since is not None:
            self.media_s += now - self.media_since
            self.media_since = None

    def report(self, heard_ms: int, saw_ms: int, now: float) -> Interval | None:
        self.heard_ms += heard_ms
        self.saw_ms += saw_ms
        return self.cut(now) if now - self.since >= REPORT_AFTER else None

    def tick(self, now: float) -> Interval | None:
        return self.cut(now) if now - self.since >= CUT_AFTER else None

    def cut(self, now: float) -> Interval:
        running = now - self.media_since if self.media_since is not None else 0.0
        bound = int((self.media_s + running) * 1000)
        interval = Interval(self.since, now, min(self.heard_ms, bound), min(self.saw_ms, bound))
        self.since, self.heard_ms, self.saw_ms, self.media_s = now, 0, 0, 0.0
        if self.media_since is not None:
            self.media_since = now
        return interval
