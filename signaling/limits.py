"""Token buckets: how fast one socket may speak. Pure: the time comes from outside."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """``rate`` tokens a second up to ``burst``; a refused take goes into debt, so that hammering is seen."""

    rate: float
    burst: float
    level: float
    since: float
    refused: int = 0

    @classmethod
    def full(cls, rate: float, burst: float, now: float) -> Bucket:
        return cls(rate, burst, burst, now)

    def take(self, now: float) -> int:
        """0, or the ms after which one more would be let through."""
        self.level = min(self.burst, self.level + (now - self.since) * self.rate)
        self.since = now
        if self.level >= 1:
            self.level -= 1
            self.refused = 0
            return 0
        self.refused += 1
        return max(1, int((1 - self.level) / self.rate * 1000))
