"""The sound of everybody on the stage as one: samples in by source, blocks of 20 ms out, whatever is missing. Pure.

Rule: the clock is the taker's. A source that is late is silent, one that runs ahead loses its oldest samples, and
nobody waits for anybody. Mono, 48 kHz, 16 bit: what a single loudspeaker in a classroom plays.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

RATE = 48_000
BLOCK = 960  # 20 ms, an Opus frame
HELD = 3 * BLOCK  # a source begins to sound with so much in hand: what the network's jitter may eat
MOST = 10 * BLOCK  # beyond it a source is behind: its oldest samples go
LOUDEST = 32_767
KNEE = 24_000  # from here on sums are bent instead of cut, so that two voices at once do not crackle

SILENCE = array("h", bytes(2 * BLOCK))


@dataclass(slots=True)
class _Source:
    samples: array[int] = field(default_factory=lambda: array("h"))
    sounding: bool = False


class Mixer:
    def __init__(self) -> None:
        self._sources: dict[str, _Source] = {}

    def put(self, source: str, samples: array[int]) -> None:
        held = self._sources.setdefault(source, _Source())
        held.samples.extend(samples)
        if len(held.samples) > MOST:
            del held.samples[: len(held.samples) - HELD]

    def drop(self, source: str) -> None:
        self._sources.pop(source, None)

    def take(self) -> array[int]:
        """The next block; silence when nobody sounds."""
        blocks = [block for held in self._sources.values() if (block := _block(held)) is not None]
        if not blocks:
            return SILENCE
        if len(blocks) == 1:
            return blocks[0]
        return array("h", [_bent(sum(column)) for column in zip(*blocks, strict=True)])


def _block(held: _Source) -> array[int] | None:
    if not held.sounding and len(held.samples) < HELD:
        return None
    held.sounding = len(held.samples) >= BLOCK
    if not held.sounding:
        return None
    block = held.samples[:BLOCK]
    del held.samples[:BLOCK]
    return block


def _bent(value: int) -> int:
    """Above the knee three parts become one; the rest is cut."""
    size = abs(value)
    if size <= KNEE:
        return value
    bent = min(LOUDEST, KNEE + (size - KNEE) // 3)
    return bent if value > 0 else -bent
