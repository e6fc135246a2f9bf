"""Which class sits in a receiving room, codes that open one lesson, robot classrooms, what studios plan."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.database import UtcDateTime

revision = "0010"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lessons", sa.Column("robots", sa.Integer(), server_default="0", nullable=False))
    for table in ("receivers", "receipts"):
        with op.batch_alter_table(table) as rows:
            rows.add_column(sa.Column("class_id", sa.String(length=24)))
            rows.create_foreign_key(op.f(f"fk_{table}_class_id_school_classes"), "school_classes", ["class_id"], ["id"])
    op.create_index(op.f("ix_receipts_class_id"), "receipts", ["class_id"])
    create_lesson_codes()
    create_activities()


def create_lesson_codes() -> None:
    op.create_table(
        "lesson_codes",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("lesson_id", sa.String(length=24), nullable=False),
        sa.Column("person_id", sa.String(length=24), nullable=False),
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("issued_by", sa.String(length=24)),
        sa.Column("opened_at", UtcDateTime()),
        sa.Column("revoked_at", UtcDateTime()),
        sa.Column("revoked_by", sa.String(length=24)),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_lesson_codes_lesson_id_lessons")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_lesson_codes_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lesson_codes")),
        sa.UniqueConstraint("code_sha256", name=op.f("uq_lesson_codes_code_sha256")),
    )
    op.create_index(op.f("ix_lesson_codes_lesson_id"), "lesson_codes", ["lesson_id"])


def create_activities() -> None:
    op.create_table(
        "activities",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("studio_id", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=24)),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("changed_at", UtcDateTime()),
        sa.Column("cancel_note", sa.String(length=200), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_activities_times")),
        sa.CheckConstraint(
            "kind IN ('training', 'research', 'showcase', 'lecture', 'other')", name=op.f("ck_activities_kind")
        ),
        sa.CheckConstraint("state IN ('planned', 'cancelled')", name=op.f("ck_activities_state")),
        sa.ForeignKeyConstraint(["studio_id"], ["studios.id"], name=op.f("fk_activities_studio_id_studios")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activities")),
    )
    op.create_index(op.f("ix_activities_starts"), "activities", ["starts_at"])
    op.create_index(op.f("ix_activities_studio_id"), "activities", ["studio_id"])
    create_members("activity_places", "room_id", "rooms", sa.Column("position", sa.Integer(), nullable=False))
    create_members("activity_people", "person_id", "people")


def create_members(table: str, column: str, target: str, *more: sa.Column[int]) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("activity_id", sa.String(length=24), nullable=False),
        sa.Column(column, sa.String(length=24), nullable=False),
        *more,
        sa.ForeignKeyConstraint(["activity_id"], ["activities.id"], name=op.f(f"fk_{table}_activity_id_activities")),
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("activity_id", column, name=op.f(f"uq_{table}_activity_id_{column}")),
    )
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    for table in ("activity_people", "activity_places", "activities", "lesson_codes"):
        op.drop_table(table)
    op.drop_index(op.f("ix_receipts_class_id"), "receipts")
    for table in ("receipts", "receivers"):
        with op.batch_alter_table(table) as rows:
            rows.drop_constraint(op.f(f"fk_{table}_class_id_school_classes"), type_="foreignkey")
            rows.drop_column("class_id")
    op.drop_column("lessons", "robots")
