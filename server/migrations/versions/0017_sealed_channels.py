"""Addresses and secrets of channels are sealed with a key derived from the site's: a copy of the database opens none
of them."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from alembic import context, op

from server.outbox.vault import Vault

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

PLAIN = {"endpoint": 500, "secret": 200}
SEALED = {"endpoint": 1000, "secret": 400}
CHANNELS = sa.table("channels", *(sa.column(name) for name in ("id", *PLAIN)))


def upgrade() -> None:
    vault = _vault()
    _sized(PLAIN, SEALED)
    if vault:
        _rewritten(vault.seal)


def downgrade() -> None:
    if vault := _vault():
        _rewritten(vault.open)
    _sized(SEALED, PLAIN)


def _vault() -> Vault | None:
    """Asked for before anything is changed: SQLite takes no table back. None: there is nothing to seal."""
    if op.get_bind().execute(sa.select(CHANNELS).limit(1)).first() is None:
        return None
    key = context.config.attributes["seat_key"]
    if key is None:
        raise RuntimeError("channels hold secrets: `tongtang migrate` knows the key that seals them")
    return Vault.at(key)


def _sized(old: dict[str, int], new: dict[str, int]) -> None:
    with op.batch_alter_table("channels") as rows:
        for name, size in new.items():
            rows.alter_column(name, existing_type=sa.String(old[name]), type_=sa.String(size), existing_nullable=False)


def _rewritten(turned: Callable[[str], str]) -> None:
    connection = op.get_bind()
    for row in list(connection.execute(sa.select(CHANNELS))):
        values = {name: turned(getattr(row, name)) for name in PLAIN}
        connection.execute(sa.update(CHANNELS).where(CHANNELS.c.id == row.id).values(**values))
