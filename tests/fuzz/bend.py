"""Bends real packets: the mistakes and the malice that a parser meets. Rule: all chance is seeded."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

_EDGES = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)  # where lengths and signs turn
_MOST = 2048  # above any datagram


def bend(chance: Random, seeds: Sequence[bytes]) -> bytes:
    """One seed, changed one to six times; now and then nothing but noise."""
    if chance.random() < 0.05:
        return chance.randbytes(chance.randrange(0, 200))
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randrange(1, 7)):
        chance.choice(_WAYS)(chance, data, seeds)
    return bytes(data[:_MOST])


def _flip(chance: Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _edge(chance: Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.choice(_EDGES)


def _edge_early(chance: Random, data: bytearray, _: Sequence[bytes]) -> None:
    """Headers stand in front."""
    if data:
        data[chance.randrange(min(len(data), 24))] = chance.choice(_EDGES)


def _cut(chance: Random, data: bytearray, _: Sequence[bytes]) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _drop(chance: Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = chance.randrange(len(data) + 1)
    del data[at : at + chance.randrange(1, 9)]


def _insert(chance: Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = chance.randrange(len(data) + 1)
    data[at:at] = chance.randbytes(chance.randrange(1, 9))


def _double(chance: Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = chance.randrange(len(data) + 1)
    data[at:at] = data[at : at + chance.randrange(1, 40)]


def _splice(chance: Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    other = chance.choice(seeds)
    data[chance.randrange(len(data) + 1) :] = other[chance.randrange(len(other) + 1) :]


_WAYS = (_flip, _flip, _edge, _edge, _edge_early, _cut, _drop, _insert, _double, _splice)
