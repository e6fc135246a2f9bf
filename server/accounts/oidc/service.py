"""Whose account a token speaks of. Rule: it must be somebody the register knows; nobody is made, nobody is promoted.

The first time, the claims named in the settings (工号, telephone) must be those of exactly one person; from then on
issuer and subject say who it is, whatever becomes of the claim. Posts of a school's own work may follow from a claim by
the table in the settings; posts that administer never do.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts import store
from server.accounts.models import Person, PostHeld
from server.clock import city_date
from server.config import WebSettings
from server.errors import InvalidError
from server.ids import new_id
from server.scope import SYSTEM

LONGEST_SUBJECT = 120


async def person_of(session: AsyncSession, settings: WebSettings, claims: dict[str, Any], now: datetime) -> Person:
    subject = str(claims["sub"])[:LONGEST_SUBJECT]
    person = await store.person_from_outside(session, SYSTEM, settings.oidc_issuer, subject)
    if person is None:
        person = await _known(session, settings, claims)
        if person.outside_subject is not None:
            raise InvalidError("oidc_other")
        person.outside_issuer, person.outside_subject = settings.oidc_issuer, subject
    if person.disabled_at is not None or person.demo:
        raise InvalidError("oidc_disabled")
    if person.password_given:
        # Whoever the bureau vouches for needs no password of ours; one on a sheet of paper opens nothing any more.
        person.password_hash, person.password_given = None, False
    await _give_posts(session, settings, person, claims, now)
    return person


async def _known(session: AsyncSession, settings: WebSettings, claims: dict[str, Any]) -> Person:
    """Exactly one person, whom every claim of the settings' table means that the token carries."""
    rows = ((settings.oidc_claim, settings.oidc_matches), *settings.oidc_links)
    said = [(text, matches) for name, matches in rows if (text := _said(claims, name, matches))]
    if not said:
        raise InvalidError("oidc_no_claim", claim=settings.oidc_claim)
    found: dict[str, Person] = {}
    for text, matches in said:
        people = await store.people_by(session, SYSTEM, matches, text)
        found |= {one.id: one for one in people}
        if len(found) > 1:
            raise InvalidError("oidc_several", name=text[:64])
    if not found:
        raise InvalidError("oidc_unknown", name=said[0][0][:64])
    return next(iter(found.values()))


def _said(claims: dict[str, Any], name: str, matches: str) -> str:
    """A telephone number that nobody checked is a claim to be whoever has it."""
    value = claims.get(name)
    plain = isinstance(value, (str, int)) and not isinstance(value, bool)
    checked = matches != "phone" or claims.get(f"{name}_verified", True) is True
    return str(value).strip() if plain and checked else ""


async def _give_posts(
    session: AsyncSession, settings: WebSettings, person: Person, claims: dict[str, Any], now: datetime
) -> None:
    """What the claims say beyond what is held; taken away is by hand: an outage of theirs must dismiss nobody."""
    if person.school_id is None:
        return
    today = city_date(now)
    held = {one.post for one in person.posts if one.ends_on is None or one.ends_on >= today}
    for claim, value, post in settings.oidc_posts:
        said = claims.get(claim)
        values = said if isinstance(said, list) else [said]
        if value in [str(one) for one in values] and post not in held:
            held.add(post)
            await store.add_post(
                session, SYSTEM, PostHeld(id=new_id(), person_id=person.id, post=post, starts_on=today)
            )
