"""Districts of Tianjin as they are; schools, rooms and pairings as they might be. Every school is invented and marked
so.

Codes are of the demo's own range (…9xxxxx), so that they can never be taken for a real school's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import cycle, product

from server.ids import named_id
from server.schools.districts import DISTRICTS
from server.schools.models import Enrolment, Pairing, Room, School, SettlementCode

VILLAGES_PER = {"central": 0, "ring": 4, "far": 8, "special": 5}
TOWN_PER = {"central": 5, "ring": 4, "far": 3, "special": 4}
DEMO_DISTRICT = "120115"
"""宝坻: the demo teacher's three receiving rooms stand there."""

TOWN_NAMES = ("第一小学", "实验小学", "育英小学", "新华路小学", "第三中学")
DIRECT = (("天津市海棠实验小学", "海棠实验小学", "primary"), ("天津市海棠中学", "海棠中学", "junior"))
"""市直属 schools: supervised by no district (policy 1 二(一))."""

VILLAGE_NAMES = [
    first + second for second, first in product("河桥庄淀沽台店营堡口", "柳荷清石双梨枣芦杨槐")
]  # 柳河, 荷河 … 槐口: a hundred, more than are needed


@dataclass(frozen=True, slots=True)
class Place:
    """A school of the demo with what others need to know of it."""

    id: str
    name: str
    short_name: str
    phase: str
    district: str
    village: bool
    direct: bool = False


def school_id(name: str) -> str:
    return named_id("demo", "school", name)


def places() -> list[Place]:
    """Town schools of every district, village schools of the outer ones, two schools of the city itself."""
    names = iter(VILLAGE_NAMES)
    found = [Place(school_id(name), name, short, phase, "120103", False, True) for name, short, phase in DIRECT]
    for code, district, _, kind in DISTRICTS:
        found += _town(code, district, TOWN_PER[kind])
        found += [_village(code, district, next(names), number) for number in range(VILLAGES_PER[kind])]
    return found


def _town(code: str, district: str, count: int) -> Iterator[Place]:
    wanted = [*TOWN_NAMES[: count - 1], TOWN_NAMES[-1]]
    for short in wanted:
        name = f"{district}{short}"
        phase = "junior" if short.endswith("中学") else "primary"
        yield Place(school_id(name), name, f"{district[:2]}{short}"[:24], phase, code, False)


def _village(code: str, district: str, place: str, number: int) -> Place:
    """Of eight villages' schools one is a junior school and one runs from grade one to nine."""
    kind, phase = {3: ("初级中学", "junior"), 6: ("学校", "nine_year")}.get(number, ("中心小学", "primary"))
    name = f"{district}{place}镇{kind}"
    return Place(school_id(name), name, f"{place}镇{kind}", phase, code, True)


def schools(now: datetime, year: int) -> Iterator[School]:
    for number, place in enumerate(places()):
        since = date(year - 6, 9, 1)
        yield School(
            id=place.id,
            # 21 小学, 31 普通初中 (also 九年一贯制); 12 Tianjin (教育部 2010)
            code=f"{'21' if place.phase == 'primary' else '31'}12{900001 + number}",
            name=place.name,
            short_name=place.short_name,
            phase=place.phase,
            located_in=place.district,
            supervised_by=None if place.direct else place.district,
            key_school=not place.village and (place.direct or "实验" in place.name or "中学" in place.name),
            weak=place.village and number % 9 == 0,
            phone=f"022-0000{number:04d}",
            demo=True,
            created_at=now,
            settlement=[
                SettlementCode(
                    id=named_id("demo", "settlement", place.id), school_id=place.id, code=_code(place), starts_on=since
                )
            ],
            enrolment=list(_enrolments(place, number, year)),
        )


def _code(place: Place) -> str:
    """城乡分类代码: 111 city core, 121 town centre of the outer districts, 210 or 220 village."""
    if place.village:
        return "210" if place.phase == "nine_year" else "220"
    return "111" if place.direct or place.district < "120114" else "121"


def _enrolments(place: Place, number: int, year: int) -> Iterator[Enrolment]:
    for phase in ("primary", "junior") if place.phase == "nine_year" else (place.phase,):
        pupils = (86 + number * 17 % 210) if place.village else (720 + number * 53 % 1100)
        yield Enrolment(
            id=named_id("demo", "enrolment", place.id, year, phase),
            school_id=place.id,
            school_year=year,
            phase=phase,
            pupils=pupils,
            teachers=max(8, pupils // 14),
        )


def teaches(place: Place, phase: str) -> bool:
    return place.phase == phase or (place.phase == "nine_year" and phase in ("primary", "junior"))


def paired() -> list[tuple[Place, list[Place]]]:
    """Thirty town schools and the one to three village schools each of them helps, the demo teacher's first.

    Two villages have nobody yet: the pages must show them.
    """
    every = places()
    outside = [place for place in every if place.village and place.district != DEMO_DISTRICT][:-2]
    inside = [place for place in every if place.village and place.district == DEMO_DISTRICT]
    three = [place for place in inside if place.phase == "primary"][:3]
    others = [place for place in [*inside, *outside] if place not in three]
    helpers = [place for place in every if not place.village]
    primary = [place for place in helpers if "实验小学" in place.name and not place.direct]
    primary += [place for place in helpers if "第一小学" in place.name][:6]
    junior = [place for place in helpers if place.phase == "junior"][:7]
    return [
        (every[0], three),
        *_dealt(primary, [place for place in others if place.phase != "junior"], (2, 3, 1, 2, 3, 2)),
        *_dealt(junior, [place for place in others if place.phase == "junior"], (1, 2)),
    ]


def _dealt(helpers: list[Place], villages: list[Place], sizes: tuple[int, ...]) -> Iterator[tuple[Place, list[Place]]]:
    """Deals the villages out, so many to each helper in turn; 1拖3 at most."""
    hands: dict[str, list[Place]] = {helper.id: [] for helper in helpers}
    left = list(villages)
    for most in (sizes, (3,)):
        for helper, size in zip(helpers, cycle(most), strict=False):
            while left and len(hands[helper.id]) < size:
                hands[helper.id].append(left.pop(0))
    return ((helper, hands[helper.id]) for helper in helpers)


def pairings(year: int) -> Iterator[Pairing]:
    for lead, villages in paired():
        for village in villages:
            yield Pairing(
                id=named_id("demo", "pairing", lead.id, village.id),
                lead_school_id=lead.id,
                village_school_id=village.id,
                kind="one_to_one" if len(villages) == 1 else "one_to_many",
                starts_on=date(year, 9, 1),
            )


def room(place: Place, kind: str, name: str, pupils: int) -> Room:
    id_ = named_id("demo", "room", place.id, name)
    return Room(
        id=id_,
        school_id=place.id,
        name=name,
        kind=kind,
        pupils=pupils,
        code="D" + id_[:9].upper(),
        equipment=["camera_teacher", "camera_pupils", "microphone", "loudspeaker", "screen"],
    )
