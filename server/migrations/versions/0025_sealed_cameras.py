"""Passwords of cameras are sealed like those of channels; what is shown of an address names the device, no password."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from alembic import context, op

from server.encoders.addresses import Camera, put_together, shown, taken_apart
from server.outbox.vault import Vault

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

SOURCES = sa.table("room_sources", *(sa.column(name) for name in ("room_id", "address", "secret")))
Columns = tuple[str, str]
"""(address, secret)"""


def upgrade() -> None:
    vault = _vault()
    with op.batch_alter_table("room_sources") as rows:
        rows.alter_column("address", existing_type=sa.String(400), type_=sa.String(500), existing_nullable=False)
        rows.alter_column("secret", existing_type=sa.String(200), type_=sa.Text(), existing_nullable=False)
    _rewritten(lambda address, secret: _sealed(vault, address, secret))


def downgrade() -> None:
    vault = _vault()
    _rewritten(lambda address, secret: taken_apart(vault.open(secret)) if vault and secret else (address, secret))
    with op.batch_alter_table("room_sources") as rows:
        rows.alter_column("address", existing_type=sa.String(500), type_=sa.String(400), existing_nullable=False)
        rows.alter_column("secret", existing_type=sa.Text(), type_=sa.String(200), existing_nullable=False)


def _vault() -> Vault | None:
    """Asked for before anything is changed: SQLite takes no table back. None: there is nothing to seal."""
    if op.get_bind().execute(sa.select(SOURCES).limit(1)).first() is None:
        return None
    key = context.config.attributes["seat_key"]
    if key is None:
        raise RuntimeError("cameras have passwords: `tongtang migrate` knows the key that seals them")
    return Vault.at(key)


def _sealed(vault: Vault | None, address: str, secret: str) -> Columns:
    said = shown(address)
    whole = put_together(Camera(address, secret)) if secret or said != address else ""
    return said, vault.seal(whole) if vault else ""


def _rewritten(turned: Callable[[str, str], Columns]) -> None:
    connection = op.get_bind()
    for row in list(connection.execute(sa.select(SOURCES))):
        address, secret = turned(row.address, row.secret)
        values = {"address": address, "secret": secret}
        connection.execute(sa.update(SOURCES).where(SOURCES.c.room_id == row.room_id).values(**values))
