"""A gap declared anew is another row, so that the withdrawal stays on record; terms know when they were entered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.database import UtcDateTime

revision = "0023"
down_revision = "0020"
branch_labels = None
depends_on = None

NEED = ["school_id", "term", "grade", "subject"]
ONCE = "uq_gaps_school_id_term_grade_subject"
OPEN = sa.text("withdrawn_on IS NULL")
LATEST = """
SELECT kept.id FROM gaps AS kept WHERE kept.school_id = gaps.school_id AND kept.term = gaps.term
AND kept.grade = gaps.grade AND kept.subject = gaps.subject
ORDER BY kept.withdrawn_on IS NOT NULL, kept.declared_on DESC, kept.withdrawn_on DESC, kept.id LIMIT 1
"""


def upgrade() -> None:
    op.add_column("terms", sa.Column("created_at", UtcDateTime(), nullable=True))
    with op.batch_alter_table("gaps") as rows:
        rows.drop_constraint(ONCE, type_="unique")
    op.create_index("uq_gaps_open", "gaps", NEED, unique=True, sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("ix_gaps_school", "gaps", ["school_id", "term"])


def downgrade() -> None:
    """Of every need its last declaration stays, as the older version would have kept it."""
    op.drop_index("ix_gaps_school", "gaps")
    op.drop_index("uq_gaps_open", "gaps")
    op.execute(
        f"UPDATE demands SET gap_id = (SELECT ({LATEST}) FROM gaps WHERE gaps.id = demands.gap_id)"
        " WHERE gap_id IS NOT NULL"
    )
    op.execute(f"DELETE FROM gaps WHERE id <> ({LATEST})")
    with op.batch_alter_table("gaps") as rows:
        rows.create_unique_constraint(ONCE, NEED)
    op.drop_column("terms", "created_at")
