"""The demo's people and its accounts. Nobody real: names are drawn from common surnames and given names by a fixed
seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from server.accounts.models import Person, PostHeld
from server.demo.city import DEMO_DISTRICT, Place, paired
from server.ids import named_id
from server.scope import Post

DEMO_PASSWORD = "tongtang"
"""Offered on the login page of a demo database, and nowhere else. At least the eight characters passwords need."""

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
GIVEN = """桂兰秀英玉华丽娟海燕晓东建国志强文静雪梅雅琴春华立新明辉思远佳宁宏伟俊杰婷婷红梅玉芬淑贞振华国栋家豪一鸣晨曦
雨欣欣怡梓涵若兰静怡文博浩然子轩清源维民学军永康秋月冬梅丹丹建平亚楠世杰少华凤英庆云""".replace("\n", "")
"""Two characters each."""


@dataclass(frozen=True, slots=True)
class DemoAccount:
    login: str
    post: Post
    name: str


DEMO_ACCOUNTS: tuple[DemoAccount, ...] = (
    DemoAccount("teacher", "teacher", "林海棠"),
    DemoAccount("assistant", "assistant", "赵春华"),
    DemoAccount("school", "school_admin", "孙立新"),
    DemoAccount("district", "district_admin", "周志强"),
    DemoAccount("city", "city_admin", "郑思远"),
    DemoAccount("studio", "studio_host", "沈玉华"),
    DemoAccount("inspector", "inspector", "何文静"),
    DemoAccount("evaluator", "evaluator", "许清源"),
    DemoAccount("pupil", "pupil", "王小禾"),
)


def person_id(login: str) -> str:
    return named_id("demo", "person", login)


def plausible_name(login: str) -> str:
    chance = random.Random(f"name {login}")
    return chance.choice(SURNAMES) + GIVEN[(at := 2 * chance.randrange(len(GIVEN) // 2)) : at + 2]


def person(
    login: str,
    now: datetime,
    school: str | None,
    *,
    name: str | None = None,
    subject: str | None = None,
    password_hash: str | None = None,
) -> Person:
    """Without a password nobody can sign in as them: they fill the rooms."""
    return Person(
        id=person_id(login),
        login=login,
        name=name or plausible_name(login),
        password_hash=password_hash,
        school_id=school,
        subject=subject,
        demo=True,
        created_at=now,
    )


def post(
    login: str,
    what: Post,
    since: date,
    *,
    district: str | None = None,
    school: str | None = None,
    studio: str | None = None,
) -> PostHeld:
    return PostHeld(
        id=named_id("demo", "post", login, what),
        person_id=person_id(login),
        post=what,
        district_id=district,
        school_id=school,
        studio_id=studio,
        starts_on=since,
    )


def account_holders(now: datetime, password_hash: str) -> Iterator[Person]:
    lead, villages = paired()[0]
    schools = {
        "teacher": lead.id,
        "studio": lead.id,
        "assistant": villages[0].id,
        "school": villages[0].id,
        "pupil": villages[0].id,
    }
    for account in DEMO_ACCOUNTS:
        subject = {"teacher": "music", "studio": "music"}.get(account.login)
        yield person(
            account.login,
            now,
            schools.get(account.login),
            name=account.name,
            subject=subject,
            password_hash=password_hash,
        )


def account_posts(since: date, host_studio: str) -> Iterator[PostHeld]:
    lead, villages = paired()[0]
    for account in DEMO_ACCOUNTS:
        district = DEMO_DISTRICT if account.post == "district_admin" else None
        school = {"school": villages[0].id, "teacher": lead.id, "assistant": villages[0].id}.get(account.login)
        studio = host_studio if account.post == "studio_host" else None
        yield post(account.login, account.post, since, district=district, school=school, studio=studio)
    yield post("studio", "teacher", since, school=lead.id)


def school_admins(schools: Iterable[Place], now: datetime, since: date) -> Iterator[tuple[Person, PostHeld]]:
    """Every school has somebody to ring; the demo's own school administrator stands for the first village."""
    taken = paired()[0][1][0].id
    for place in schools:
        if place.id != taken:
            login = f"admin-{place.id[:10]}"
            yield person(login, now, place.id), post(login, "school_admin", since, school=place.id)
