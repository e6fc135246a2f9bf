"""Packets of one SSRC back in their sent order; what does not come in time is said to be lost."""

from __future__ import annotations

from typing import NamedTuple

from media.wire.sequence import FIRST_CYCLE, extend

MAX_WAITING = 512  # packets held for a missing one: half a second of 8 Mbit/s
MAX_JUMP = 3000  # RFC 3550 section A.1 MAX_DROPOUT: beyond it the sender began anew


class Packet(NamedTuple):
    """(Every recorded packet is one, and a frozen dataclass takes five times as long to make.)"""

    sequence: int
    """Extended."""
    timestamp: int
    """Extended."""
    marker: bool
    payload: bytes
    arrival: float
    after_loss: bool = False
    """Packets before this one never came."""


class JitterBuffer:
    """``push`` and ``expire`` return packets that are next in order."""

    def __init__(self, hold: float) -> None:
        self._hold = hold
        self._next: int | None = None
        self._waiting: dict[int, Packet] = {}
        self.lost = 0

    def extend(self, sequence: int) -> int:
        return sequence + FIRST_CYCLE if self._next is None else extend(sequence, self._next)

    def push(self, packet: Packet) -> list[Packet]:
        if self._next is None:
            self._next = packet.sequence
        ahead = packet.sequence - self._next
        if ahead == 0 and not self._waiting:  # as nearly always
            self._next += 1
            return [packet]
        if abs(ahead) > MAX_JUMP:
            return self._restart(packet)
        if ahead < 0 or packet.sequence in self._waiting:
            return []  # too late or twice
        self._waiting[packet.sequence] = packet
        return self._in_order() + self.expire(packet.arrival)

    def _restart(self, packet: Packet) -> list[Packet]:
        out = self._skip_all()
        self._next = packet.sequence + 1
        return [*out, _after_loss(packet)]

    def expire(self, now: float) -> list[Packet]:
        """Give up on what is missing once its successor has waited for the hold time."""
        out: list[Packet] = []
        while self._waiting:
            first = min(self._waiting)
            if now - self._waiting[first].arrival < self._hold and len(self._waiting) <= MAX_WAITING:
                break
            out += self._skip_to(first)
        return out

    def flush(self) -> list[Packet]:
        return self._skip_all()

    def _skip_all(self) -> list[Packet]:
        out: list[Packet] = []
        while self._waiting:
            out += self._skip_to(min(self._waiting))
        return out

    def _skip_to(self, sequence: int) -> list[Packet]:
        assert self._next is not None, "something waits, so something came"
        self.lost += sequence - self._next
        first = self._waiting.pop(sequence)
        self._next = sequence + 1
        return [_after_loss(first), *self._in_order()]

    def _in_order(self) -> list[Packet]:
        out: list[Packet] = []
        assert self._next is not None, "push sets it"
        while (packet := self._waiting.pop(self._next, None)) is not None:
            out.append(packet)
            self._next += 1
        return out


def _after_loss(packet: Packet) -> Packet:
    return packet._replace(after_loss=True)
