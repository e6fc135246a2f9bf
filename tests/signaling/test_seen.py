"""How everybody fares: rows every five seconds, of the newest minutes, with rates and counts of their own time."""

from __future__ import annotations

import json

from media.parameters import TransportStats
from signaling.messages import Report
from signaling.seen import EVERY, KEPT, Seen
from tests.support.liveroom import Bench
from tests.support.offers import offer


def room() -> tuple[Bench, str, str]:
    bench = Bench.make()
    connection = bench.join("class", "room1")
    bench.offer(connection, "sub", offer("chromium-sub"))
    bench.connect("r-room1", "sub")
    return bench, connection, bench.transport("r-room1", "sub")


def stats(transport: str, sent: int, **more: object) -> TransportStats:
    return TransportStats(transport, "udp", 0, sent, 0, 0, 40.0, 0.02, 0, 0, 0, (), **more)  # type: ignore[arg-type]


def test_rates_counts_and_the_worst_of_both_sides() -> None:
    bench, connection, transport = room()
    seen = Seen()
    seen.look(bench.room.lobby.people, [stats(transport, 1_000_000)], 0, 0.0)
    report = Report(
        type="report", connected_ms=10, heard_ms=0, saw_ms=0, rtt_ms=90.0, loss=0.0, jitter_ms=7.0, freezes=2
    )
    bench.do(bench.room.report(connection, report, 1.0))
    seen.look(bench.room.lobby.people, [stats(transport, 9_000_000)], 1000, 1.0)
    seen.look(bench.room.lobby.people, [stats(transport, 2_000_000, estimate=3_000_000)], 5000, EVERY)
    (peer,) = seen.to_json()["peers"]
    first, second = peer["rows"]
    assert (peer["seat"], peer["paths"], peer["here"]) == ("r-room1", ["udp"], True)
    assert (first["down"], first["freezes"]) == (0, 0), "the beginning is no rate"
    assert second == {
        "at_ms": 5000,
        "rtt_ms": 90.0,
        "loss": 0.02,
        "jitter_ms": 7.0,
        "up_loss": None,
        "up_jitter_ms": None,
        "estimate": 3_000_000,
        "down": 1_600_000,
        "up": 0,
        "freezes": 2,
        "resent": 0,
        "gets": None,
    }
    json.dumps(seen.to_json())


def test_a_new_connection_counts_from_nothing() -> None:
    bench, _, transport = room()
    seen = Seen()
    for step, sent in enumerate((8_000_000, 9_000_000, 500_000)):
        seen.look(bench.room.lobby.people, [stats(transport, sent)], step * 5000, step * EVERY)
    (peer,) = seen.to_json()["peers"]
    assert [row["down"] for row in peer["rows"]] == [0, 1_600_000, 800_000]


def test_it_forgets_what_is_long_ago() -> None:
    bench, connection, _ = room()
    seen = Seen()
    for step in range(2 * KEPT):
        seen.look(bench.room.lobby.people, [], int(step * EVERY * 1000), step * EVERY)
    assert len(seen.to_json()["peers"][0]["rows"]) == KEPT
    bench.do(bench.room.leave(connection, 1.0))
    for step in range(2 * KEPT, 4 * KEPT):
        seen.look(bench.room.lobby.people, [], int(step * EVERY * 1000), step * EVERY)
    assert seen.to_json()["peers"] == []


def test_what_a_seat_loses_on_its_way_up_is_told_to_it_and_to_the_administration() -> None:
    bench = Bench.make()
    connection = bench.join("teacher")
    bench.offer(connection, "pub", offer("chromium-pub"), {"0": "mic", "1": "camera"})
    bench.connect("t-teacher", "pub")
    transport, seen = bench.transport("t-teacher", "pub"), Seen()
    sent = stats(transport, 0, up_loss=0.081, up_jitter_ms=12.0)
    bench.room.lobby.observe((sent,))
    (card,) = bench.room.lobby.cards(0.0, True)
    assert card["up_loss"] == 0.08 and card["loss"] is None
    seen.look(bench.room.lobby.people, [sent], 0, 0.0)
    row = seen.to_json()["peers"][0]["rows"][-1]
    assert (row["up_loss"], row["up_jitter_ms"], row["loss"]) == (0.081, 12.0, None)
    bench.room.lobby.observe((stats("other", 0),))
    assert bench.room.lobby.cards(0.0, True)[0]["up_loss"] is None
