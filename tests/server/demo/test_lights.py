"""The demo's lights: every colour is there, judged by the table, marked, and the same every time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

from server.clock import city_date
from server.demo import lights
from server.schools.models import Device
from server.selftests.service import light_of, verdict_of

NOW = datetime(2026, 11, 18, 2, 33, 20, tzinfo=UTC)
SINCE = date(2026, 9, 1)


def lit(now: datetime) -> Counter[str]:
    tests = [one for one in lights.tests(now) if city_date(one.at) == city_date(now)]
    found = []
    for device in lights.devices(now, SINCE):
        mine = [one for one in tests if one.room_id == device.room_id]
        found.append(light_of([device], mine, now).light)
    return Counter(found)


def test_every_colour_is_there_and_most_are_green() -> None:
    found = lit(NOW)
    assert set(found) == {"green", "yellow", "red", "off"}
    assert found["green"] > found.total() / 2
    assert lit(NOW + timedelta(hours=6)) == found, "made-up screens stay on until the evening"


def test_the_same_city_has_the_same_troubles_and_says_it_is_made_up() -> None:
    once, again = ([vars(one) for one in lights.tests(NOW)] for _ in range(2))
    for one in (*once, *again):
        one.pop("_sa_instance_state")
    assert once == again
    assert all(one["demo"] for one in once)
    assert len({one["id"] for one in once}) == len(once)


def test_the_light_of_a_row_is_the_tables() -> None:
    for one in lights.tests(NOW):
        verdict = verdict_of([one])
        assert (one.light, one.cause) == (verdict.light, verdict.cause)
        assert one.at <= NOW


def test_a_real_screen_speaks_before_a_made_up_one() -> None:
    made_up = next(lights.devices(NOW, SINCE))
    tests = [one for one in lights.tests(NOW) if one.room_id == made_up.room_id]
    real = Device(id="real", room_id=made_up.room_id, seen_at=NOW - timedelta(seconds=30), created_at=NOW)
    assert light_of([made_up, real], tests, NOW).cause == "untested"
    real.seen_at = NOW - timedelta(hours=1)
    assert light_of([made_up, real], tests, NOW).demo


def test_before_half_past_seven_nothing_lies_in_the_future() -> None:
    early = datetime(2026, 11, 17, 22, 0, tzinfo=UTC)
    assert max(one.at for one in lights.tests(early)) <= early
