"""The log as the node holds it: decided and durable, tails and snapshots."""

from __future__ import annotations

from signaling.log import TAIL_OPS, WISHES_KEPT, RoomLog
from signaling.messages import LastSeen


def test_decided_is_not_yet_durable() -> None:
    log = RoomLog(1)
    entry = log.write("lesson.open", "t", {}, 5)
    assert (log.head.phase, log.state.phase) == ("live", "waiting")
    assert log.since(LastSeen(epoch=1, seq=1)) is None
    log.commit(entry)
    assert log.state == log.head and log.since(LastSeen(epoch=1, seq=0)) == [entry.op]
    assert log.since(LastSeen(epoch=1, seq=1)) == [] and log.since(None) is None


def test_who_missed_too_much_gets_a_snapshot() -> None:
    log = RoomLog(1)
    for _ in range(TAIL_OPS + 10):
        log.commit(log.write("stage.blank", "t", {"on": True}, 1))
    assert log.since(LastSeen(epoch=1, seq=9)) is None
    tail = log.since(LastSeen(epoch=1, seq=10))
    assert tail is not None and len(tail) == TAIL_OPS


def test_the_oldest_wishes_are_forgotten() -> None:
    log = RoomLog(1)
    for n in range(WISHES_KEPT + 1):
        log.write("x", "t", {}, 1, intent=f"t {n}")
    assert len(log.wishes) == WISHES_KEPT and "t 0" not in log.wishes
