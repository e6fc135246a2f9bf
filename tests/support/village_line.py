"""A line of ``weather.Line`` between Chromium and the node: a UDP proxy whose address is the only candidate.

Rule: both ways have the same delay and loss, the way down the rate and the queue; what the page loads over TCP shares
the way down (a segment that is lost comes a retransmission later).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tests.support.weather import Line, Weather, steady

_SEGMENT = 1200
_TCP = 24  # bytes its head is longer than UDP's
_RETRANSMISSION = 0.3


@dataclass
class ProxiedLine:
    """``port`` is what the browser talks to; ``down`` the line to the room."""

    node: tuple[str, int]
    down: Line
    up: Line
    port: int = 0
    _inside: asyncio.DatagramTransport | None = None
    _outside: asyncio.DatagramTransport | None = None
    _browser: tuple[str, int] | None = None
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    @classmethod
    async def open(cls, node: tuple[str, int], weather: Weather, seed: int) -> ProxiedLine:
        down = Line([(0.0, weather)], seed)
        made = cls(node, down, steady(delay=weather.delay, loss=weather.loss))
        made.up.seed = seed + 1
        loop = asyncio.get_running_loop()
        made._inside, _ = await loop.create_datagram_endpoint(lambda: _End(made.from_browser), ("127.0.0.1", 0))
        made._outside, _ = await loop.create_datagram_endpoint(lambda: _End(made.from_node), ("127.0.0.1", 0))
        made.port = made._inside.get_extra_info("sockname")[1]
        return made

    def change(self, weather: Weather) -> None:
        """From now on."""
        now = self._loop.time()
        self.down.changes = [*self.down.changes, (now, weather)]
        self.up.changes = [(0.0, Weather(delay=weather.delay, loss=weather.loss))]

    def from_browser(self, data: bytes, address: tuple[str, int]) -> None:
        self._browser = address
        arrival = self.up.carry(len(data), self._loop.time())
        if arrival is not None:
            self._loop.call_at(arrival, self._on, data)

    def _on(self, data: bytes) -> None:
        if self._outside is not None:
            self._outside.sendto(data, self.node)

    def from_node(self, data: bytes, _: tuple[str, int]) -> None:
        arrival = self.down.carry(len(data), self._loop.time())
        if arrival is not None:
            self._loop.call_at(arrival, self._deliver, data)

    def _deliver(self, data: bytes) -> None:
        if self._inside is not None and self._browser is not None:
            self._inside.sendto(data, self._browser)

    async def tcp(self, size: int) -> None:
        """Waits as long as so many bytes over TCP take on this line: slow start, half the window after a loss."""
        left = [min(_SEGMENT, size - at) for at in range(0, size, _SEGMENT)]
        window, limit = 10, 1000
        while left:
            now = self._loop.time()
            arrivals = [self.down.carry(segment + _TCP, now) for segment in left[:window]]
            lost = [segment for segment, at in zip(left, arrivals, strict=False) if at is None]
            left = lost + left[window:]
            if lost:
                window = limit = max(window // 2, 2)
            else:
                window = min(2 * window, window + 1 if window >= limit else 1000)
            latest = max((at for at in arrivals if at is not None), default=now)
            back = self.up.weather(0).delay if left else 0.0
            await asyncio.sleep(max(latest - now + back, _RETRANSMISSION if lost else 0.0))

    def close(self) -> None:
        for end in (self._inside, self._outside):
            if end is not None:
                end.close()
        self._inside = self._outside = None


class _End(asyncio.DatagramProtocol):
    def __init__(self, take: object) -> None:
        self._take = take

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self._take(data, address)  # type: ignore[operator]
