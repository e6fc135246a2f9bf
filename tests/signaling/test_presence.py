"""Intervals of presence: cut, joined end to end, bounded by connected time."""

from __future__ import annotations

from signaling.presence import CUT_AFTER, REPORT_AFTER, Presence


def test_reports_cut_intervals_that_meet() -> None:
    presence = Presence(0.0)
    presence.media(True, 0.0)
    first, second = presence.report(10_000, 8_000, 10.0), presence.report(9_000, 9_000, 20.0)
    assert first and second and first.until == second.since == 10.0
    assert (first.heard_ms, first.saw_ms, second.heard_ms) == (10_000, 8_000, 9_000)


def test_nobody_heard_more_than_he_was_connected() -> None:
    presence = Presence(0.0)
    assert presence.report(60_000, 60_000, 10.0).heard_ms == 0  # type: ignore[union-attr]
    presence.media(True, 12.0)
    presence.media(False, 15.0)
    presence.media(True, 18.0)
    assert presence.report(60_000, 1_000, 20.0).heard_ms == 5_000  # type: ignore[union-attr]


def test_an_early_report_waits() -> None:
    presence = Presence(0.0, media_since=0.0)
    assert presence.report(1_000, 0, REPORT_AFTER - 1) is None
    interval = presence.report(6_000, 0, 10.0)
    assert interval and interval.heard_ms == 7_000


def test_the_node_cuts_by_itself() -> None:
    presence = Presence(0.0)
    assert presence.tick(CUT_AFTER - 0.1) is None
    interval = presence.tick(CUT_AFTER)
    assert interval and (interval.since, interval.until, interval.heard_ms) == (0.0, CUT_AFTER, 0)
