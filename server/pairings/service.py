"""The signed agreement of a pairing. Rule: handed in once; its checksum stands in the row and in the audit log."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, TooLargeError
from server.schools import service as schools
from server.schools import store
from server.schools.models import Pairing, School
from server.scope import Scope, allows
from signaling.ports import ObjectStore

MOST_BYTES = 10_000_000


def key_of(pairing_id: str) -> str:
    return f"agreements/{pairing_id}.pdf"


async def ends(session: AsyncSession, scope: Scope, row: Pairing) -> tuple[School, School]:
    lead = await store.school_of_city(session, scope, row.lead_school_id)
    village = await store.school_of_city(session, scope, row.village_school_id)
    if lead is None or village is None:
        raise NotFoundError
    return lead, village


async def get(session: AsyncSession, scope: Scope, pairing_id: str) -> tuple[Pairing, School, School]:
    """A pairing that the asker sees as one of its schools' readers."""
    row = await store.pairing(session, scope, pairing_id)
    if row is None:
        raise NotFoundError
    lead, village = await ends(session, scope, row)
    if not any(allows(scope, "school.read", schools.part_of(one)) for one in (lead, village)):
        raise ForbiddenError
    return row, lead, village


def as_file(name: str, data: bytes) -> Response:
    """To keep, never as a page of ours: what a stranger's PDF does, it does outside our origin."""
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(data, media_type="application/pdf", headers={"content-disposition": disposition})


async def hand_in(
    session: AsyncSession, scope: Scope, objects: ObjectStore, pairing_id: str, name: str, data: bytes
) -> Pairing:
    row = await schools.pairing_for(session, scope, pairing_id)
    if row.agreement_name is not None:
        raise ConflictError("agreement_there")
    if len(data) > MOST_BYTES:
        raise TooLargeError(mb=MOST_BYTES // 1_000_000)
    if not data.startswith(b"%PDF-"):
        raise InvalidError("agreement_kind")
    await objects.put(key_of(row.id), data, content_type="application/pdf")
    row.agreement_name, row.agreement_sha256 = name[-120:], hashlib.sha256(data).hexdigest()
    await session.flush()
    return row
