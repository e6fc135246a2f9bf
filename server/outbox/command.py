"""``tongtang reseal``: what an older site key sealed, under the present one."""

from __future__ import annotations

from pathlib import Path

from server.audit.watch import watch
from server.clock import SystemClock
from server.config import WebSettings
from server.database import Database, make_engine
from server.encoders import sealing
from server.outbox import service
from server.outbox.vault import Vault
from server.scope import SYSTEM


async def resealed(settings: WebSettings, old: Path) -> int:
    """How many channels and cameras were sealed anew; those that the old key does not open stay as they are."""
    database = Database(make_engine(settings.database_url))
    watch(database, SystemClock())
    try:
        async with database.transaction() as session:
            vaults = Vault.at(old), Vault.of(settings)
            return await service.reseal(session, SYSTEM, *vaults) + await sealing.reseal(session, SYSTEM, *vaults)
    finally:
        await database.dispose()
