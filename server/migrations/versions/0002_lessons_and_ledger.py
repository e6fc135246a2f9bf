"""Classrooms, lessons, recordings, roll-ups, and the ledger, which refuses UPDATE and DELETE by triggers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.database import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQLITE_REFUSALS = [
    f"CREATE TRIGGER facts_refuse_{verb.lower()} BEFORE {verb} ON facts "
    "BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END"
    for verb in ("UPDATE", "DELETE")
]
POSTGRESQL_REFUSALS = [
    """CREATE FUNCTION facts_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'facts are append-only'; END $$""",
    "CREATE TRIGGER facts_refuse_change BEFORE UPDATE OR DELETE ON facts "
    "FOR EACH ROW EXECUTE FUNCTION facts_refuse_change()",
    "CREATE TRIGGER facts_refuse_truncate BEFORE TRUNCATE ON facts "
    "FOR EACH STATEMENT EXECUTE FUNCTION facts_refuse_change()",
]


def upgrade() -> None:
    create_facts()
    create_fill_states()
    create_ledger_marks()
    create_nodes()
    create_roll_ups()
    create_classrooms()
    create_lessons()
    create_receivers()
    create_weekly_slots()
    create_attendance()
    create_decks()
    create_placements()
    create_receipts()
    create_recordings()
    for statement in POSTGRESQL_REFUSALS if op.get_bind().dialect.name == "postgresql" else SQLITE_REFUSALS:
        op.execute(statement)


def downgrade() -> None:
    for table in (
        "recordings",
        "receipts",
        "placements",
        "decks",
        "attendance",
        "weekly_slots",
        "receivers",
        "lessons",
        "classrooms",
        "roll_ups",
        "nodes",
        "ledger_marks",
        "fill_states",
        "facts",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION facts_refuse_change()")


def create_facts() -> None:
    op.create_table(
        "facts",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("lesson_id", sa.String(length=24), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.String(length=24), nullable=True),
        sa.Column("person_id", sa.String(length=24), nullable=True),
        sa.Column("room_ms", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("v", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facts")),
    )
    op.create_index("ix_facts_lesson", "facts", ["lesson_id", "kind"])
    op.create_index("ix_facts_received", "facts", ["received_at"])


def create_fill_states() -> None:
    op.create_table(
        "fill_states",
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("facts_until", UtcDateTime(), nullable=True),
        sa.Column("computed_at", UtcDateTime(), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("fact_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("period", name=op.f("pk_fill_states")),
    )


def create_ledger_marks() -> None:
    op.create_table(
        "ledger_marks",
        sa.Column("lesson_id", sa.String(length=24), nullable=False),
        sa.Column("marked_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", name=op.f("pk_ledger_marks")),
    )


def create_nodes() -> None:
    op.create_table(
        "nodes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("public_url", sa.String(length=200), nullable=False),
        sa.Column("control_url", sa.String(length=200), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("load", sa.Double(), nullable=False),
        sa.Column("rooms", sa.Integer(), nullable=False),
        sa.Column("engine", sa.String(length=16), nullable=False),
        sa.Column("spool_bytes", sa.BigInteger(), nullable=False),
        sa.Column("disk_free_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nodes")),
    )


def create_roll_ups() -> None:
    op.create_table(
        "roll_ups",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=4), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("part", sa.String(length=24), nullable=False),
        sa.Column("numerator", sa.Double(), nullable=False),
        sa.Column("denominator", sa.Double(), nullable=False),
        sa.Column("computed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roll_ups")),
        sa.UniqueConstraint("code", "period", "level", "part", name=op.f("uq_roll_ups_code_period_level_part")),
    )
    op.create_index("ix_roll_ups_part", "roll_ups", ["level", "part", "period"])


def create_classrooms() -> None:
    op.create_table(
        "classrooms",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("lead_room_id", sa.String(length=24), nullable=False),
        sa.Column("lead_teacher_id", sa.String(length=24), nullable=False),
        sa.Column("term", sa.String(length=12), nullable=False),
        sa.Column("accepted_on", sa.Date(), nullable=True),
        sa.Column("archived_at", UtcDateTime(), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("grade BETWEEN 1 AND 9", name=op.f("ck_classrooms_grade")),
        sa.ForeignKeyConstraint(["lead_room_id"], ["rooms.id"], name=op.f("fk_classrooms_lead_room_id_rooms")),
        sa.ForeignKeyConstraint(["lead_teacher_id"], ["people.id"], name=op.f("fk_classrooms_lead_teacher_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_classrooms")),
    )


def create_lessons() -> None:
    op.create_table(
        "lessons",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("classroom_id", sa.String(length=24), nullable=True),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("form", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("lead_room_id", sa.String(length=24), nullable=False),
        sa.Column("teacher_id", sa.String(length=24), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("cancelled_at", UtcDateTime(), nullable=True),
        sa.Column("cancel_reason", sa.String(length=24), nullable=True),
        sa.Column("cancelled_by", sa.String(length=24), nullable=True),
        sa.Column("created_by", sa.String(length=24), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('formal', 'trial', 'drill')", name=op.f("ck_lessons_kind")),
        sa.CheckConstraint(
            "state IN ('planned', 'published', 'waiting', 'live', 'closed', 'registered', 'archived', 'cancelled')",
            name=op.f("ck_lessons_state"),
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_lessons_times")),
        sa.ForeignKeyConstraint(["classroom_id"], ["classrooms.id"], name=op.f("fk_lessons_classroom_id_classrooms")),
        sa.ForeignKeyConstraint(["lead_room_id"], ["rooms.id"], name=op.f("fk_lessons_lead_room_id_rooms")),
        sa.ForeignKeyConstraint(["teacher_id"], ["people.id"], name=op.f("fk_lessons_teacher_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lessons")),
    )
    op.create_index("ix_lessons_classroom_id", "lessons", ["classroom_id"])
    op.create_index("ix_lessons_lead_room_id", "lessons", ["lead_room_id"])
    op.create_index("ix_lessons_starts", "lessons", ["starts_at"])
    op.create_index("ix_lessons_teacher_id", "lessons", ["teacher_id"])


def create_receivers() -> None:
    op.create_table(
        "receivers",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("classroom_id", sa.String(length=24), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.String(length=24), nullable=False),
        sa.Column("assistant_id", sa.String(length=24), nullable=True),
        sa.CheckConstraint("position BETWEEN 1 AND 8", name=op.f("ck_receivers_position")),
        sa.ForeignKeyConstraint(["assistant_id"], ["people.id"], name=op.f("fk_receivers_assistant_id_people")),
        sa.ForeignKeyConstraint(["classroom_id"], ["classrooms.id"], name=op.f("fk_receivers_classroom_id_classrooms")),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_receivers_room_id_rooms")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receivers")),
        sa.UniqueConstraint("classroom_id", "room_id", name=op.f("uq_receivers_classroom_id_room_id")),
    )
    op.create_index("ix_receivers_room_id", "receivers", ["room_id"])


def create_weekly_slots() -> None:
    op.create_table(
        "weekly_slots",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("classroom_id", sa.String(length=24), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name=op.f("ck_weekly_slots_weekday")),
        sa.ForeignKeyConstraint(
            ["classroom_id"], ["classrooms.id"], name=op.f("fk_weekly_slots_classroom_id_classrooms")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weekly_slots")),
        sa.UniqueConstraint(
            "classroom_id", "weekday", "starts", name=op.f("uq_weekly_slots_classroom_id_weekday_starts")
        ),
    )


def create_attendance() -> None:
    op.create_table(
        "attendance",
        sa.Column("id", sa.String(length=56), nullable=False),
        sa.Column("lesson_id", sa.String(length=24), nullable=False),
        sa.Column("room_id", sa.String(length=24), nullable=False),
        sa.Column("planned_ms", sa.Integer(), nullable=False),
        sa.Column("delivered_ms", sa.Integer(), nullable=False),
        sa.Column("online_ms", sa.Integer(), nullable=False),
        sa.Column("heard_ms", sa.Integer(), nullable=False),
        sa.Column("heard", sa.JSON(), nullable=False),
        sa.Column("online", sa.JSON(), nullable=False),
        sa.Column("signed_in_at", UtcDateTime(), nullable=True),
        sa.Column("expected", sa.Integer(), nullable=True),
        sa.Column("present", sa.Integer(), nullable=True),
        sa.Column("hands", sa.Integer(), nullable=False),
        sa.Column("effective", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=True),
        sa.Column("fact_count", sa.Integer(), nullable=False),
        sa.Column("computed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_attendance_lesson_id_lessons")),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_attendance_room_id_rooms")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance")),
        sa.UniqueConstraint("lesson_id", "room_id", name=op.f("uq_attendance_lesson_id_room_id")),
    )
    op.create_index("ix_attendance_lesson_id", "attendance", ["lesson_id"])
    op.create_index("ix_attendance_room_id", "attendance", ["room_id"])


def create_decks() -> None:
    op.create_table(
        "decks",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("lesson_id", sa.String(length=24), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.Column("uploaded_by", sa.String(length=24), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_decks_lesson_id_lessons")),
        sa.ForeignKeyConstraint(["uploaded_by"], ["people.id"], name=op.f("fk_decks_uploaded_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decks")),
    )
    op.create_index("ix_decks_lesson_id", "decks", ["lesson_id"])


def create_placements() -> None:
    op.create_table(
        "placements",
        sa.Column("lesson_id", sa.String(length=24), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("node_id", sa.String(length=32), nullable=False),
        sa.Column("placed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_placements_lesson_id_lessons")),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name=op.f("fk_placements_node_id_nodes")),
        sa.PrimaryKeyConstraint("lesson_id", name=op.f("pk_placements")),
    )


def create_receipts() -> None:
    op.create_table(
        "receipts",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("lesson_id", sa.String(length=24), nullable=False),
        sa.Column("room_id", sa.String(length=24), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("assistant_id", sa.String(length=24), nullable=True),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["assistant_id"], ["people.id"], name=op.f("fk_receipts_assistant_id_people")),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_receipts_lesson_id_lessons")),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_receipts_room_id_rooms")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("lesson_id", "room_id", name=op.f("uq_receipts_lesson_id_room_id")),
    )
    op.create_index("ix_receipts_room_id", "receipts", ["room_id"])


def create_recordings() -> None:
    op.create_table(
        "recordings",
        sa.Column("lesson_id", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("last_epoch", sa.Integer(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("gaps", sa.Integer(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_recordings_lesson_id_lessons")),
        sa.PrimaryKeyConstraint("lesson_id", name=op.f("pk_recordings")),
    )
