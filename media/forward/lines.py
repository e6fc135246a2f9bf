"""What thin lines carried when rooms were last behind them, or were measured to: whoever comes begins with that, and no
flood of the first pictures drowns the first words (at 100 kbit/s a second or two of them). Pure; the node's memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SHARE = 0.8
"""Of what was measured with nothing else on the line: where to begin."""
MOST = 4096
"""Lines remembered: a city's schools twice over. The one not heard of for longest goes."""


@dataclass(slots=True)
class Lines:
    usual: float
    """Bit/s with which an unknown line begins."""
    _known: dict[str, float] = field(default_factory=dict)

    def learnt(self, line: str, rate: float) -> None:
        """Its estimate (bit/s) while nothing waits on the way."""
        self._known.pop(line, None)
        self._known[line] = min(rate, self.usual)
        if len(self._known) > MOST:
            del self._known[next(iter(self._known))]

    def told(self, line: str, rate: float) -> None:
        """Measured by others; what was learnt here is newer."""
        if line not in self._known and rate * SHARE < self.usual:
            self.learnt(line, rate * SHARE)

    def start(self, line: str | None) -> float:
        return self.usual if line is None else self._known.get(line, self.usual)
