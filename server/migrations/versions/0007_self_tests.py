"""What screens found out about themselves before the bell."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.database import UtcDateTime

revision = "0007"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "self_tests",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("device_id", sa.String(length=24), nullable=False),
        sa.Column("room_id", sa.String(length=24), nullable=False),
        sa.Column("school_id", sa.String(length=24), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("lesson_id", sa.String(length=24)),
        sa.Column("camera", sa.String(length=8)),
        sa.Column("microphone", sa.String(length=8)),
        sa.Column("loudspeaker", sa.String(length=8)),
        sa.Column("path", sa.String(length=12)),
        sa.Column("rtt_ms", sa.Integer()),
        sa.Column("up_kbps", sa.Integer()),
        sa.Column("down_kbps", sa.Integer()),
        sa.Column("clock_ms", sa.Integer()),
        sa.Column("disk_mb", sa.Integer()),
        sa.Column("chromium", sa.Integer()),
        sa.Column("lacks", sa.JSON(), nullable=False),
        sa.Column("light", sa.String(length=6), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('loud', 'silent')", name=op.f("ck_self_tests_kind")),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_self_tests_device_id_devices")),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_self_tests_room_id_rooms")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_self_tests_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_self_tests")),
    )
    op.create_index(op.f("ix_self_tests_device_id"), "self_tests", ["device_id"])
    op.create_index("ix_self_tests_room", "self_tests", ["room_id", "at"])
    op.create_index("ix_self_tests_school", "self_tests", ["school_id", "at"])
    op.create_index("ix_self_tests_at", "self_tests", ["at"])


def downgrade() -> None:
    op.drop_table("self_tests")
