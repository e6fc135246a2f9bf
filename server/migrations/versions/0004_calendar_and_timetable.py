"""Calendar, bells, days away, invitations, changes, notices, feeds; lessons that can be moved, repaid, disputed.

A lesson's state follows the lifecycle's table from here on: a trigger refuses every other move.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.database import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATES = ("planned", "published", "waiting", "live", "closed", "registered", "archived", "cancelled")
MOVES = (
    "cancelled>published",
    "closed>disputed",
    "closed>live",
    "closed>registered",
    "disputed>registered",
    "live>closed",
    "planned>cancelled",
    "planned>published",
    "published>cancelled",
    "published>closed",
    "published>live",
    "published>waiting",
    "registered>archived",
    "registered>disputed",
    "waiting>cancelled",
    "waiting>closed",
    "waiting>live",
)
TABLES = (
    "calendar_horizons",
    "resource_days",
    "bell_schedules",
    "school_spans",
    "bell_periods",
    "feeds",
    "invitations",
    "lesson_changes",
    "notices",
)
LESSON_COLUMNS = ("sequence", "changed_at", "origin", "moved_from", "repays_id", "edition", "volume", "unit", "part")


def columns() -> tuple[tuple[str, sa.Column[object]], ...]:
    """Columns that existing tables get, but for those of lessons."""
    return (
        ("calendar_days", sa.Column("stands_for", sa.Date())),
        ("calendar_days", sa.Column("source", sa.String(length=8), server_default="hand", nullable=False)),
        ("weekly_slots", sa.Column("weeks", sa.String(length=4), server_default="all", nullable=False)),
        ("weekly_slots", sa.Column("follows_bell", sa.Boolean(), server_default=sa.false(), nullable=False)),
    )


def state_is(*more: str) -> str:
    return "state IN ('" + "', '".join((*STATES, *more)) + "')"


def upgrade() -> None:
    widen_lessons()
    create_calendar_horizons()
    create_resource_days()
    create_bell_schedules()
    create_school_spans()
    create_bell_periods()
    create_feeds()
    create_invitations()
    create_lesson_changes()
    create_notices()
    for table, column in columns():
        op.add_column(table, column)
    op.create_index(op.f("ix_receipts_assistant_id"), "receipts", ["assistant_id"])
    guard()


def widen_lessons() -> None:
    with op.batch_alter_table("lessons") as lessons:
        lessons.add_column(sa.Column("sequence", sa.Integer(), server_default="0", nullable=False))
        lessons.add_column(sa.Column("changed_at", UtcDateTime()))
        lessons.add_column(sa.Column("origin", sa.String(length=64)))
        lessons.add_column(sa.Column("moved_from", UtcDateTime()))
        lessons.add_column(sa.Column("repays_id", sa.String(length=24)))
        lessons.add_column(sa.Column("edition", sa.String(length=40)))
        lessons.add_column(sa.Column("volume", sa.String(length=20)))
        lessons.add_column(sa.Column("unit", sa.String(length=60)))
        lessons.add_column(sa.Column("part", sa.String(length=60)))
        lessons.create_unique_constraint(op.f("uq_lessons_origin"), ["origin"])
        lessons.create_foreign_key(op.f("fk_lessons_repays_id_lessons"), "lessons", ["repays_id"], ["id"])
        lessons.create_index(op.f("ix_lessons_repays_id"), ["repays_id"])
        lessons.drop_constraint(op.f("ck_lessons_state"), type_="check")
        lessons.create_check_constraint(op.f("ck_lessons_state"), state_is("disputed"))


def guard() -> None:
    """After the table was made anew for the last time: SQLite's triggers go with the table they stand on."""
    allowed = ", ".join(f"'{move}'" for move in MOVES)
    refusal = "a lesson cannot go from this state to that one"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER lessons_follow_the_table BEFORE UPDATE OF state ON lessons WHEN OLD.state <> NEW.state "
            f"AND OLD.state || '>' || NEW.state NOT IN ({allowed}) BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION lessons_follow_the_table() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF OLD.state || '>' || NEW.state NOT IN ({allowed}) THEN "
        f"RAISE EXCEPTION '{refusal}' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER lessons_follow_the_table BEFORE UPDATE OF state ON lessons FOR EACH ROW "
        "WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION lessons_follow_the_table()"
    )


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute("DROP TRIGGER lessons_follow_the_table" + ("" if sqlite else " ON lessons"))
    if not sqlite:
        op.execute("DROP FUNCTION lessons_follow_the_table()")
    op.drop_index(op.f("ix_receipts_assistant_id"), "receipts")
    for table in reversed(TABLES):
        op.drop_table(table)
    for table, column in reversed(columns()):
        op.drop_column(table, column.name)
    op.execute("UPDATE lessons SET state = 'closed' WHERE state = 'disputed'")
    with op.batch_alter_table("lessons") as lessons:
        lessons.drop_index(op.f("ix_lessons_repays_id"))
        lessons.drop_constraint(op.f("fk_lessons_repays_id_lessons"), type_="foreignkey")
        lessons.drop_constraint(op.f("uq_lessons_origin"), type_="unique")
        for name in LESSON_COLUMNS:
            lessons.drop_column(name)
        lessons.drop_constraint(op.f("ck_lessons_state"), type_="check")
        lessons.create_check_constraint(op.f("ck_lessons_state"), state_is())


def create_calendar_horizons() -> None:
    op.create_table(
        "calendar_horizons",
        sa.Column("id", sa.String(length=8), nullable=False),
        sa.Column("known_until", sa.Date(), nullable=False),
        sa.Column("set_by", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_horizons")),
    )


def create_resource_days() -> None:
    op.create_table(
        "resource_days",
        sa.Column("resource", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("resource", "day", name=op.f("pk_resource_days")),
    )


def create_bell_schedules() -> None:
    op.create_table(
        "bell_schedules",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("school_id", sa.String(length=24), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=24), nullable=False),
        sa.Column("begins", sa.String(length=5), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_bell_schedules_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bell_schedules")),
        sa.UniqueConstraint("school_id", "phase", "begins", name=op.f("uq_bell_schedules_school_id_phase_begins")),
    )


def create_school_spans() -> None:
    op.create_table(
        "school_spans",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("school_id", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("created_by", sa.String(length=24), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("last_on >= first_on", name=op.f("ck_school_spans_dates")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_school_spans_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_spans")),
    )
    op.create_index("ix_school_spans_school", "school_spans", ["school_id", "first_on"], unique=False)


def create_bell_periods() -> None:
    op.create_table(
        "bell_periods",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("schedule_id", sa.String(length=24), nullable=False),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.CheckConstraint("minutes BETWEEN 10 AND 120", name=op.f("ck_bell_periods_minutes")),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["bell_schedules.id"], name=op.f("fk_bell_periods_schedule_id_bell_schedules")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bell_periods")),
        sa.UniqueConstraint("schedule_id", "period", name=op.f("uq_bell_periods_schedule_id_period")),
    )


def create_feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=24), nullable=True),
        sa.Column("room_id", sa.String(length=24), nullable=True),
        sa.Column("created_by", sa.String(length=24), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("(person_id IS NULL) <> (room_id IS NULL)", name=op.f("ck_feeds_owner")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_feeds_person_id_people")),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_feeds_room_id_rooms")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feeds")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_feeds_secret_sha256")),
    )
    op.create_index(op.f("ix_feeds_person_id"), "feeds", ["person_id"], unique=False)
    op.create_index(op.f("ix_feeds_room_id"), "feeds", ["room_id"], unique=False)


def create_invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("school_id", sa.String(length=24), nullable=False),
        sa.Column("classroom_id", sa.String(length=24), nullable=True),
        sa.Column("lesson_id", sa.String(length=24), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("asked_by", sa.String(length=24), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("answered_by", sa.String(length=24), nullable=True),
        sa.Column("objection", sa.String(length=200), nullable=False),
        sa.Column("escalated_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "answer IN ('pending', 'confirmed', 'objected', 'void')", name=op.f("ck_invitations_answer")
        ),
        sa.ForeignKeyConstraint(
            ["classroom_id"], ["classrooms.id"], name=op.f("fk_invitations_classroom_id_classrooms")
        ),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_invitations_lesson_id_lessons")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_invitations_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
    )
    op.create_index(op.f("ix_invitations_classroom_id"), "invitations", ["classroom_id"], unique=False)
    op.create_index(op.f("ix_invitations_lesson_id"), "invitations", ["lesson_id"], unique=False)
    op.create_index("ix_invitations_school", "invitations", ["school_id", "answer"], unique=False)


def create_lesson_changes() -> None:
    op.create_table(
        "lesson_changes",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("batch", sa.String(length=24), nullable=False),
        sa.Column("lesson_id", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(length=24), nullable=True),
        sa.Column("by_name", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.Column("undone_by", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_lesson_changes_lesson_id_lessons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lesson_changes")),
    )
    op.create_index("ix_lesson_changes_batch", "lesson_changes", ["batch"], unique=False)
    op.create_index("ix_lesson_changes_lesson", "lesson_changes", ["lesson_id", "at"], unique=False)


def create_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("person_id", sa.String(length=24), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("href", sa.String(length=120), nullable=False),
        sa.Column("lesson_id", sa.String(length=24), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_notices_lesson_id_lessons")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_notices_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index(op.f("ix_notices_lesson_id"), "notices", ["lesson_id"], unique=False)
    op.create_index("ix_notices_person", "notices", ["person_id", "read_at", "at"], unique=False)
