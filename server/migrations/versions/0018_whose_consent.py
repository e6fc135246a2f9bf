"""Of a class's consent to recording: who took it, to which text, which way, until when, and when it was withdrawn."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "consent_by": sa.String(40),
    "consent_version": sa.String(40),
    "consent_channel": sa.String(8),
    "consent_until": sa.Date(),
    "consent_withdrawn_on": sa.Date(),
}


def upgrade() -> None:
    for name, type_ in COLUMNS.items():
        op.add_column("school_classes", sa.Column(name, type_, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("school_classes") as rows:
        for name in reversed(COLUMNS):
            rows.drop_column(name)
