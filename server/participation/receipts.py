"""What one receiving room received of one lesson, by domain.md sections 7 and 9. Pure: the same ledger, the same
answer.

A receipt is *effective* when the room heard the teacher (union of intervals in which it rendered the teacher's sound)
for at least 80 % of the planned minutes AND its assistant signed in, or the school made that good (补签). A mute black
screen is not presence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from server.participation.intervals import Interval, Intervals, length, union, within
from signaling.facts import Fact

Reason = Literal["not_held", "short", "unsigned", "absent"]

EFFECTIVE_PERCENT = 80
"""domain.md section 7: share of the planned minutes that a room must have heard."""

LONGEST_PRESENCE_MS = 60_000
"""A presence covers 10 s; a stalled node may be late with it, but a longer one means that its clock was set
meanwhile.
"""

EARLIEST_SIGN_IN_MS = 2 * 3600_000
"""Codes stand on the room's screen from shortly before the bell; an earlier sign-in belongs to another lesson."""


@dataclass(frozen=True, slots=True)
class Plan:
    """[starts_ms, ends_ms) of the lesson, Unix ms."""

    starts_ms: int
    ends_ms: int

    @property
    def window(self) -> Interval:
        return (self.starts_ms, self.ends_ms)

    @property
    def planned_ms(self) -> int:
        return self.ends_ms - self.starts_ms


@dataclass(frozen=True, slots=True)
class Received:
    """One receipt as the ledger shows it."""

    planned_ms: int
    delivered_ms: int
    online: Intervals
    heard: Intervals
    signed_in_ms: int | None
    made_good_ms: int | None
    """When the school answered for a sign-in that was missing."""
    expected: int | None
    present: int | None
    hands: int
    effective: bool
    reason: Reason | None

    @property
    def online_ms(self) -> int:
        return length(self.online)

    @property
    def heard_ms(self) -> int:
        return length(self.heard)


def opened(facts: Sequence[Fact]) -> Intervals:
    """When the lesson was open. Without a closing (a node died for good) it ends at the last sign of life of the
    room.
    """
    turns = sorted(
        (fact for fact in facts if fact.kind in ("LessonOpened", "LessonReopened", "LessonClosed")),
        key=lambda fact: (fact.at_ms, fact.epoch, fact.room_ms),
    )
    intervals: list[Interval] = []
    since: int | None = None
    for turn in turns:
        if turn.kind == "LessonClosed":
            if since is not None:
                intervals.append((since, turn.at_ms))
            since = None
        elif since is None:
            since = turn.at_ms
    if since is not None:
        intervals.append((since, max(_last_sign(fact) for fact in facts if fact.kind != "SignInMadeGood")))
    return union(intervals)


def _last_sign(fact: Fact) -> int:
    return int(fact.data["to_at"]) if fact.kind == "Presence" else fact.at_ms


def presences(facts: Sequence[Fact], room: str) -> list[Fact]:
    """What the devices of one receiving room reported; a companion's phone neither shows nor plays the lesson."""
    return [
        fact
        for fact in facts
        if fact.kind == "Presence"
        and fact.room == room
        and fact.data["role"] == "class"
        and 0 < fact.data["to_at"] - fact.data["from_at"] <= LONGEST_PRESENCE_MS
    ]


def online(reports: Sequence[Fact], plan: Plan) -> Intervals:
    return within([_span(fact) for fact in reports if fact.data["connected"]], plan.window)


def heard(reports: Sequence[Fact], plan: Plan) -> Intervals:
    """Interval by interval: heard when the teacher's sound was rendered for at least half of it (facts.py)."""
    return within([_span(fact) for fact in reports if _was_heard(fact)], plan.window)


def _span(fact: Fact) -> Interval:
    return (int(fact.data["from_at"]), int(fact.data["to_at"]))


def _was_heard(fact: Fact) -> bool:
    start, end = _span(fact)
    return 2 * int(fact.data["heard_ms"]) >= end - start


def signed_in(facts: Sequence[Fact], room: str, until_ms: int, plan: Plan) -> int | None:
    """When the assistant first signed in, at the latest before the lesson was over."""
    moments = [
        fact.at_ms
        for fact in facts
        if fact.kind == "AssistantSignedIn"
        and fact.room == room
        and plan.starts_ms - EARLIEST_SIGN_IN_MS <= fact.at_ms <= until_ms
    ]
    return min(moments, default=None)


def made_good(facts: Sequence[Fact], room: str) -> int | None:
    """When the missing sign-in was made good, days after the bell."""
    moments = (fact.at_ms for fact in facts if fact.kind == "SignInMadeGood" and fact.room == room)
    return min(moments, default=None)


def receive(facts: Sequence[Fact], room: str, plan: Plan) -> Received:
    """Everything the ledger says of one room in one lesson. ``facts`` are the lesson's, with corrected clocks."""
    open_intervals = opened(facts)
    reports = presences(facts, room)
    online_in_plan, heard_in_plan = online(reports, plan), heard(reports, plan)
    over_ms = max([plan.ends_ms, *(end for _, end in open_intervals)])
    sign_in = signed_in(facts, room, over_ms, plan)
    mended = made_good(facts, room)
    delivered_ms = length(within(open_intervals, plan.window))
    counts = _headcount(facts, room)
    signed = sign_in is not None or mended is not None
    reason = judge(plan.planned_ms, delivered_ms, length(online_in_plan), length(heard_in_plan), signed)
    return Received(
        planned_ms=plan.planned_ms,
        delivered_ms=delivered_ms,
        online=online_in_plan,
        heard=heard_in_plan,
        signed_in_ms=sign_in,
        made_good_ms=mended,
        expected=counts[0] if counts else None,
        present=counts[1] if counts else None,
        hands=sum(1 for fact in facts if fact.kind == "Hand" and fact.room == room and fact.data["up"]),
        effective=reason is None,
        reason=reason,
    )


def judge(planned_ms: int, delivered_ms: int, online_ms: int, heard_ms: int, signed: bool) -> Reason | None:
    """Why a receipt is not effective, the first cause that holds; None when it is."""
    if delivered_ms == 0:
        return "not_held"
    if online_ms == 0 and heard_ms == 0:
        return "absent"
    if heard_ms * 100 < planned_ms * EFFECTIVE_PERCENT:
        return "short"
    return None if signed else "unsigned"


def _headcount(facts: Sequence[Fact], room: str) -> tuple[int, int] | None:
    """The last count of the room (应到, 实到)."""
    counts = [fact for fact in facts if fact.kind == "Headcount" and fact.room == room]
    if not counts:
        return None
    last = max(counts, key=lambda fact: (fact.at_ms, fact.epoch, fact.room_ms))
    return int(last.data["expected"]), int(last.data["present"])
