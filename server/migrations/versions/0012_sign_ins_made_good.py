"""补签: missing sign-ins that a school makes good."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.database import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLE = "sign_in_mends"
REFERS = {"lesson_id": "lessons", "room_id": "rooms", "person_id": "people", "asked_by": "people"}


def upgrade() -> None:
    op.add_column("attendance", sa.Column("made_good_at", UtcDateTime()))
    op.create_table(
        TABLE,
        sa.Column("id", sa.String(length=24), nullable=False),
        *(sa.Column(name, sa.String(length=24), nullable=False) for name in REFERS),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=False),
        sa.Column("answered_at", UtcDateTime()),
        sa.Column("answered_by", sa.String(length=24)),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.CheckConstraint("answer IN ('pending', 'approved', 'refused')", name=op.f(f"ck_{TABLE}_answer")),
        *(
            sa.ForeignKeyConstraint([name], [f"{table}.id"], name=op.f(f"fk_{TABLE}_{name}_{table}"))
            for name, table in {**REFERS, "answered_by": "people"}.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
    )
    op.create_index(op.f(f"ix_{TABLE}_lesson_id"), TABLE, ["lesson_id"])


def downgrade() -> None:
    op.drop_table(TABLE)
    with op.batch_alter_table("attendance") as rows:
        rows.drop_column("made_good_at")
