from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.forward.loss import DUPLICATE, RESTARTED, Receiver
from media.wire.sequence import FIRST_CYCLE


def started(sequence: int = 65530) -> Receiver:
    receiver = Receiver(90000)
    assert receiver.note(sequence, 0, 0.0) == FIRST_CYCLE + sequence
    return receiver


def test_numbers_go_on_over_the_wrap() -> None:
    receiver = started()
    numbers = [receiver.note(s & 0xFFFF, 0, 0.0) for s in range(65531, 65531 + 20)]
    assert numbers == list(range(FIRST_CYCLE + 65531, FIRST_CYCLE + 65551))
    assert receiver.expected == receiver.received == 21


def test_a_gap_is_asked_for_once_it_cannot_be_reordering() -> None:
    receiver = started(10)
    receiver.note(13, 0, 1.0)
    assert receiver.to_request(1.0) == []
    assert [n & 0xFFFF for n in receiver.to_request(1.02)] == [11, 12]
    assert receiver.to_request(1.05) == [], "not again at once"
    assert receiver.note(12, 0, 1.06) & 0xFFFF == 12
    assert receiver.note(12, 0, 1.07) == DUPLICATE
    assert [n & 0xFFFF for n in receiver.to_request(1.2)] == [11]
    for turn in range(20):
        receiver.to_request(1.3 + turn)
    assert receiver.to_request(99.0) == [], "and not for ever"
    receiver.expire(99.0)
    assert receiver.note(11, 0, 99.0) == DUPLICATE, "too late to be played"


def test_what_nobody_expires_is_bounded() -> None:
    """Sound is not asked for again, so its losses are never looked through."""
    receiver = started(0)
    for step in range(1, 101):
        receiver.note(200 * step & 0xFFFF, 0, 1.0)
    asked = receiver.to_request(2.0)
    assert 4096 <= len(asked) <= 8192
    assert asked[-1] == receiver.highest - 1, "the newest are kept"
    assert receiver.wants(asked[0]) and not receiver.wants(asked[0] - 2)


def test_packets_never_asked_for_are_dropped() -> None:
    receiver = started(100)
    assert receiver.note(90, 0, 0.0) == DUPLICATE
    assert not receiver.wants(receiver.number_of(90))
    assert receiver.received == 1


def test_a_wide_jump_begins_anew_with_the_second_packet() -> None:
    receiver = started(100)
    assert receiver.note(5000, 0, 0.0) == DUPLICATE
    assert receiver.note(5001, 0, 0.0) == RESTARTED
    assert receiver.highest & 0xFFFF == 5001
    assert receiver.note(5002, 0, 0.0) == receiver.highest
    assert receiver.to_request(9.0) == []


def test_a_jump_back_begins_anew_above_all_old_numbers() -> None:
    receiver = started(40000)
    before = receiver.highest
    receiver.note(20, 0, 0.0)
    assert receiver.note(21, 0, 0.0) == RESTARTED
    assert receiver.highest > before
    assert receiver.expected == receiver.received, "no loss is reported for it"


def test_one_stray_packet_changes_nothing() -> None:
    receiver = started(100)
    receiver.note(9000, 0, 0.0)
    assert receiver.note(101, 0, 0.0) & 0xFFFF == 101
    assert receiver.note(9005, 0, 0.0) == DUPLICATE


def test_jitter_of_a_steady_stream_is_nothing() -> None:
    steady, uneven = Receiver(90000), Receiver(90000)
    for i in range(200):
        steady.note(i, i * 3000, i / 30)
        uneven.note(i, i * 3000, i / 30 + (i % 2) * 0.01)
    assert steady.jitter <= 1
    assert 700 < uneven.jitter <= 900, "10 ms are 900 ticks"


@given(st.lists(st.integers(-40, 60), max_size=200))
def test_received_is_never_more_than_expected(steps: list[int]) -> None:
    receiver, sequence, welcome = started(0), 0, set()
    for step in steps:
        sequence = (sequence + step) & 0xFFFF
        number = receiver.note(sequence, 0, 0.0)
        if number >= 0:
            assert number not in welcome, "each number once"
            welcome.add(number)
        assert receiver.received <= receiver.expected


@given(st.lists(st.integers(0, 0xFFFF), max_size=100))
def test_noise(sequences: list[int]) -> None:
    receiver = Receiver(48000)
    for sequence in sequences:
        number = receiver.note(sequence, sequence * 7, 0.0)
        assert number < 0 or number & 0xFFFF == sequence
