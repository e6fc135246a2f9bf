"""Lists of a municipality at its real size, again found by the bench ``register``: all that a search for people reads
stands in the index of their names, and schools stand in the order in which lists show them.
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_people_name": ("people", ["name", "id"], ["login", "disabled_at"]),
    "ix_schools_supervised_by": ("schools", ["supervised_by"], ["code"]),
}


def upgrade() -> None:
    for name, (table, columns, more) in INDEXES.items():
        op.drop_index(name, table)
        op.create_index(name, table, [*columns, *more])


def downgrade() -> None:
    for name, (table, columns, _) in INDEXES.items():
        op.drop_index(name, table)
        op.create_index(name, table, columns)
