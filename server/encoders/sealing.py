"""Passwords of cameras in the database: sealed like those of channels, opened only for nodes."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from server.encoders import store
from server.encoders.addresses import Camera, put_together, shown, taken_apart
from server.encoders.models import RoomSource
from server.outbox.vault import SealedError, Vault
from server.scope import Scope


def seal(row: RoomSource, camera: Camera, vault: Vault) -> None:
    row.address = shown(camera.address)
    row.secret = vault.seal(put_together(camera)) if camera.secret or row.address != camera.address else ""


def opened(row: RoomSource | None, vault: Vault) -> Camera | None:
    """None without a source, and where another key sealed it (the page says so)."""
    if row is None:
        return None
    try:
        return taken_apart(vault.open(row.secret)) if row.secret else Camera(row.address, "")
    except SealedError:
        return None


async def reseal(session: AsyncSession, scope: Scope, old: Vault, new: Vault) -> int:
    """Every password that ``old`` opens, sealed by ``new``."""
    count = 0
    for row in await store.all_sources(session, scope):
        camera = opened(row, old) if row.secret else None
        if camera is not None:
            seal(row, camera, new)
            count += 1
    return count
