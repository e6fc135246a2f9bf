"""JSON of machine tokens."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.schools import places
from server.schools.schemas import Id
from server.tokens import service
from server.tokens.models import MachineToken
from server.tokens.schemas import TokenBody, TokenMade, TokenSeen

router = APIRouter(prefix="/api/v1/tokens", tags=["tokens"])


def _seen(row: MachineToken) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "place": places.name_of(row),
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "seen_at": row.seen_at,
    }


@router.get("")
async def get_tokens(session: Reading, scope: SignedIn) -> list[TokenSeen]:
    """Of the places the asker administers; revoked ones left out."""
    return [TokenSeen(**_seen(row)) for row in await service.mine(session, scope)]


@router.post("", status_code=201)
async def post_token(body: TokenBody, session: Writing, scope: SignedIn, clock: ClockDep) -> TokenMade:
    """The only answer that holds the token."""
    row, shown = await service.make(session, scope, body, clock.now())
    return TokenMade(**_seen(row), token=shown)


@router.delete("/{token_id}", status_code=204)
async def delete_token(token_id: Id, session: Writing, scope: SignedIn, clock: ClockDep) -> None:
    """It stops with the next request."""
    await service.revoke(session, scope, token_id, clock.now())
