"""Packets in their sent order, whatever the network did; what never comes is said once."""

from __future__ import annotations

import random

import pytest

from media.record.jitter import JitterBuffer, Packet
from media.wire.sequence import FIRST_CYCLE


def packet(buffer: JitterBuffer, sequence: int, at: float = 0.0) -> Packet:
    return Packet(buffer.extend(sequence & 0xFFFF), sequence, True, b"x", at)


@pytest.mark.parametrize("seed", range(10))
def test_reordered_and_doubled_packets_come_out_once_in_order(seed: int) -> None:
    rng = random.Random(seed)
    buffer = JitterBuffer(0.5)
    out = [p.timestamp for p in buffer.push(packet(buffer, 65_500, 0.0))]
    sent = [(n * 0.01 + rng.random() * 0.2, 65_500 + n) for n in range(1, 300)]
    sent += rng.sample(sent, 30)
    for at, number in sorted(sent):
        out += [p.timestamp for p in buffer.push(packet(buffer, number, at))]
    out += [p.timestamp for p in buffer.flush()]
    assert out == list(range(65_500, 65_800))
    assert buffer.lost == 0


def test_a_missing_packet_is_waited_for_then_given_up() -> None:
    buffer = JitterBuffer(0.5)
    assert len(buffer.push(packet(buffer, 1, 0.0))) == 1
    assert buffer.push(packet(buffer, 3, 0.1)) == []
    assert buffer.expire(0.5) == []
    (late,) = buffer.expire(0.61)
    assert late.after_loss and late.timestamp == 3 and buffer.lost == 1
    assert buffer.push(packet(buffer, 2, 0.7)) == []  # too late
    (following,) = buffer.push(packet(buffer, 4, 0.8))
    assert not following.after_loss


def test_a_retransmission_in_time_mends_the_hole() -> None:
    buffer = JitterBuffer(0.5)
    buffer.push(packet(buffer, 1, 0.0))
    buffer.push(packet(buffer, 3, 0.1))
    assert [(p.timestamp, p.after_loss) for p in buffer.push(packet(buffer, 2, 0.3))] == [(2, False), (3, False)]


def test_a_leap_of_the_sender_begins_anew() -> None:
    buffer = JitterBuffer(0.5)
    buffer.push(packet(buffer, 1))
    (leapt,) = buffer.push(packet(buffer, 30_000))
    assert leapt.after_loss
    assert [p.timestamp for p in buffer.push(packet(buffer, 30_001))] == [30_001]


def test_too_many_waiting_give_up_early() -> None:
    buffer = JitterBuffer(1000.0)
    buffer.push(packet(buffer, 0))
    out = [p for n in range(2, 600) for p in buffer.push(packet(buffer, n))]
    assert len(out) > 500 and out[0].after_loss


def test_first_sequence_never_goes_below_zero() -> None:
    buffer = JitterBuffer(0.5)
    buffer.push(packet(buffer, 0))
    assert buffer.extend(65_535) == FIRST_CYCLE - 1
