"""一对一 that is none: pairings from before it was refused, whose lead school helps another at the same time.

They go on until somebody ends one; the pages say which.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from server.schools import store
from server.schools.models import Pairing
from server.scope import SYSTEM


def _meet(one: Pairing, other: Pairing) -> bool:
    """Half-open: one may begin on the day the other ends."""
    return (other.ends_on is None or one.starts_on < other.ends_on) and (
        one.ends_on is None or other.starts_on < one.ends_on
    )


async def crowded(session: AsyncSession, pairings: Iterable[Pairing], today: date) -> dict[str, list[str]]:
    """By the id of a pairing that is not over: the schools that its lead school helps beside it, where either says
    一对一. Names only, whoever may see those schools: the refusal of a new pairing names them as well."""
    ahead = [one for one in pairings if one.ends_on is None or one.ends_on > today]
    beside = await store.pairings_led(session, SYSTEM, sorted({one.lead_school_id for one in ahead})) if ahead else []
    found: dict[str, list[str]] = {}
    for one in ahead:
        for other, village in beside:
            alone = "one_to_one" in (one.kind, other.kind) and one.lead_school_id == other.lead_school_id
            over = other.ends_on is not None and other.ends_on <= today
            if alone and one.id != other.id and not over and _meet(one, other):
                found.setdefault(one.id, []).append(village)
    return found
