"""Who left a studio may come again: each stay is a row of its own."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0007"
branch_labels = None
depends_on = None

ONCE = "uq_studio_members_studio_id_person_id"
INDEX = "ix_studio_members_studio_id"


def upgrade() -> None:
    with op.batch_alter_table("studio_members") as rows:
        rows.drop_constraint(ONCE, type_="unique")
    op.create_index(INDEX, "studio_members", ["studio_id"])


def downgrade() -> None:
    op.drop_index(INDEX, "studio_members")
    with op.batch_alter_table("studio_members") as rows:
        rows.create_unique_constraint(ONCE, ["studio_id", "person_id"])
