"""SQL of first passwords. The caller has checked the right to the school."""

from __future__ import annotations

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.admin.store import POSTS, visible
from server.accounts.models import Person, SignIn
from server.scope import Scope


async def never_signed_in(session: AsyncSession, scope: Scope, school_id: str) -> list[Person]:
    """No password of their own, no sign-in on record, not known to the bureau's sign-in, not disabled."""
    nobody_chose = or_(Person.password_hash.is_(None), Person.password_given)
    came = exists().where(SignIn.person_id == Person.id, SignIn.kind == "person")
    query = select(Person).options(POSTS).where(Person.school_id == school_id, visible(scope), nobody_chose, ~came)
    query = query.where(Person.disabled_at.is_(None), Person.outside_subject.is_(None), Person.demo.is_(False))
    return list(await session.scalars(query.order_by(Person.name, Person.login)))
