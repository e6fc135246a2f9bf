"""A receipt carries its lesson's start, kept the same by the database: the week of a room, a school, a district, of who
assists, and whatever a new lesson would clash with, are found by index instead of among the lessons of all terms.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.database import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

OF_LESSON, OF_START = "fk_receipts_lesson_id_lessons", "fk_receipts_lesson_start"
INDEXES = {  # table -> old and new name, column
    "lessons": [
        ("ix_lessons_lead_room_id", "ix_lessons_lead_room", "lead_room_id"),
        ("ix_lessons_teacher_id", "ix_lessons_teacher", "teacher_id"),
    ],
    "receipts": [
        ("ix_receipts_room_id", "ix_receipts_room", "room_id"),
        ("ix_receipts_assistant_id", "ix_receipts_assistant", "assistant_id"),
        ("ix_receipts_class_id", "ix_receipts_class", "class_id"),
    ],
}


def upgrade() -> None:
    op.create_index("uq_lessons_start", "lessons", ["id", "starts_at"], unique=True)
    op.add_column("receipts", sa.Column("starts_at", UtcDateTime()))
    op.execute("UPDATE receipts SET starts_at = (SELECT starts_at FROM lessons WHERE lessons.id = receipts.lesson_id)")
    with op.batch_alter_table("receipts") as rows:
        rows.alter_column("starts_at", existing_type=UtcDateTime(), nullable=False)
        rows.drop_constraint(OF_LESSON, type_="foreignkey")
        both = ["lesson_id", "starts_at"], ["id", "starts_at"]
        rows.create_foreign_key(OF_START, "lessons", *both, onupdate="CASCADE")
    for table, names in INDEXES.items():
        for old, new, column in names:
            op.drop_index(old, table)
            op.create_index(new, table, [column, "starts_at"])


def downgrade() -> None:
    for table, names in INDEXES.items():
        for old, new, column in names:
            op.drop_index(new, table)
            op.create_index(old, table, [column])
    with op.batch_alter_table("receipts") as rows:
        rows.drop_constraint(OF_START, type_="foreignkey")
        rows.create_foreign_key(OF_LESSON, "lessons", ["lesson_id"], ["id"])
        rows.drop_column("starts_at")
    op.drop_index("uq_lessons_start", "lessons")
