"""Which node a room is put on: pure cases, and two lessons of one school in the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.lessons import store
from server.lessons.models import Node, Placement
from server.lessons.placement import CROWDED, DISK_FLOOR, HEALTHY, choose
from server.scope import SYSTEM
from tests.support.web import Web

NOW = datetime(2026, 11, 16, tzinfo=UTC)


def node(
    id_: str, load: float, *, disk: int = 10 * DISK_FLOOR, silent: timedelta = timedelta(), rooms: int = 0
) -> Node:
    seen = NOW - silent
    return Node(id=id_, load=load, rooms=rooms, disk_free_bytes=disk, seen_at=seen, draining=id_ == "leaving")


@pytest.mark.parametrize(
    ("nodes", "near", "chosen"),
    [
        ([node("a", 0.3), node("b", 0.1)], "", "b"),
        ([node("a", 0.1, rooms=10), node("b", 0.2)], "", "b"),
        ([node("a", 0.3), node("b", 0.1)], "a", "a"),
        ([node("a", 0.3), node("b", 0.1), node("c", 0.2)], "ac", "c"),
        ([node("a", CROWDED), node("b", 0.1)], "a", "b"),
        ([node("a", CROWDED + 0.2), node("b", CROWDED + 0.1)], "a", "b"),
        ([node("a", 0.3, disk=DISK_FLOOR - 1), node("b", 0.1)], "a", "b"),
        ([node("a", 0.3, silent=2 * HEALTHY), node("b", 0.5)], "a", "b"),
        ([node("leaving", 0.1)], "", None),
        ([], "a", None),
    ],
)
def test_the_schools_own_node_first_then_the_least_loaded(nodes: list[Node], near: str, chosen: str | None) -> None:
    found = choose(nodes, NOW, near=frozenset(near))
    assert (found.id if found else None) == chosen
    assert found is None or choose(nodes, NOW, frozenset({found.id}), frozenset(near)) is not found


async def test_lessons_of_one_school_at_one_time_are_near(web: Web) -> None:
    district = await web.district()
    town, village, far = [await web.school(district, name) for name in ("城关小学", "南里小学", "远方小学")]
    teacher = await web.person("teacher", school=town)
    lead, other = await web.room(town, kind="lead"), await web.room(far, kind="lead")
    first, second = await web.room(village, "一班"), await web.room(village, "二班")
    held = await web.lesson(teacher, lead, first)
    neighbour = await web.lesson(teacher, other, second)
    later = await web.lesson(teacher, other, second, starts=timedelta(hours=3))
    alone = await web.lesson(teacher, await web.room(far, "无人", kind="lead"))
    await web.node()
    placed = Placement(lesson_id=held.id, epoch=1, node_id="n1", placed_at=web.clock.now())
    await web.add(placed)
    async with web.database.reading() as session:
        near = [await store.nodes_near(session, SYSTEM, one) for one in (neighbour, later, alone, held)]
    assert near == [{"n1"}, set(), set(), set()]
