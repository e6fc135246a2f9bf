"""Rules of channels, and putting into the outbox what their places should hear. Nothing here waits for anybody outside.

A robot of a school hears what the school's own people are told, a district's what its administrators are told; an SMS
channel reaches each of those people; a webhook hears every change of a lesson that its place leads or receives.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person
from server.accounts.service import held_posts
from server.clock import city_date
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import named_id, new_id
from server.lessons.models import Lesson
from server.outbox import store
from server.outbox.door import ClosedError, check_url
from server.outbox.events import Event
from server.outbox.models import Channel, Delivery
from server.outbox.schemas import MOST_CHANNELS, ChannelBody, ChannelEdit
from server.outbox.store import Places
from server.outbox.vault import SealedError, Vault
from server.schools import places
from server.scope import SYSTEM, Scope, allows

MOST_WAITING = 500
"""Of one channel; what comes on top is dropped, and the page says so."""
TOLD_POSTS = ("school_admin", "dean")
PERSONAL = frozenset({"code"})
"""Said to one person ("in your name"): no group hears it, their telephone does."""


# --- who may ----------------------------------------------------------------------------------------------------------


async def get(session: AsyncSession, scope: Scope, channel_id: str) -> Channel:
    if not allows(scope, "channel.write"):
        raise ForbiddenError
    found = await store.channel(session, scope, channel_id)
    if found is None:
        raise NotFoundError
    if not allows(scope, "channel.write", await places.part(session, scope, found.school_id, found.district_id)):
        raise ForbiddenError
    return found


async def mine(session: AsyncSession, scope: Scope) -> list[Channel]:
    if not allows(scope, "channel.write"):
        raise ForbiddenError
    return await places.writable(session, scope, "channel.write", await store.channels(session, scope))


# --- writing ----------------------------------------------------------------------------------------------------------


def _check_endpoint(url: str, local: bool) -> None:
    """As far as a name can be judged without looking it up: the door judges again, every time."""
    try:
        check_url(url, local)
    except ClosedError as error:
        raise InvalidError(f"channel_{error.problem}", field="endpoint") from error


async def create(
    session: AsyncSession, scope: Scope, body: ChannelBody, now: datetime, *, local: bool, vault: Vault
) -> tuple[Channel, str]:
    """The row, and the secret that was made for it (shown this once); "" where one was given or none is needed."""
    school, district = places.split(body.place)
    if not allows(scope, "channel.write", await places.part(session, scope, school, district)):
        raise ForbiddenError
    _check_endpoint(body.endpoint, local)
    if await store.at_place(session, SYSTEM, school, district) >= MOST_CHANNELS:
        raise ConflictError("channel_many", most=MOST_CHANNELS)
    made = secrets.token_urlsafe(24) if body.kind in ("sms", "webhook") and not body.secret else ""
    row = Channel(
        id=new_id(),
        kind=body.kind,
        name=body.name,
        school_id=school,
        district_id=district,
        endpoint=vault.seal(body.endpoint),
        secret=vault.seal(body.secret or made),
        events=body.events if body.kind == "webhook" else [],
        only_urgent=body.only_urgent,
        created_at=now,
        created_by=scope.person,
    )
    await store.add(session, scope, row)
    return row, made


async def edit(
    session: AsyncSession, scope: Scope, channel_id: str, body: ChannelEdit, *, local: bool, vault: Vault
) -> Channel:
    """A new address is a new beginning: what failed there does not count here."""
    row = await get(session, scope, channel_id)
    row.name, row.only_urgent = body.name, body.only_urgent or row.kind == "sms"
    row.events = body.events if row.kind == "webhook" else []
    if body.endpoint:
        _check_endpoint(body.endpoint, local)
        row.endpoint, row.failing_since = vault.seal(body.endpoint), None
    row.secret = vault.seal(body.secret) or row.secret
    return row


async def switch(session: AsyncSession, scope: Scope, channel_id: str, off: bool, now: datetime) -> Channel:
    row = await get(session, scope, channel_id)
    row.off_at, row.off_why = (row.off_at or now, row.off_why or "hand") if off else (None, None)
    row.failing_since = None
    if off:
        await store.drop_waiting(session, scope, row.id, now)
    return row


async def remove(session: AsyncSession, scope: Scope, channel_id: str, now: datetime) -> None:
    """The address goes at once; what was sent stays readable in the audit log's way: as rows."""
    row = await get(session, scope, channel_id)
    row.removed_at, row.endpoint, row.secret = now, "", ""
    await store.drop_waiting(session, scope, row.id, now)


def host_of(channel: Channel, vault: Vault) -> str:
    """Of an address that our key does not open: nothing."""
    try:
        return urlsplit(vault.open(channel.endpoint)).hostname or ""
    except SealedError:
        return ""


async def reseal(session: AsyncSession, scope: Scope, old: Vault, new: Vault) -> int:
    """Every channel that ``old`` opens, sealed by ``new``."""
    count = 0
    for row in await store.channels(session, scope):
        try:
            endpoint, secret = old.open(row.endpoint), old.open(row.secret)
        except SealedError:
            continue
        row.endpoint, row.secret, count = new.seal(endpoint), new.seal(secret), count + 1
    return count


# --- putting into the outbox ------------------------------------------------------------------------------------------


def _row(channel: Channel, subject: str, event: str, body: dict[str, Any], now: datetime) -> Delivery:
    return Delivery(
        id=new_id(), channel_id=channel.id, subject=subject, event=event, body=body, created_at=now, due_at=now
    )


async def heard(session: AsyncSession) -> bool:
    """Whether anybody listens at all: asked once by who would announce thousands."""
    return await store.any_on(session, SYSTEM)


async def announce(session: AsyncSession, event: Event | None, now: datetime) -> None:
    """To every webhook of the event's places that listens for it."""
    if event is None or not await store.any_on(session, SYSTEM):
        return
    found = await store.listening(session, SYSTEM, event.places, webhooks=True)
    wanted = [one for one in found if not one.events or event.name in one.events]
    await _put(session, [_row(one, event.subject, event.name, event.body, now) for one in wanted], now)


async def spread(
    session: AsyncSession,
    scope: Scope,
    told: Collection[str],
    key: str,
    words: dict[str, Any],
    href: str,
    now: datetime,
    *,
    lesson: Lesson | None,
    urgent: bool,
) -> None:
    """A notice to these people, also to the robots and telephones of their places."""
    if not told or not await store.any_on(session, SYSTEM):
        return
    people = await store.people(session, SYSTEM, told)
    today = city_date(now)
    of = {one.id: places_of(one, today) for one in people}
    everywhere = Places(
        frozenset(school for one in of.values() for school in one.schools),
        frozenset(district for one in of.values() for district in one.districts),
        any(one.city for one in of.values()),
    )
    what = (lesson.id, lesson.sequence) if lesson else (href, repr(sorted(words.items())), now.isoformat())
    subject = named_id("notice", key, *what)
    body = {"key": key, "words": words, "href": href}
    rows = []
    for channel in await store.listening(session, SYSTEM, everywhere, webhooks=False):
        if channel.only_urgent and not urgent:
            continue
        if channel.kind != "sms":
            rows += [] if key in PERSONAL else [_row(channel, subject, f"notice.{key}", body, now)]
            continue
        for person in people:
            if person.phone and person.id != scope.person and hears(channel, of[person.id]):
                row = _row(channel, named_id(subject, person.id), f"notice.{key}", body, now)
                row.person_id = person.id
                rows.append(row)
    await _put(session, rows, now)


def places_of(person: Person, day: date) -> Places:
    """Where somebody works, and what they answer for."""
    posts = held_posts(person, day)
    at = {post.school_id for post in posts if post.post in TOLD_POSTS} | {person.school_id}
    return Places(
        frozenset(one for one in at if one),
        frozenset(post.district_id for post in posts if post.post == "district_admin" and post.district_id),
        any(post.post == "city_admin" for post in posts),
    )


def hears(channel: Channel, of: Places) -> bool:
    if channel.school_id:
        return channel.school_id in of.schools
    return channel.district_id in of.districts if channel.district_id else of.city


async def _put(session: AsyncSession, rows: list[Delivery], now: datetime) -> None:
    """Once for each channel and subject; a channel that is full keeps only the fact that it was."""
    if not rows:
        return
    held = await store.told_already(session, SYSTEM, {one.subject for one in rows})
    fresh = [one for one in rows if (one.channel_id, one.subject) not in held]
    count = await store.waiting(session, SYSTEM, {one.channel_id for one in fresh})
    for one in fresh:
        count[one.channel_id] = count.get(one.channel_id, 0) + 1
        if count[one.channel_id] > MOST_WAITING:
            one.state, one.problem, one.done_at, one.body = "dropped", "full", now, {}
    await store.add(session, SYSTEM, *fresh)


async def test(session: AsyncSession, scope: Scope, channel_id: str, now: datetime) -> Delivery:
    """A message that says it is a test, by the way all others take."""
    channel = await get(session, scope, channel_id)
    if channel.off_at is not None:
        raise ConflictError("channel_off")
    words = {"name": channel.name}
    body = {"at": now.isoformat()} if channel.kind == "webhook" else {"key": "test", "words": words, "href": "/notices"}
    row = _row(channel, new_id(), "test", body, now)
    row.person_id = scope.person
    await store.add(session, scope, row)
    return row


async def resend(session: AsyncSession, scope: Scope, channel_id: str, delivery_id: str, now: datetime) -> Delivery:
    """What failed or was dropped, once more from the beginning; what arrived too, if somebody lost it there."""
    channel = await get(session, scope, channel_id)
    row = await store.delivery(session, scope, channel.id, delivery_id)
    if row is None:
        raise NotFoundError
    if channel.off_at is not None:
        raise ConflictError("channel_off")
    if row.state == "waiting" or not row.body:
        raise ConflictError("delivery_state")
    row.state, row.attempts, row.due_at, row.done_at = "waiting", 0, now, None
    row.problem = row.status = None
    return row
