"""A person goes to another school. Rule: what they were there stays written down, what they could do there ends.

The posts of the old school end on the day of the move. Who teaches, assists or learns goes on doing so at the new one;
what somebody answered for at the old school, the new one gives anew.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.admin import store
from server.accounts.models import Person, PostHeld
from server.classes.service import headless
from server.clock import city_date
from server.errors import InvalidError
from server.ids import new_id
from server.schools.service import part_of
from server.scope import Post, Scope, allows

ALONG: frozenset[Post] = frozenset({"teacher", "assistant", "pupil"})
OF_WORK: frozenset[Post] = ALONG | {"class_teacher", "dean", "technician", "school_admin"}
"""Posts of the school where one works, also when they do not name it."""


async def move(session: AsyncSession, scope: Scope, person: Person, school_id: str, now: datetime) -> None:
    """The caller manages the person; here the other side is asked for."""
    school = await store.school(session, scope, school_id)
    if school is None or school.closed_on is not None or not allows(scope, "person.write", part_of(school)):
        raise InvalidError("person_school", field="school_id")
    await headless(session, scope, person.id, now)
    for post in [one for one in person.posts if _of_old(one, person.school_id)]:
        await _leave(session, scope, person, post, city_date(now))
    person.school_id = school.id
    await session.flush()
    await session.refresh(person, ["posts"])


def _of_old(post: PostHeld, school: str | None) -> bool:
    return post.post in OF_WORK and post.district_id is None and school is not None and post.school_id in (None, school)


async def _leave(session: AsyncSession, scope: Scope, person: Person, post: PostHeld, today: date) -> None:
    if post.ends_on is not None and post.ends_on < today:
        post.school_id = person.school_id  # else it would be told of the new school
    elif post.starts_on > today and post.post in ALONG:
        post.school_id = None  # begins where the person works by then
    elif post.starts_on > today:
        await session.delete(post)  # held for no day
    else:
        if post.post in ALONG and post.ends_on != today:
            tomorrow = today + timedelta(days=1)
            row = PostHeld(id=new_id(), person_id=person.id, post=post.post, starts_on=tomorrow, ends_on=post.ends_on)
            await store.add(session, scope, row)
        post.school_id, post.ends_on = person.school_id, today
