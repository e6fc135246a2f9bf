"""The register's history, classes, gaps, groups; the audit log, which refuses UPDATE and DELETE; uploads; locks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.database import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SHUT = ("audit_entries", "audit_seals")


def columns() -> tuple[tuple[str, sa.Column[object]], ...]:
    """Columns that existing tables get, in order."""
    return (
        ("schools", sa.Column("opened_on", sa.Date())),
        ("schools", sa.Column("merged_into", sa.String(length=24))),
        ("rooms", sa.Column("code", sa.String(length=24), nullable=False, server_default="")),
        ("rooms", sa.Column("equipment", sa.JSON(), nullable=False, server_default="[]")),
        ("rooms", sa.Column("closed_on", sa.Date())),
        ("pairings", sa.Column("agreement_name", sa.String(length=120))),
        ("pairings", sa.Column("agreement_sha256", sa.String(length=64))),
        ("people", sa.Column("password_given", sa.Boolean(), nullable=False, server_default=sa.false())),
        ("people", sa.Column("failures", sa.Integer(), nullable=False, server_default="0")),
        ("people", sa.Column("locked_at", UtcDateTime())),
        ("people", sa.Column("outside_issuer", sa.String(length=200))),
        ("people", sa.Column("outside_subject", sa.String(length=120))),
    )


def upgrade() -> None:
    create_audit_entries()
    create_audit_seals()
    create_audit_waiting()
    create_pasts()
    create_school_classes()
    create_gaps()
    create_school_groups()
    create_school_group_members()
    create_uploads()
    for table, column in columns():
        op.add_column(table, column)
    # Rooms that were there before get a code from their id, which is as random as a new one.
    op.execute("UPDATE rooms SET code = 'R' || upper(substr(id, 1, 15))")
    op.create_index("uq_rooms_code", "rooms", ["code"], unique=True)
    op.create_index("uq_people_outside", "people", ["outside_issuer", "outside_subject"], unique=True)
    op.create_index("ix_posts_school", "posts", ["school_id", "post"])
    op.create_index("ix_posts_district", "posts", ["district_id", "post"])
    shut()


def shut() -> None:
    """An entry of the log is written once. Whoever owns the database can drop a trigger; the chain then tells."""
    if op.get_bind().dialect.name == "sqlite":
        for table in SHUT:
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_refuse_{verb.lower()} BEFORE {verb} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
    )
    for table in SHUT:
        op.execute(
            f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION audit_refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_refuse_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()"
        )


def downgrade() -> None:
    op.drop_index("ix_posts_district", table_name="posts")
    op.drop_index("ix_posts_school", table_name="posts")
    op.drop_index("uq_people_outside", table_name="people")
    op.drop_index("uq_rooms_code", table_name="rooms")
    for table, column in reversed(columns()):
        op.drop_column(table, column.name)
    for table in (
        "uploads",
        "school_group_members",
        "school_groups",
        "gaps",
        "school_classes",
        "pasts",
        "audit_waiting",
        "audit_seals",
        "audit_entries",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_refuse_change()")


def create_audit_entries() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("person_id", sa.String(length=24), nullable=True),
        sa.Column("device_id", sa.String(length=24), nullable=True),
        sa.Column("address", sa.String(length=45), nullable=True),
        sa.Column("act", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("row_id", sa.String(length=80), nullable=True),
        sa.Column("school_id", sa.String(length=24), nullable=True),
        sa.Column("district_id", sa.String(length=6), nullable=True),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index("ix_audit_entries_at", "audit_entries", ["at"], unique=False)
    op.create_index("ix_audit_entries_district", "audit_entries", ["district_id", "at"], unique=False)
    op.create_index("ix_audit_entries_person", "audit_entries", ["person_id", "at"], unique=False)
    op.create_index("ix_audit_entries_row", "audit_entries", ["kind", "row_id"], unique=False)
    op.create_index("ix_audit_entries_school", "audit_entries", ["school_id", "at"], unique=False)


def create_audit_seals() -> None:
    op.create_table(
        "audit_seals",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.String(length=24), nullable=False),
        sa.Column("entry_sha256", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_seals")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_seals_entry_id")),
    )


def create_audit_waiting() -> None:
    op.create_table(
        "audit_waiting",
        sa.Column("entry_id", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_waiting")),
    )


def create_pasts() -> None:
    op.create_table(
        "pasts",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("row_id", sa.String(length=24), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("school_id", sa.String(length=24), nullable=True),
        sa.Column("district_id", sa.String(length=6), nullable=True),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("was", sa.JSON(), nullable=False),
        sa.Column("changed_by", sa.String(length=24), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pasts")),
        sa.UniqueConstraint("kind", "row_id", "until", name=op.f("uq_pasts_kind_row_id_until")),
    )


def create_school_classes() -> None:
    op.create_table(
        "school_classes",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("school_id", sa.String(length=24), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("entry_year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=24), nullable=True),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.Column("head_id", sa.String(length=24), nullable=True),
        sa.Column("consent_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.CheckConstraint("phase IN ('primary', 'junior')", name=op.f("ck_school_classes_phase")),
        sa.CheckConstraint("pupils BETWEEN 0 AND 120", name=op.f("ck_school_classes_pupils")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_school_classes_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_classes")),
        sa.UniqueConstraint(
            "school_id",
            "phase",
            "entry_year",
            "number",
            name=op.f("uq_school_classes_school_id_phase_entry_year_number"),
        ),
    )


def create_gaps() -> None:
    op.create_table(
        "gaps",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("school_id", sa.String(length=24), nullable=False),
        sa.Column("term", sa.String(length=12), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("weekly", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("declared_on", sa.Date(), nullable=False),
        sa.Column("declared_by", sa.String(length=24), nullable=True),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.CheckConstraint("grade BETWEEN 1 AND 9", name=op.f("ck_gaps_grade")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_gaps_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gaps")),
        sa.UniqueConstraint("school_id", "term", "grade", "subject", name=op.f("uq_gaps_school_id_term_grade_subject")),
    )


def create_school_groups() -> None:
    op.create_table(
        "school_groups",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("district_id", sa.String(length=6), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("about", sa.String(length=400), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('education_group', 'area', 'community', 'direct')", name=op.f("ck_school_groups_kind")
        ),
        sa.CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name=op.f("ck_school_groups_dates")),
        sa.ForeignKeyConstraint(["district_id"], ["districts.id"], name=op.f("fk_school_groups_district_id_districts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_groups")),
        sa.UniqueConstraint("name", name=op.f("uq_school_groups_name")),
    )
    op.create_index(op.f("ix_school_groups_district_id"), "school_groups", ["district_id"], unique=False)


def create_school_group_members() -> None:
    op.create_table(
        "school_group_members",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("group_id", sa.String(length=24), nullable=False),
        sa.Column("school_id", sa.String(length=24), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.CheckConstraint("role IN ('lead', 'member')", name=op.f("ck_school_group_members_role")),
        sa.CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name=op.f("ck_school_group_members_dates")),
        sa.ForeignKeyConstraint(
            ["group_id"], ["school_groups.id"], name=op.f("fk_school_group_members_group_id_school_groups")
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_school_group_members_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_group_members")),
    )
    op.create_index(op.f("ix_school_group_members_group_id"), "school_group_members", ["group_id"], unique=False)
    op.create_index("ix_school_group_members_school", "school_group_members", ["school_id", "starts_on"], unique=False)


def create_uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=24), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("at_row", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("same", sa.Integer(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'checking', 'wrong', 'ready', 'accepted', 'writing', 'done', 'dropped', 'failed')",
            name=op.f("ck_uploads_state"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_uploads_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index("ix_uploads_person", "uploads", ["person_id", "created_at"], unique=False)
    op.create_index("ix_uploads_state", "uploads", ["state"], unique=False)
