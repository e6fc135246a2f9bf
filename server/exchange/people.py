"""People as rows of a file. Rule: a file gives posts of a school, never takes one away, never reaches above its sender;
and who holds posts moves to another school on their own page, where these end (``accounts/admin/moving.py``).

Accounts that a file makes have no password: the school's administrator gives the first one, or the bureau's own
sign-in knows them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.admin.schemas import PersonBody
from server.accounts.admin.service import posts_given
from server.accounts.models import Person, PostHeld
from server.accounts.service import REACHING
from server.clock import city_date
from server.exchange import store
from server.exchange.register import Effect, Plan, Twice, checked, open_school
from server.exchange.sheets import POSTS, Fault
from server.exchange.store import PersonShown
from server.ids import new_id
from server.schools import history
from server.schools import service as schools
from server.scope import Action, Scope, allows


class People:
    action: Action = "person.write"

    async def load(self, session: AsyncSession, scope: Scope, now: datetime) -> None:
        self.scope, self.now, self.today = scope, now, city_date(now)
        self.schools = {one.code: one for one in await store.schools(session, scope)}
        self.people = {one.login: one for one in await store.people(session, scope)}
        self.shown: list[PersonShown] | list[Person] = list(self.people.values())
        self.taken = await store.logins(session, scope)
        self.given = set(posts_given(scope))
        self.kept = await store.kept_today(session, scope, "person", history.midnight(self.today))
        self.twice = Twice()

    async def load_shown(self, session: AsyncSession, scope: Scope, now: datetime) -> None:
        self.today = city_date(now)
        self.schools = {one.code: one for one in await store.schools(session, scope)}
        self.shown = await store.people_shown(session, scope)

    def _posts(self, person: Person | PersonShown) -> list[str]:
        """Open posts of the person's own school, as the file knows them."""
        here = (one for one in person.posts if one.school_id in (None, person.school_id))
        held = {one.post for one in here if one.ends_on is None or one.ends_on >= self.today}
        return [post for post in POSTS if post in held]

    def export(self) -> list[dict[str, Any]]:
        codes = {one.id: one.code for one in self.schools.values()}
        return [
            {
                "login": one.login,
                "name": one.name,
                "school_code": codes[one.school_id],
                "posts": self._posts(one),
                "subject": one.subject,
                "phone": one.phone,
            }
            for one in self.shown
            if one.disabled_at is None and one.school_id in codes and self._posts(one)
        ]

    def plan(self, row: dict[str, Any], plan: Plan) -> Effect:
        posts: list[str] = row.pop("posts")
        school = open_school(self.schools, "school_code", row.pop("school_code"))
        if not allows(self.scope, self.action, schools.part_of(school)):
            raise Fault("school_code", "no_school")
        if not self.given.issuperset(posts):
            raise Fault("posts", "errors.post_above")
        body = checked(PersonBody, {**row, "login": row["login"].lower(), "school_id": school.id})
        self.twice.once("login", body.login)
        place, held = (school.id, school.supervised_by), self.people.get(body.login)
        if held is None:
            return self._new(body, posts, plan, place)
        return self._changed(held, body, posts, plan, place)

    def _new(self, body: PersonBody, posts: list[str], plan: Plan, place: tuple[str, str | None]) -> Effect:
        if body.login in self.taken:
            raise Fault("login", "errors.person_login_taken")
        row = {"id": new_id(), "created_at": self.now, "locale": "zh-CN", "demo": False, **body.model_dump()}
        plan.insert(Person, {**row, "password_given": True, "failures": 0}, place)
        self._give(row["id"], posts, plan, place)
        return "new"

    def _give(self, person: str, posts: list[str], plan: Plan, place: tuple[str, str | None]) -> None:
        for post in posts:
            row = {"id": new_id(), "person_id": person, "post": post, "starts_on": self.today, "ends_on": None}
            row |= {"district_id": None, "school_id": place[0] if post in REACHING else None, "studio_id": None}
            plan.insert(PostHeld, row, place)

    def _changed(
        self, held: Person, body: PersonBody, posts: list[str], plan: Plan, place: tuple[str, str | None]
    ) -> Effect:
        if held.disabled_at is not None:
            raise Fault("login", "disabled")
        now = set(self._posts(held))
        if not now.issubset(posts):
            raise Fault("posts", "posts_only_added")
        above = {one.post for one in held.posts if one.ends_on is None or one.ends_on >= self.today} - self.given
        new = {name: value for name, value in body.model_dump().items() if getattr(held, name) != value}
        if above and new:
            raise Fault("login", "errors.person_above")
        if "school_id" in new and now:
            raise Fault("school_code", "moves_on_page")
        if new:
            if {"school_id", "subject"} & set(new) and held.id not in self.kept:
                plan.keep("person", held, ("school_id", "subject"), self.scope, school=held.school_id or "")
            plan.change(Person, held, new, place)
        added = [post for post in posts if post not in now]
        self._give(held.id, added, plan, place)
        return "changed" if new or added else "same"
