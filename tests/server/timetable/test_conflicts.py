"""Clashes of claims, as comparing every two finds them; what the services make of them stands in test_no_clash.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from server.timetable.conflicts import Entry, Resource, clashes, days_needed, entry

START = datetime(2026, 11, 16, 0, 0, tzinfo=UTC)
PEOPLE, ROOMS = "abc", "xyz"


def at(id_: str, minute: int, length: int = 40, people: str = "a", rooms: str = "x") -> Entry:
    start = START + timedelta(minutes=minute)
    return entry(id_, start, start + timedelta(minutes=length), people=people, rooms=rooms)


entries = st.builds(
    at,
    st.sampled_from([f"e{n}" for n in range(12)]),
    st.integers(0, 40).map(lambda n: n * 10),
    st.sampled_from([40, 45]),
    st.text(PEOPLE, min_size=1, max_size=2),
    st.text(ROOMS, min_size=1, max_size=3),
)


def naive(held: list[Entry]) -> set[tuple[str, str, Resource]]:
    """Every two of them, minute by minute of reasoning: what the sweep must find."""
    return {
        (min(one.id, other.id), max(one.id, other.id), resource)
        for one, other in combinations(held, 2)
        if one.starts_at < other.ends_at and other.starts_at < one.ends_at
        for resource in one.needs & other.needs
    }


@given(st.lists(entries, max_size=12, unique_by=lambda one: one.id))
def test_the_sweep_finds_what_comparing_every_two_finds(held: list[Entry]) -> None:
    found = {(*sorted((one.wanted.id, one.held.id)), one.resource) for one in clashes(held)}
    assert found == naive(held)


def test_lessons_that_touch_do_not_clash() -> None:
    assert clashes([at("later", 40)], [at("first", 0)]) == []
    found = clashes([at("later", 39)], [at("first", 0)])
    assert [(one.resource.key, one.wanted.id, one.held.id) for one in found] == [
        ("person:a", "later", "first"),
        ("room:x", "later", "first"),
    ]


def test_a_person_is_one_person_as_teacher_and_as_assistant() -> None:
    teaches, assists = at("one", 0, people="a", rooms="x"), at("two", 20, people="ba", rooms="y")
    assert [clash.resource for clash in clashes([teaches], [assists])] == [Resource("person", "a")]


def test_an_entry_does_not_clash_with_its_older_self_and_absent_names_claim_nothing() -> None:
    assert clashes([at("e", 10)], [at("e", 0)]) == []
    start = START
    nobody = entry("n", start, start + timedelta(minutes=40), people=[None, ""], rooms=[None])
    assert nobody.needs == frozenset()


def test_locks_are_taken_in_one_order_on_the_citys_days() -> None:
    late = Entry(
        "e",
        datetime(2026, 11, 16, 15, 50, tzinfo=UTC),
        datetime(2026, 11, 16, 16, 30, tzinfo=UTC),
        frozenset({Resource("room", "x"), Resource("person", "a")}),
    )
    assert days_needed([late], timedelta(hours=8)) == [
        ("person:a", "2026-11-16"),
        ("person:a", "2026-11-17"),
        ("room:x", "2026-11-16"),
        ("room:x", "2026-11-17"),
    ]
    ends_at_midnight = Entry("e", START - timedelta(hours=9), START - timedelta(hours=8), late.needs)
    assert {day for _, day in days_needed([ends_at_midnight], timedelta(hours=8))} == {"2026-11-15"}
