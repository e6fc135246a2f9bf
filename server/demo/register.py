"""The rest of the demo's register: classes of the village schools, what they cannot teach, groups across districts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from server.classes.grades import FIRST, LAST, entry_year
from server.clock import city_date
from server.demo.city import Place, places
from server.groups.models import Group, Membership
from server.ids import named_id
from server.schools.models import Gap, SchoolClass

WANTED = (("music", "无专任教师"), ("art", "由语文教师兼任"), ("english", "教师休产假"))


CONSENT = {"consent_by": "教务处", "consent_version": "第一版", "consent_channel": "paper"}


def _phases(place: Place) -> tuple[str, ...]:
    return ("primary", "junior") if place.phase == "nine_year" else (place.phase,)


def classes(now: datetime) -> Iterator[SchoolClass]:
    """One class a grade in every village school; two of three have their guardians' consent."""
    today = city_date(now)
    for number, place in enumerate(one for one in places() if one.village):
        for phase in _phases(place):
            for grade in range(FIRST[phase], LAST[phase] + 1):
                year = entry_year(phase, grade, today)
                yield SchoolClass(
                    id=named_id("demo", "class", place.id, phase, year),
                    school_id=place.id,
                    phase=phase,
                    entry_year=year,
                    number=1,
                    pupils=14 + (number * 7 + grade * 3) % 24,
                    **(CONSENT | {"consent_on": date(today.year, 1, 10)} if (number + grade) % 3 else {}),
                    demo=True,
                )


def gaps(term: str, since: date) -> Iterator[Gap]:
    for number, place in enumerate(one for one in places() if one.village):
        subject, note = WANTED[number % len(WANTED)]
        grade = (3 if place.phase != "junior" else 7) + number % 2
        yield Gap(
            id=named_id("demo", "gap", place.id, term),
            school_id=place.id,
            term=term,
            grade=grade,
            subject=subject,
            weekly=1 + number % 2,
            note=note,
            declared_on=since,
        )


def _groups() -> Iterator[tuple[str, str, Place, list[Place]]]:
    """(name, kind, lead, members): each school of the city leads a group of villages in one far district."""
    leads = [one for one in places() if one.direct]
    villages = [one for one in places() if one.village]
    for lead, district, kind in zip(leads, ("120115", "120119"), ("education_group", "direct"), strict=True):
        there = [one for one in villages if one.district == district]
        word = {"education_group": "教育集团", "direct": "直属帮扶"}[kind]
        yield f"{lead.short_name}{word}", kind, lead, there[:5]


def groups(now: datetime, since: date) -> Iterator[Group]:
    for name, kind, _, _ in _groups():
        yield Group(
            id=named_id("demo", "group", name),
            name=name,
            kind=kind,
            starts_on=since,
            created_at=now,
            demo=True,
            members=[],
        )


def members(since: date) -> Iterator[Membership]:
    for name, _, lead, others in _groups():
        for place in (lead, *others):
            yield Membership(
                id=named_id("demo", "member", name, place.id),
                group_id=named_id("demo", "group", name),
                school_id=place.id,
                role="lead" if place is lead else "member",
                starts_on=since,
            )
