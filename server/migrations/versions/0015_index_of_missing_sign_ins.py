"""Sign-ins that are missing are asked for by every desk: found by why a receipt is not effective, the latest only."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INDEX = "ix_attendance_reason"


def upgrade() -> None:
    op.create_index(INDEX, "attendance", ["reason", "computed_at"])


def downgrade() -> None:
    op.drop_index(INDEX, "attendance")
