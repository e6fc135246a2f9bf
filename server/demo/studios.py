"""Fifty famous-teacher studios (policy 1 二(八)): host, core, members, trainees, some of them from villages."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from server.accounts.models import Person, PostHeld
from server.demo.city import Place, places, teaches
from server.demo.people import person, person_id, plausible_name, post
from server.ids import named_id
from server.studios.models import Studio, StudioMember

COUNT = 50

SUBJECTS = {
    "primary": ("music", "chinese", "maths", "english", "art", "science", "morality", "pe", "it", "labour"),
    "junior": ("chinese", "maths", "english", "physics", "chemistry", "biology", "history", "geography"),
}
NAMES = {
    "music": "音乐",
    "chinese": "语文",
    "maths": "数学",
    "english": "英语",
    "art": "美术",
    "science": "科学",
    "morality": "道德与法治",
    "pe": "体育与健康",
    "it": "信息科技",
    "labour": "劳动",
    "physics": "物理",
    "chemistry": "化学",
    "biology": "生物学",
    "history": "历史",
    "geography": "地理",
}
PHASES = {"primary": "小学", "junior": "初中"}


@dataclass(frozen=True, slots=True)
class StudioOf:
    """What is settled of a studio before its rows are made."""

    number: int
    phase: str
    subject: str
    school: Place
    host: str
    host_name: str

    @property
    def id(self) -> str:
        return named_id("demo", "studio", self.number)


def plans() -> list[StudioOf]:
    """The demo's host comes first; two thirds of the studios are of primary schools."""
    schools = [place for place in places() if not place.village]
    found = [StudioOf(0, "primary", "music", schools[0], "studio", "沈玉华")]
    for number in range(1, COUNT):
        phase = "junior" if number % 3 == 2 else "primary"
        subjects, of_phase = SUBJECTS[phase], [place for place in schools if teaches(place, phase)]
        subject = subjects[number // 3 % len(subjects) if phase == "junior" else number * 2 // 3 % len(subjects)]
        login = f"host-{number:02d}"
        found.append(
            StudioOf(number, phase, subject, of_phase[number * 5 % len(of_phase)], login, plausible_name(login))
        )
    return found


def people(now: datetime) -> Iterator[Person]:
    for plan in plans():
        if plan.number:
            yield person(plan.host, now, plan.school.id, name=plan.host_name, subject=plan.subject)
        for login, school, _ in _members(plan):
            yield person(login, now, school, subject=plan.subject)


def studios(now: datetime, since: date) -> Iterator[Studio]:
    for plan in plans():
        about = (
            f"面向全市{PHASES[plan.phase]}{NAMES[plan.subject]}教师，每学期开展网络教研、示范课与集体备课，"
            f"与结对校教师同备一节课、同评一节课。三年一周期。（演示）"
        )
        yield Studio(
            id=plan.id,
            name=f"{plan.host_name}{PHASES[plan.phase]}{NAMES[plan.subject]}名师工作室",
            subject=plan.subject,
            phase=plan.phase,
            school_id=plan.school.id,
            host_id=person_id(plan.host),
            about=about,
            accepted_on=None if plan.number % 16 == 15 else since,  # a few are still being built
            demo=True,
            created_at=now,
            members=[
                StudioMember(
                    id=named_id("demo", "member", plan.number, login),
                    studio_id=plan.id,
                    person_id=person_id(login),
                    role=role,
                    joined_on=since,
                )
                for login, _, role in _members(plan)
            ],
        )


def posts(since: date) -> Iterator[PostHeld]:
    for plan in plans():
        if plan.number:
            yield post(plan.host, "studio_host", since, studio=plan.id)
            yield post(plan.host, "teacher", since, school=plan.school.id)
        for login, school, _ in _members(plan):
            yield post(login, "studio_member", since, studio=plan.id)
            yield post(login, "teacher", since, school=school)


def _members(plan: StudioOf) -> Iterator[tuple[str, str, str]]:
    """(login, school, role): two of the core, the rest members and trainees, every other one from a village."""
    chance = random.Random(f"studio {plan.number}")
    schools = [place for place in places() if teaches(place, plan.phase)]
    towns, villages = [p for p in schools if not p.village], [p for p in schools if p.village]
    for seat in range(chance.randint(5, 8)):
        school = chance.choice(villages if seat % 2 else towns)
        yield f"member-{plan.number:02d}-{seat}", school.id, "core" if seat < 2 else "member" if seat < 5 else "trainee"
