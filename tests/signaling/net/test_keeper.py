"""Which children are kept and for how long; real ones are in ``test_mixer.py`` and ``test_robot.py``."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from signaling.net.keeper import Keeper

IDLE = 20.0


class Written(Keeper):
    """Rooms here are what they want; instead of a process, a line in ``runs``."""

    child, again_seconds, idle_seconds = "nobody", 0.0, IDLE

    def __init__(self, rooms: dict[str, Any], most: float) -> None:
        self.left: set[str] = set()
        """Lessons that went to another node."""
        moves = SimpleNamespace(left=lambda lesson: lesson in self.left)
        super().__init__(cast(Any, SimpleNamespace(lives=rooms, moves=moves)), cast(Any, None), most)
        self.runs: list[str] = []
        self.dying = False

    def wanted(self, room: Any) -> list[str]:
        return list(room.seats)

    def over(self, room: Any) -> bool:
        return bool(room.over)

    def order(self, room: Any, seat: str) -> dict[str, str]:
        return {}

    def ended(self, room: Any) -> None: ...

    async def _run(self, room: Any, seat: str) -> None:
        self.runs.append(seat)
        if not self.dying:
            await asyncio.sleep(3600)

    async def turn(self, now: float) -> set[str]:
        """Seats that have a child after it."""
        self._turn(now)
        await asyncio.sleep(0)
        return {seat for _, seat in self._kept}


def room(*seats: str) -> Any:
    return SimpleNamespace(seats=list(seats), over=False)


async def test_a_child_stays_a_while_after_it_was_wanted() -> None:
    lesson = room("a", "b")
    keeper = Written({"L1": lesson}, 5)
    assert await keeper.turn(0.0) == {"a", "b"} and keeper.runs == ["a", "b"]
    lesson.seats.remove("b")
    assert await keeper.turn(IDLE) == {"a", "b"}
    assert await keeper.turn(IDLE + 1) == {"a"}
    lesson.seats.append("b")
    assert await keeper.turn(IDLE + 2) == {"a", "b"} and keeper.runs == ["a", "b", "b"]
    await keeper.close()


async def test_a_room_that_is_over_or_gone_keeps_none() -> None:
    first, second = room("a"), room("b")
    rooms = {"L1": first, "L2": second}
    keeper = Written(rooms, 5)
    assert await keeper.turn(0.0) == {"a", "b"}
    first.over, first.seats = True, []
    assert await keeper.turn(1.0) == {"b"}
    del rooms["L2"]
    assert await keeper.turn(2.0) == set()
    await keeper.close()


async def test_a_room_that_went_to_another_node_keeps_none() -> None:
    keeper = Written({"L1": room("a"), "L2": room("b")}, 5)
    assert await keeper.turn(0.0) == {"a", "b"}
    keeper.left.add("L1")
    assert await keeper.turn(0.5) == {"b"} and keeper.count == 1
    assert await keeper.turn(1.0) == {"b"} and keeper.restarts == 0
    await keeper.close()


async def test_there_are_only_so_many_and_the_next_waits() -> None:
    lesson = room("a", "b")
    keeper = Written({"L1": lesson}, 1)
    assert await keeper.turn(0.0) == {"a"}
    lesson.seats.remove("a")
    await keeper.turn(IDLE + 1)
    assert await keeper.turn(IDLE + 2) == {"b"}
    await keeper.close()


async def test_one_that_dies_is_started_again() -> None:
    keeper = Written({"L1": room("a")}, 5)
    keeper.dying = True
    await keeper.turn(0.0)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(keeper.runs) > 1 and keeper.restarts >= len(keeper.runs) - 1
    await keeper.close()
