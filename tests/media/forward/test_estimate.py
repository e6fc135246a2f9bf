"""The estimator against seeded weather: what it believes, how fast it falls, that a lossy line is not a thin one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from media.forward.estimate import Estimator, believed
from tests.support.weather import Line, Weather


class Sender:
    """Sends packets at the estimate (or at ``most``), every 5 ms; feedback every 50 ms comes back after the delay."""

    def __init__(self, line: Line, most: float = 5e6, size: int = 1000) -> None:
        self.line, self.most, self.size = line, most, size
        self.estimator = Estimator()
        self.now = 0.0
        self.number = 0x1FFF0
        self._credit = 0.0
        self._departed: list[tuple[int, float, int]] = []
        self._arrivals: dict[int, float] = {}
        self._reported = self.number
        self._feedback: list[tuple[float, list[tuple[int, float | None]]]] = []
        self.history: list[tuple[float, float]] = []
        self.worst_queue = 0.0

    def send(self, size: int) -> None:
        self.number += 1
        self._departed.append((self.number, self.now, size))
        arrival = self.line.carry(size, self.now)
        if arrival is not None:
            self._arrivals[self.number] = arrival

    def run(self, seconds: float) -> Sender:
        end = self.now + seconds
        while self.now < end:
            self.now += 0.005
            self._credit += min(self.estimator.rate, self.most) * 0.005 / 8
            while self._credit >= self.size:
                self._credit -= self.size
                self.send(self.size)
            if round(self.now / 0.005) % 10 == 0:
                self._report()
            while self._feedback and self._feedback[0][0] <= self.now:
                self.estimator.sent(self._departed)
                self._departed = []
                self.estimator.feedback(self._feedback.pop(0)[1], self.now)
            self.estimator.watch(self.now)
            self.worst_queue = max(self.worst_queue, self.line.queued(self.now))
            self.history.append((self.now, self.estimator.rate))
        return self

    def _report(self) -> None:
        """What a browser says of everything up to the newest packet that arrived."""
        there = [n for n, at in self._arrivals.items() if at <= self.now]
        if not there or max(there) <= self._reported:
            return
        numbers = range(self._reported + 1, max(there) + 1)
        rows = [(n & 0xFFFF, self._arrivals.get(n)) for n in numbers]
        self._reported = max(there)
        self._arrivals = {n: at for n, at in self._arrivals.items() if n > self._reported}
        self._feedback.append((self.now + self.line.weather(self.now).delay, rows))

    def mean(self, since: float) -> float:
        rates = [rate for at, rate in self.history if at >= since]
        return sum(rates) / len(rates)


def line(rate: float, **settings: float) -> Line:
    return Line([(0.0, replace(Weather(rate, 0.05), **settings))], seed=7)


@pytest.mark.parametrize("rate", [2_000_000, 500_000, 250_000, 100_000])
@pytest.mark.parametrize("loss", [0.0, 0.03, 0.10])
def test_settles_near_what_the_line_carries(rate: float, loss: float) -> None:
    sender = Sender(line(rate, loss=loss), size=500 if rate < 400_000 else 1000).run(60)
    mean = sender.mean(30)
    assert 0.55 * rate < mean < 1.02 * rate, f"{mean:.0f} of {rate}"


def test_loss_of_its_own_takes_no_rate_away() -> None:
    """Ten per cent are lost on a line that never fills: the estimate goes up all the same."""
    sender = Sender(line(50e6, loss=0.10), most=3e6).run(45)
    assert sender.estimator.rate > 2e6
    assert 0.05 < sender.estimator.loss < 0.16


def test_a_policer_without_a_queue_is_found_by_loss() -> None:
    sender = Sender(line(600_000, queue=0.01)).run(60)
    assert 250_000 < sender.mean(30) < 900_000


def test_a_collapse_is_followed_within_a_second() -> None:
    collapse = Line([(0.0, Weather(2e6, 0.05)), (30.0, Weather(100_000, 0.05))], seed=3)
    sender = Sender(collapse).run(31.5)
    assert sender.estimator.rate < 110_000


def test_silence_means_a_queue() -> None:
    dead = Line([(0.0, Weather(2e6, 0.05)), (10.0, Weather(2e6, 0.05, loss=1.0))], seed=3)
    sender = Sender(dead).run(10)
    before = sender.estimator.rate
    sender.run(4)
    assert sender.estimator.rate < before / 2


def test_what_was_not_tried_is_not_claimed() -> None:
    sender = Sender(line(5e6), most=200_000).run(20)
    assert sender.estimator.rate < 340_000


def test_a_probe_finds_the_end_of_the_line() -> None:
    """200 kbit/s of media on a 2 Mbit/s line; 10 kB in 30 ms say what it carries."""
    sender = Sender(line(2e6), most=200_000).run(5)
    sender.estimator.probing(sender.now, sender.now + 0.036)
    for _ in range(6):
        for _ in range(2):
            sender.send(1100)
        sender.run(0.005)
    sender.run(1)
    assert sender.estimator.probed == pytest.approx(1.9e6, rel=0.12)
    assert sender.estimator.rate == pytest.approx(1.9e6, rel=0.12)


def test_a_probe_that_is_mostly_lost_says_nothing() -> None:
    sender = Sender(Line([(0.0, Weather(2e6, 0.05)), (5.0, Weather(2e6, 0.05, loss=0.95))], seed=5), most=200_000).run(
        5
    )
    before = sender.estimator.rate
    sender.estimator.probing(sender.now, sender.now + 0.03)
    for _ in range(4):
        sender.send(1100)
    sender.run(0.5)
    assert sender.estimator.rate <= before * 1.02


def test_jitter_alone_is_no_queue() -> None:
    sender = Sender(line(20e6, jitter=0.02), most=2e6).run(30)
    assert sender.estimator.rate > 1e6


def test_feedback_before_anything_was_sent_is_nothing() -> None:
    estimator = Estimator()
    before = estimator.rate
    estimator.feedback([(1, 1.0), (2, None)], 0.0)
    estimator.watch(10.0)
    assert estimator.rate == before


def test_a_feedback_clock_that_begins_again() -> None:
    """24 bits of 64 ms go round after twelve days."""
    estimator = Estimator()
    wrap = 0.064 * (1 << 24)
    for i in range(200):
        estimator.sent([(70000 + i, i * 0.02, 1000)])
        clock = wrap / 2 - 2.0 + i * 0.02
        estimator.feedback([(70000 + i & 0xFFFF, clock if clock < wrap / 2 else clock - wrap)], i * 0.02 + 0.05)
    assert estimator.gradient.usage == "normal"
    assert estimator.rate >= 300_000


@pytest.mark.parametrize(
    ("remb", "sent", "means"),
    [(300e3, 200e3, 1.2e6), (200e3, 200e3, 200e3), (230e3, 200e3, 230e3), (2e6, 500e3, 8e6), (400e3, 0.0, 1.6e6)],
)
def test_what_a_receivers_own_estimate_means(remb: float, sent: float, means: float) -> None:
    assert believed(remb, sent) == means
