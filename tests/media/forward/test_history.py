from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from media.forward.history import History, ResendGuard
from media.wire.sequence import FIRST_CYCLE


def test_a_ring_forgets_the_oldest() -> None:
    history = History(4)
    for number in range(FIRST_CYCLE, FIRST_CYCLE + 6):
        history.put((number, 0, 0, b"", b"x"), 1.0)
    assert history.get(FIRST_CYCLE + 1) is None
    assert history.get(FIRST_CYCLE + 5) == (FIRST_CYCLE + 5, 0, 0, b"", b"x")
    assert history.get(FIRST_CYCLE + 6) is None
    assert history.get(-3) is None


def test_what_is_too_old_is_forgotten_but_for_the_newest() -> None:
    history = History(8)
    for step in range(4):
        history.put((FIRST_CYCLE + step, 0, 0, b"", b"x"), 1.0 + step)
    assert [n for n in range(4) if history.get(FIRST_CYCLE + n)] == [0, 1, 2, 3]
    history.put((FIRST_CYCLE + 4, 0, 0, b"", b"x"), 5.5)
    assert [n for n in range(8) if history.get(FIRST_CYCLE + n)] == [2, 3, 4]
    history.put((FIRST_CYCLE + 5, 0, 0, b"", b"x"), 50.0)
    assert [n for n in range(8) if history.get(FIRST_CYCLE + n)] == [5]
    history.put((FIRST_CYCLE + 4, 0, 0, b"", b"late"), 50.0)
    assert history.get(FIRST_CYCLE + 4) is None, "what is forgotten stays forgotten"


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60_000), st.floats(0, 0.4)), max_size=200))
def test_memory_is_bounded_by_bytes(packets: list[tuple[int, int, float]]) -> None:
    """Any gaps, any lateness, packets as large as nothing on the net."""
    history, number, now, newest = History(64), FIRST_CYCLE, 1.0, FIRST_CYCLE
    for step, size, pause in packets:
        number, now = max(FIRST_CYCLE, newest + step - 10), now + pause
        history.put((number, 0, 0, b"", bytes(size)), now)
        newest = max(newest, number)
        held = sum(len(media[4]) for media in history._ring if media is not None)
        assert held == history._bytes
        assert held <= 1_500_000 + size
    assert not packets or history.get(newest) is not None


def test_the_same_packet_goes_at_most_four_times_and_not_within_150_ms() -> None:
    guard = ResendGuard()
    times = [t / 1000 for t in range(1000, 3000, 10) if guard.allows(7, 100, t / 1000)]
    assert len(times) == 4
    assert all(b - a >= 0.150 for a, b in pairwise(times))


def test_resends_stay_a_fifth_of_the_rate() -> None:
    """400 kbit/s of media for 10 s, and a receiver that has lost everything and asks for all of it all the time."""
    guard, sent, resent = ResendGuard(), 0, 0
    for step in range(10_000):
        now = 1 + step / 1000
        sent += 50
        guard.refill(sent, now)
        if guard.allows(step % 500, 1000, now):
            resent += 1000
    assert 0.15 * sent < resent < 0.25 * sent


def test_a_quiet_stream_can_still_be_mended() -> None:
    guard = ResendGuard()
    guard.refill(0, 5.0)
    assert guard.allows(1, 1200, 5.0)
