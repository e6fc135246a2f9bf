"""课堂类型 is a classroom's own: what its timetable makes later carries it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("classrooms") as rows:
        rows.add_column(sa.Column("form", sa.String(10), nullable=False, server_default="delivery"))


def downgrade() -> None:
    with op.batch_alter_table("classrooms") as rows:
        rows.drop_column("form")
