"""A school's ordinary timetable: weekly hours of classes, teachers and rooms beside the synchronous lessons."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLE = "ordinary_slots"
INDEXES = {
    "ix_ordinary_slots_school": ["school_id", "term", "weekday", "period"],
    "ix_ordinary_slots_class": ["class_id", "term"],
    "ix_ordinary_slots_teacher": ["teacher_id", "term"],
    "ix_ordinary_slots_room": ["room_id", "term"],
}


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("school_id", sa.String(24), nullable=False),
        sa.Column("term", sa.String(12), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("weeks", sa.String(4), server_default="all", nullable=False),
        sa.Column("follows_bell", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("subject", sa.String(32), nullable=False),
        sa.Column("class_id", sa.String(24), nullable=True),
        sa.Column("teacher_id", sa.String(24), nullable=True),
        sa.Column("room_id", sa.String(24), nullable=True),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name=op.f("ck_ordinary_slots_weekday")),
        sa.CheckConstraint(
            "class_id IS NOT NULL OR teacher_id IS NOT NULL OR room_id IS NOT NULL",
            name=op.f("ck_ordinary_slots_something"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_ordinary_slots_school_id_schools")),
        sa.ForeignKeyConstraint(
            ["class_id"], ["school_classes.id"], name=op.f("fk_ordinary_slots_class_id_school_classes")
        ),
        sa.ForeignKeyConstraint(["teacher_id"], ["people.id"], name=op.f("fk_ordinary_slots_teacher_id_people")),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_ordinary_slots_room_id_rooms")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ordinary_slots")),
    )
    for name, columns in INDEXES.items():
        op.create_index(name, TABLE, columns)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, TABLE)
    op.drop_table(TABLE)
