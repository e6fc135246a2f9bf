"""An activity knows the 停课令 that called it off: lifted, the order brings it back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

INDEX = "ix_activities_cancel_batch"


def upgrade() -> None:
    op.add_column("activities", sa.Column("cancel_batch", sa.String(24), nullable=True))
    op.create_index(INDEX, "activities", ["cancel_batch"])


def downgrade() -> None:
    op.drop_index(INDEX, "activities")
    with op.batch_alter_table("activities") as rows:
        rows.drop_column("cancel_batch")
