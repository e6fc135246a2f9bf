"""Tables of what publishers are told and how often sound is repeated."""

from __future__ import annotations

import pytest

from media.forward.sound import Budget, Repetition, Thrift, before_pictures, redundancy, reported_loss, weighed

K = 1000.0
FREE = float("inf")


@pytest.mark.parametrize(
    ("own", "listeners", "percent"),
    [(0.0, (), 0), (0.0, (0.03,), 3), (0.05, (0.0,), 5), (0.1, (0.1, 0.02), 19), (0.0, (0.9,), 25), (0.0, (0.0,), 0)],
)
def test_loss_that_a_publisher_is_told(own: float, listeners: tuple[float, ...], percent: int) -> None:
    assert reported_loss(own, listeners) / 256 * 100 == pytest.approx(percent, abs=0.5)


@pytest.mark.parametrize(
    ("loss", "line", "pictures", "current", "expected"),
    [
        (0.0, FREE, 0, 0, 0),
        (0.01, FREE, 0, 0, 0),
        (0.01, FREE, 0, 1, 1),  # it stays until the loss has halved
        (0.005, FREE, 0, 1, 0),
        (0.03, FREE, 0, 0, 1),
        (0.12, FREE, 0, 0, 2),
        (0.06, FREE, 0, 2, 2),
        (0.03, 300 * K, 200 * K, 0, 1),
        (0.03, 260 * K, 200 * K, 0, 0),  # a little loss takes nothing from the picture
        (0.06, 260 * K, 200 * K, 0, 1),  # much does
        (0.12, 90 * K, 0, 0, 1),  # two would not fit
        (0.12, 60 * K, 0, 0, 0),  # sound itself fills the line
        (0.0, 140 * K, 0, 0, 1),  # a meagre line: its losses come in gusts
        (0.0, 140 * K, 120 * K, 0, 1),
        (0.0, 160 * K, 0, 0, 0),
        (0.0, 65 * K, 0, 1, 0),
    ],
)
def test_repetition(loss: float, line: float, pictures: float, current: int, expected: int) -> None:
    assert redundancy(loss, line, 40 * K, pictures, current) == expected


@pytest.mark.parametrize(
    ("reported", "newest", "loss"), [(0.03, 0.0, 0.03), (0.0, 0.02, 0.02), (0.0, 0.3, 0.0495), (0.12, 0.3, 0.12)]
)
def test_what_is_lost_now_makes_no_picture_give_way(reported: float, newest: float, loss: float) -> None:
    assert weighed(reported, newest) == pytest.approx(loss)
    assert before_pictures(weighed(reported, newest), FREE) == (reported >= 0.05)


@pytest.mark.parametrize(
    ("loss", "line", "expected"),
    [(0.0, FREE, False), (0.03, 300 * K, False), (0.06, FREE, True), (0.0, 100 * K, True)],
)
def test_whether_pictures_give_way_to_repetition(loss: float, line: float, expected: bool) -> None:
    assert before_pictures(loss, line) is expected


def test_more_repetition_at_once_fewer_on_a_meagre_line_after_a_while() -> None:
    repetition = Repetition()
    assert repetition.step(1, 100 * K, 0.0) == 1
    assert repetition.step(0, 24 * K, 1.0) == 1, "a page fills the line"
    assert repetition.step(0, 24 * K, 6.0) == 1
    assert repetition.step(1, 90 * K, 6.5) == 1, "it is through"
    assert repetition.step(0, 24 * K, 7.0) == 1
    assert repetition.step(0, 24 * K, 13.0) == 0, "the line really is that thin"
    assert repetition.step(2, 100 * K, 14.0) == 2
    assert repetition.step(0, 400 * K, 15.0) == 0, "there pictures want the room"


def test_thin_at_once_and_back_after_a_while() -> None:
    thrift = Thrift()
    assert thrift.step(2000 * K, 0.0) is None
    assert thrift.step(200 * K, 1.0) == Budget(24_000, 40)
    assert thrift.step(200 * K, 2.0) is None
    assert thrift.step(50 * K, 3.0) == Budget(16_000, 60)
    assert thrift.step(70 * K, 4.0) is None, "hardly better"
    assert thrift.step(2000 * K, 5.0) is None
    assert thrift.step(2000 * K, 14.0) is None
    assert thrift.step(2000 * K, 15.0) == Budget()


def test_better_for_a_moment_is_not_better() -> None:
    thrift = Thrift()
    thrift.step(100 * K, 0.0)
    assert thrift.step(2000 * K, 1.0) is None
    assert thrift.step(100 * K, 6.0) is None
    assert thrift.step(2000 * K, 7.0) is None
    assert thrift.step(2000 * K, 12.0) is None
    assert thrift.step(2000 * K, 17.0) == Budget()


def test_nobody_listens() -> None:
    thrift = Thrift()
    thrift.step(50 * K, 0.0)
    assert thrift.step(None, 1.0) is None
    assert thrift.step(None, 11.0) == Budget()
