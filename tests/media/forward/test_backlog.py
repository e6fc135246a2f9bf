"""The backlog alone: when what leaves, what is dropped, what clocks are remembered."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from media.engine import EngineEvent, KeyFrameWanted, LinkConfig
from media.forward.backlog import Backlog, Waiting
from media.forward.subscription import Step, Subscription
from media.parameters import Codec, Extensions
from media.transport.outbox import Burst, Outbox

VP8 = Codec("video/VP8", 96, 90000)


class Link(Subscription):
    """Notes what leaves."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        config = LinkConfig("video", "0", (VP8,), Extensions(), 1, None)
        super().__init__(1, Outbox(Burst(None)), config, 0, 0, [])
        self.left: list[tuple[int, float]] = []
        self.stream = 7
        self.gate.begin(1, 0)

    def emit(self, passed: object, now: float) -> None:
        assert isinstance(passed, tuple)
        self.left += [(media[0], now) for media, _ in passed]

    def begin(self, step: Step, media: object, now: float) -> None:
        pass


def waiting(link: Link, number: int, opens: bool = True, size: int = 1000, step: Step | None = None) -> Waiting:
    media = (number, 3000 * number, 0, b"", bytes(size))
    return Waiting(link, ((media, False),), step, opens, size)


def paced(rate: float, *packets: Waiting) -> Backlog:
    backlog = Backlog()
    backlog.set_rate(rate)
    for packet in packets:
        backlog.put(packet)
    return backlog


def test_packets_leave_in_order_at_the_rate() -> None:
    link, events, now = Link(), list[EngineEvent](), 10.0
    backlog = paced(80_000.0, *(waiting(link, n) for n in range(5)))  # 0.1 s each
    while backlog.busy:
        backlog.release(now, events)
        now = max(backlog.next, now)
    assert [n for n, _ in link.left] == [0, 1, 2, 3, 4]
    assert 0.39 < link.left[-1][1] - link.left[0][1] < 0.41
    assert backlog.bytes == 0


def together(link: Link, *numbers: int, size: int = 1000) -> Waiting:
    """One record for all: pictures of two packets each."""
    burst = [((n, 3000 * (n // 2), 0, b"", bytes(size - link.head_size)), False) for n in numbers]
    return Waiting(link, tuple(burst), None, True, size * len(numbers), tail=0)


def test_what_came_together_leaves_as_if_it_had_come_one_by_one() -> None:
    alone, with_others, now = Link(), Link(), 10.0
    rates = (80_000.0, 8_000_000.0)
    for rate in rates:
        one = paced(rate, *(waiting(alone, n) for n in range(10, 24)))
        other = paced(rate, together(with_others, *range(10, 20)), together(with_others, *range(20, 24)))
        while one.busy:
            one.release(now, [])
            other.release(now, [])
            assert (one.bytes, one.next, one.busy) == (other.bytes, other.next, other.busy)
            now = max(one.next, now)
    assert [n for n, _ in alone.left] == [*range(10, 24)] * 2
    assert alone.left == with_others.left


def test_what_came_together_is_shed_packet_by_packet() -> None:
    link = Link()
    backlog = paced(8_000_000.0, together(link, *range(2, 22)))
    backlog.set_rate(80_000.0)  # as above
    assert (backlog.bytes, backlog.dropped) == (6000, 14)


def test_a_burst_is_at_most_five_milliseconds_of_the_rate() -> None:
    """Whenever it is asked."""
    link, chance, now = Link(), Random(3), 10.0
    backlog = paced(8_000_000.0, *(waiting(link, n) for n in range(400)))
    while backlog.busy:
        now += chance.choice((0.0001, 0.004, 0.02))
        before = len(link.left)
        backlog.release(now, [])
        assert len(link.left) - before <= 6
    times = sorted({at for _, at in link.left})
    assert all(b - a >= 0.00499 for a, b in pairwise(times))


def test_what_waits_too_long_after_the_rate_fell_is_shed_at_a_picture() -> None:
    link = Link()
    packets = [waiting(link, n, opens=n % 2 == 0) for n in range(20)]
    backlog = paced(8_000_000.0, *packets)
    backlog.set_rate(80_000.0)  # half a second: five packets, and the end of the sixth's picture
    assert backlog.bytes == 6000
    assert backlog.dropped == 14
    assert link.gate.waiting and link.gate.clock == 0


def test_other_links_keep_what_is_theirs() -> None:
    one, two = Link(), Link()
    backlog = paced(1e6, waiting(one, 1), waiting(two, 1), waiting(one, 2))
    backlog.forget(one)
    backlog.drain(10.0)
    assert (one.left, [n for n, _ in two.left]) == ([], [1])
    assert one.gate.waiting and not two.gate.waiting


def test_clocks_of_segments_that_never_began_are_remembered() -> None:
    link = Link()
    backlog = paced(1e6, *(waiting(link, n, step=Step(7, VP8, clock)) for n, clock in enumerate((100, 20))))
    backlog.forget(link)
    assert link.gate.clock == 120
    unknown = Link()
    backlog = paced(1e6, *(waiting(unknown, n, step=Step(7, VP8, clock)) for n, clock in enumerate((100, None))))
    backlog.forget(unknown)
    assert unknown.gate.clock is None


def test_a_key_frame_is_asked_for_once_and_when_there_is_room() -> None:
    link, events, now = Link(), list[EngineEvent](), 10.0
    backlog = paced(80_000.0, *(waiting(link, n) for n in range(5)))
    assert backlog.late(True, False, now) is False
    backlog.put(waiting(link, 5))
    assert backlog.late(True, False, now) and not backlog.late(False, False, now)
    assert not backlog.late(True, True, now), "a still may wait four seconds"
    link.gate.shut(0)
    backlog.drop(link)
    while backlog.busy:
        backlog.release(now, events)
        now = max(backlog.next, now)
        if events and len(link.left) < 4:
            raise AssertionError("too early: it would have to wait as well")
    assert events == [KeyFrameWanted(7)]
