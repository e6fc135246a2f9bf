"""A notice knows every bell before which it must be read: of each lesson it tells of, the old and the new one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.database import UtcDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TOLD_ALREADY = """
INSERT INTO notice_bells (notice_id, lesson_id, at)
SELECT notices.id, lessons.id, lessons.starts_at FROM notices JOIN lessons ON lessons.id = notices.lesson_id
WHERE notices.read_at IS NULL AND (lessons.teacher_id = notices.person_id OR EXISTS (
    SELECT 1 FROM receipts WHERE receipts.lesson_id = lessons.id AND receipts.assistant_id = notices.person_id))
"""


def upgrade() -> None:
    op.create_table(
        "notice_bells",
        sa.Column("notice_id", sa.String(24), nullable=False),
        sa.Column("lesson_id", sa.String(24), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notices.id"], name=op.f("fk_notice_bells_notice_id_notices"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_notice_bells_lesson_id_lessons")),
        sa.PrimaryKeyConstraint("notice_id", "lesson_id", "at", name=op.f("pk_notice_bells")),
    )
    op.create_index("ix_notice_bells_at", "notice_bells", ["at"])
    op.create_index(op.f("ix_notice_bells_lesson_id"), "notice_bells", ["lesson_id"])
    op.execute(TOLD_ALREADY)


def downgrade() -> None:
    op.drop_table("notice_bells")
