"""Who asks, for which part of the city, and what they may do there: one table, post x action x reach.

A scope is built from a signed-in person's posts (``accounts``), a bound device, a companion's sign-in, or ``SYSTEM``
for jobs and ``PUBLIC`` for strangers. Stores narrow their queries with it (every store function takes one as its second
argument); services ask ``allows`` before they change things. Rule: a right that is not a row of ``RIGHTS`` is nobody's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Post = Literal[
    "teacher",  # 教师: may lead or assist
    "assistant",  # 辅助教师
    "class_teacher",  # 班主任
    "studio_host",  # 工作室主持人
    "studio_member",
    "dean",  # 教务主任: the school's classes, gaps and answers to invitations
    "technician",  # 电教员: the school's rooms and screens
    "school_admin",
    "district_admin",
    "city_admin",
    "inspector",  # 教研员 / 巡课
    "area_head",  # 学区长: reads what they were given to read
    "certifier",  # 区教师发展中心认证员
    "evaluator",  # 督导 / 第三方评估: reads everything, changes nothing
    "pupil",
]


@dataclass(frozen=True, slots=True)
class Held:
    """One post held today and what it is of; ``city``: of the whole city."""

    post: Post
    city: bool = False
    district: str | None = None
    school: str | None = None
    studio: str | None = None


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
    password_given: bool = False
    """Signed in with a password that somebody else chose: may do nothing but choose another."""
    by_code: bool = False
    """Came in by a 上课码: teaches that lesson and does nothing else."""
    studios: frozenset[str] = frozenset()
    held: frozenset[Held] = frozenset()
    """Post by post: who is dean here and administrator there administers only there. Empty: every post reaches all."""
    token: str | None = None
    """A machine's token: reads JSON, is nobody."""

    @property
    def signed_in(self) -> bool:
        held = (self.person, self.device, self.lesson, self.token)
        return self.system or any(one is not None for one in held)

    def has(self, *posts: Post) -> bool:
        return not self.posts.isdisjoint(posts)

    def of(self, post: Post) -> frozenset[Held]:
        """What this post is of."""
        if self.held:
            return frozenset(one for one in self.held if one.post == post)
        places = [Held(post, district=one) for one in self.districts]
        places += [Held(post, school=one) for one in self.schools]
        places += [Held(post, studio=one) for one in self.studios]
        return frozenset([*places, Held(post, city=self.city)])


PUBLIC = Scope()
SYSTEM = Scope(city=True, system=True)

Action = Literal[
    "school.read",
    "school.write",
    "pairing.write",
    "group.read",
    "group.write",
    "room.write",
    "device.bind",
    "class.read",
    "class.write",
    "gap.read",
    "gap.write",
    "person.read",
    "person.write",
    "pupil.read",
    "classroom.read",
    "classroom.write",
    "calendar.write",
    "ordinary.read",
    "ordinary.write",
    "lesson.create",
    "lesson.cancel",
    "lesson.confirm",
    "lesson.mend",
    "lesson.approve",
    "lesson.code",
    "lesson.ring",
    "lesson.lead",
    "lesson.rehearse",
    "lesson.read",
    "lesson.watch",
    "report.read",
    "studio.read",
    "studio.write",
    "studio.keep",
    "audit.read",
    "channel.write",
    "token.write",
    "demand.read",
    "demand.write",
    "offer.write",
    "live.read",
    "light.read",
    "node.read",
    "node.write",
]

Reach = Literal[
    "city",  # the whole city
    "district",  # the districts the post is of, by who answers for a school, not by where it stands
    "school",  # the schools the post is of
    "given",  # whatever the post was given to look at: the city, districts or schools
    "work",  # the school where one works or learns, and the lessons it takes part in
    "studio",  # the studios the post is of
    "lesson",  # the lessons that name the person
    "all",  # open to everybody who holds the post
]

_ADMINS: dict[Post, Reach] = {"school_admin": "school", "district_admin": "district", "city_admin": "city"}
_ABOVE: dict[Post, Reach] = {"district_admin": "district", "city_admin": "city"}
_READERS: dict[Post, Reach] = {"inspector": "given", "evaluator": "given", "area_head": "given"}
_STUDIO: dict[Post, Reach] = {"studio_host": "work", "studio_member": "work"}
_DEAN: dict[Post, Reach] = {"dean": "school"}
_TECHNICIAN: dict[Post, Reach] = {"technician": "school"}
_STAFF: dict[Post, Reach] = {"teacher": "work", "assistant": "work", "class_teacher": "work"}
_OPEN: dict[Post, Reach] = dict.fromkeys(("teacher", *_STUDIO, *_DEAN, *_ADMINS, *_READERS), "all")

RIGHTS: dict[Action, dict[Post, Reach]] = {
    "school.read": {**_ADMINS, **_DEAN, **_TECHNICIAN, **_READERS, "certifier": "given"},
    "school.write": _ABOVE,
    "pairing.write": _ABOVE,
    "group.read": {**_ADMINS, **_DEAN, **_READERS},
    "group.write": _ABOVE,
    "room.write": {**_ADMINS, **_TECHNICIAN},
    "device.bind": {**_ADMINS, **_TECHNICIAN},
    "class.read": {**_ADMINS, **_DEAN, **_READERS, "class_teacher": "work"},
    "class.write": {**_ADMINS, **_DEAN},
    "gap.read": {**_ADMINS, **_DEAN, **_READERS},
    "gap.write": {**_ADMINS, **_DEAN},
    "person.read": {**_ADMINS, "evaluator": "given", "certifier": "given"},
    "person.write": _ADMINS,
    "pupil.read": {**_ADMINS, "class_teacher": "work"},
    "classroom.read": {**_ADMINS, **_DEAN, **_READERS, "teacher": "work"},
    "classroom.write": _ABOVE,
    "calendar.write": {**_ADMINS, **_DEAN},
    # 本校课表: a teacher's own hours, the whole school's for who plans there or looks.
    "ordinary.read": {**_ADMINS, **_DEAN, **_READERS, "teacher": "lesson", "assistant": "lesson"},
    "ordinary.write": {**_ADMINS, **_DEAN},
    "lesson.create": {**_ADMINS, **_DEAN},
    "lesson.cancel": {**_ADMINS, **_DEAN},
    "lesson.confirm": {**_ADMINS, **_DEAN},
    # 补签: who assisted asks, the receiving school's administrator answers for it.
    "lesson.mend": {"teacher": "lesson", "assistant": "lesson", **_ADMINS, **_DEAN},
    "lesson.approve": _ADMINS,
    # Names and telephones of the own school's people who have not read of a change, half an hour before the bell.
    "lesson.ring": {**_ADMINS, **_DEAN},
    "lesson.code": {**_ADMINS, **_DEAN, **_TECHNICIAN},
    "lesson.lead": {"teacher": "lesson"},
    "lesson.rehearse": {"teacher": "work"},
    "lesson.read": {**_STAFF, **_STUDIO, **_ADMINS, **_DEAN, **_TECHNICIAN, **_READERS, "pupil": "work"},
    "lesson.watch": {**_STUDIO, **_ADMINS, **_DEAN, **_READERS, "teacher": "work"},
    "report.read": {**_ADMINS, **_DEAN, **_READERS},
    "studio.read": {**_OPEN, "pupil": "all"},
    "studio.write": {"studio_host": "studio", **_ABOVE},
    "studio.keep": _ABOVE,  # who founds a studio and names its host
    "audit.read": _ADMINS,
    "channel.write": _ADMINS,
    "token.write": _ADMINS,
    # An open need is posted to be found by whoever can teach it, wherever in the city.
    "demand.read": _OPEN,
    "demand.write": {**_ADMINS, **_DEAN},
    "offer.write": {**_ADMINS, **_DEAN, "studio_host": "studio"},
    "live.read": {**_ADMINS, **_TECHNICIAN, **_READERS},
    "light.read": {**_ADMINS, **_DEAN, **_TECHNICIAN, **_READERS},
    "node.read": {"city_admin": "city"},
    "node.write": {"city_admin": "city"},
}

READS = (".read", ".watch")
"""What a post given to look at things may do, and what is open at the school where one works."""


@dataclass(frozen=True, slots=True)
class Right:
    """One row of the table."""

    post: Post
    action: Action
    reach: Reach


def rights() -> Iterator[Right]:
    """Every row: for the tests, one each, and for the page that shows who may do what."""
    for action, posts in RIGHTS.items():
        for post, reach in posts.items():
            yield Right(post, action, reach)


@dataclass(frozen=True, slots=True)
class Part:
    """The part of the city a thing belongs to: its school and that school's district (as accountable body)."""

    school: str | None = None
    district: str | None = None
    others: frozenset[str] = field(default_factory=frozenset)
    """Further schools concerned (receiving schools of a lesson)."""
    studio: str | None = None
    people: frozenset[str] = field(default_factory=frozenset)
    """Those a lesson names."""


def allows(scope: Scope, action: Action, part: Part | None = None) -> bool:
    """Whether one of the scope's posts has a row for the action that reaches the part; with no part: a row at all."""
    if scope.system:
        return True
    reading = action.endswith(READS)
    rows = [(post, reach) for post, reach in RIGHTS[action].items() if post in scope.posts]
    if scope.readonly and not reading:  # an inspector who teaches still leads the lessons that name them
        rows = [(post, reach) for post, reach in rows if reach == "lesson"]
    return any(part is None or _reaches(scope, post, reach, part, reading) for post, reach in rows)


def _reaches(scope: Scope, post: Post, reach: Reach, part: Part, reading: bool) -> bool:
    if reach == "all":
        return True
    if reach == "lesson":
        return scope.person is not None and scope.person in part.people
    if reach == "work":
        return scope.school is not None and (scope.school == part.school or scope.school in part.others)
    # An administrator also sees the school where they work.
    at_work = reading and reach != "studio" and scope.school is not None and scope.school == part.school
    return at_work or any(_is_of(one, reach, part, reading) for one in scope.of(post))


def _is_of(held: Held, reach: Reach, part: Part, reading: bool) -> bool:
    whole = held.city and reach in ("city", "given")
    district = reach in ("district", "given") and held.district is not None and held.district == part.district
    concerned = {part.school} | (part.others if reading else frozenset())
    school = reach in ("school", "given") and held.school is not None and held.school in concerned
    studio = reach == "studio" and held.studio is not None and held.studio == part.studio
    return whole or district or school or studio


def within(scope: Scope, part: Part) -> bool:
    """Whether ``part`` lies in what the scope may see as a whole."""
    if scope.city or scope.system:
        return True
    mine = scope.schools | ({scope.school} if scope.school else set())
    return (part.district in scope.districts) or (part.school in mine) or not mine.isdisjoint(part.others)
