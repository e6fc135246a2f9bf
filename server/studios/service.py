"""A studio's home as pages and JSON show it. Studios are open to all; people's names need a sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import city_date
from server.errors import NotFoundError
from server.lessons.models import Lesson
from server.schools.models import School
from server.scope import Scope, allows
from server.studios import store
from server.studios.activities import service as activities
from server.studios.activities import store as planned
from server.studios.activities.models import Activity
from server.studios.models import Studio, StudioMember

LESSONS_SHOWN = 12
ROLES = ("core", "member", "trainee")


@dataclass(frozen=True, slots=True)
class Home:
    studio: Studio
    members: list[StudioMember]
    schools: dict[str, School]
    lessons: list[Lesson]
    held: int
    activities: list[Activity]
    may_plan: bool


async def home(session: AsyncSession, scope: Scope, studio_id: str, now: datetime) -> Home:
    studio = await store.studio(session, scope, studio_id)
    if studio is None:
        raise NotFoundError
    today = city_date(now)
    members = sorted(store.members_on(studio, today), key=lambda one: (ROLES.index(one.role), one.joined_on))
    people = [studio.host_id, *(member.person_id for member in members)]
    reads = allows(scope, "studio.read")
    places = {member.person.school_id for member in members if member.person.school_id}
    return Home(
        studio,
        members if reads else [],
        await store.schools_of(session, scope, sorted(places)) if reads else {},
        await store.lessons_led(session, scope, people, LESSONS_SHOWN) if reads else [],
        await store.count_led(session, scope, people),
        await planned.of_studio(session, scope, studio.id, now, LESSONS_SHOWN),
        activities.may_write(scope, studio),
    )
