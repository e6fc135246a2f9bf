"""Who asks, and for which part of the city. Every store function takes a ``Scope`` as its second argument.

A scope is built from a signed-in person's posts (``accounts``), a bound device, a companion's sign-in, or ``SYSTEM``
for jobs and ``PUBLIC`` for strangers. Stores narrow their queries with it; services ask ``allows`` before they change
things.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Post = Literal[
    "teacher",  # 教师: may lead or assist
    "assistant",  # 辅助教师
    "studio_host",  # 工作室主持人
    "studio_member",
    "school_admin",
    "district_admin",
    "city_admin",
    "inspector",  # 教研员 / 巡课
    "evaluator",  # 督导 / 第三方评估: reads everything, changes nothing
    "pupil",
]


@dataclass(frozen=True, slots=True)
class Scope:
    """``city``: sees the whole city. ``districts`` and ``schools``: ids it administers or reads as a whole.
    ``school``: where the person works or learns. ``system``: our own jobs."""

    person: str | None = None
    school: str | None = None
    posts: frozenset[Post] = frozenset()
    city: bool = False
    districts: frozenset[str] = frozenset()
    schools: frozenset[str] = frozenset()
    rooms: frozenset[str] = frozenset()
    """Rooms a bound device or a companion speaks for."""
    lesson: str | None = None
    """The one lesson a companion signed in to."""
    device: str | None = None
    system: bool = False
    readonly: bool = False

    @property
    def signed_in(self) -> bool:
        return self.person is not None or self.device is not None or self.lesson is not None or self.system

    def has(self, *posts: Post) -> bool:
        return not self.posts.isdisjoint(posts)


PUBLIC = Scope()
SYSTEM = Scope(city=True, system=True)

Action = Literal[
    "school.read",
    "school.write",
    "room.write",
    "person.read",
    "person.write",
    "classroom.read",
    "classroom.write",
    "device.bind",
    "lesson.create",
    "lesson.cancel",
    "lesson.lead",
    "lesson.read",
    "lesson.watch",
    "report.read",
    "studio.read",
    "node.read",
]

RIGHTS: dict[Action, frozenset[Post]] = {
    "school.read": frozenset({"school_admin", "district_admin", "city_admin", "inspector", "evaluator"}),
    "school.write": frozenset({"district_admin", "city_admin"}),
    "room.write": frozenset({"school_admin", "district_admin", "city_admin"}),
    "person.read": frozenset({"school_admin", "district_admin", "city_admin", "evaluator"}),
    "person.write": frozenset({"school_admin", "district_admin", "city_admin"}),
    "classroom.read": frozenset({"teacher", "school_admin", "district_admin", "city_admin", "inspector", "evaluator"}),
    "classroom.write": frozenset({"district_admin", "city_admin"}),
    "device.bind": frozenset({"school_admin", "district_admin", "city_admin"}),
    "lesson.create": frozenset({"school_admin", "district_admin", "city_admin"}),
    "lesson.cancel": frozenset({"school_admin", "district_admin", "city_admin"}),
    "lesson.lead": frozenset({"teacher"}),
    "lesson.read": frozenset(
        {
            "teacher",
            "assistant",
            "studio_host",
            "studio_member",
            "school_admin",
            "district_admin",
            "city_admin",
            "inspector",
            "evaluator",
            "pupil",
        }
    ),
    "lesson.watch": frozenset(
        {
            "teacher",
            "studio_host",
            "studio_member",
            "school_admin",
            "district_admin",
            "city_admin",
            "inspector",
            "evaluator",
        }
    ),
    "report.read": frozenset({"school_admin", "district_admin", "city_admin", "inspector", "evaluator"}),
    "studio.read": frozenset(
        {
            "teacher",
            "studio_host",
            "studio_member",
            "school_admin",
            "district_admin",
            "city_admin",
            "inspector",
            "evaluator",
            "pupil",
        }
    ),
    "node.read": frozenset({"city_admin"}),
}


@dataclass(frozen=True, slots=True)
class Part:
    """The part of the city a thing belongs to: its school and that school's district (as accountable body)."""

    school: str | None = None
    district: str | None = None
    others: frozenset[str] = field(default_factory=frozenset)
    """Further schools concerned (receiving schools of a lesson)."""


def allows(scope: Scope, action: Action, part: Part | None = None) -> bool:
    """Row of the table AND, for administrators' rights, a place inside the scope."""
    if scope.system:
        return True
    if scope.readonly and not action.endswith((".read", ".watch")):
        return False
    if scope.posts.isdisjoint(RIGHTS[action]):
        return False
    return part is None or (within(scope, part) if action.endswith(SEEN_FROM_WORK) else administers(scope, part))


SEEN_FROM_WORK = (".read", ".watch", ".lead")
"""Actions open at the school where one works; everything else needs a post of that part of the city."""


def administers(scope: Scope, part: Part) -> bool:
    """Whether ``part`` lies in what the scope's posts are of: to work at a school is not to administer it."""
    return scope.city or scope.system or part.district in scope.districts or part.school in scope.schools


def within(scope: Scope, part: Part) -> bool:
    """Whether ``part`` lies in what the scope may see as a whole."""
    if scope.city or scope.system:
        return True
    mine = scope.schools | ({scope.school} if scope.school else set())
    return (part.district in scope.districts) or (part.school in mine) or not mine.isdisjoint(part.others)
