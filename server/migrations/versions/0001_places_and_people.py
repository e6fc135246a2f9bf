"""Districts, schools, rooms, devices, people, studios, terms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.database import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_calendar_days()
    create_districts()
    create_terms()
    create_schools()
    create_enrolments()
    create_pairings()
    create_people()
    create_rooms()
    create_settlement_codes()
    create_devices()
    create_posts()
    create_studios()
    create_sign_ins()
    create_studio_members()
    if (
        op.get_bind().dialect.name == "postgresql"
    ):  # studios and posts point at each other; SQLite has it in its CREATE TABLE
        op.create_foreign_key("fk_posts_studio_id_studios", "posts", "studios", ["studio_id"], ["id"])


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("fk_posts_studio_id_studios", "posts")
    for table in (
        "studio_members",
        "sign_ins",
        "studios",
        "posts",
        "devices",
        "settlement_codes",
        "rooms",
        "people",
        "pairings",
        "enrolments",
        "schools",
        "terms",
        "districts",
        "calendar_days",
    ):
        op.drop_table(table)


def create_calendar_days() -> None:
    op.create_table(
        "calendar_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("runs_weekday", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_days")),
    )


def create_districts() -> None:
    op.create_table(
        "districts",
        sa.Column("id", sa.String(length=6), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("name_en", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_districts")),
    )


def create_terms() -> None:
    op.create_table(
        "terms",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms")),
    )


def create_schools() -> None:
    op.create_table(
        "schools",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("code", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("short_name", sa.String(length=24), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("located_in", sa.String(length=6), nullable=False),
        sa.Column("supervised_by", sa.String(length=6), nullable=True),
        sa.Column("key_school", sa.Boolean(), nullable=False),
        sa.Column("weak", sa.Boolean(), nullable=False),
        sa.Column("phone", sa.String(length=32), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("phase IN ('primary', 'junior', 'nine_year')", name=op.f("ck_schools_phase")),
        sa.CheckConstraint("length(code) = 10", name=op.f("ck_schools_code_length")),
        sa.ForeignKeyConstraint(["located_in"], ["districts.id"], name=op.f("fk_schools_located_in_districts")),
        sa.ForeignKeyConstraint(["supervised_by"], ["districts.id"], name=op.f("fk_schools_supervised_by_districts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schools")),
        sa.UniqueConstraint("code", name=op.f("uq_schools_code")),
    )
    op.create_index("ix_schools_located_in", "schools", ["located_in"])
    op.create_index("ix_schools_supervised_by", "schools", ["supervised_by"])


def create_enrolments() -> None:
    op.create_table(
        "enrolments",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("school_id", sa.String(length=24), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.Column("teachers", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_enrolments_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolments")),
        sa.UniqueConstraint(
            "school_id", "school_year", "phase", name=op.f("uq_enrolments_school_id_school_year_phase")
        ),
    )


def create_pairings() -> None:
    op.create_table(
        "pairings",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("lead_school_id", sa.String(length=24), nullable=False),
        sa.Column("village_school_id", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["lead_school_id"], ["schools.id"], name=op.f("fk_pairings_lead_school_id_schools")),
        sa.ForeignKeyConstraint(
            ["village_school_id"], ["schools.id"], name=op.f("fk_pairings_village_school_id_schools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pairings")),
    )
    op.create_index("ix_pairings_lead_school_id", "pairings", ["lead_school_id"])
    op.create_index("ix_pairings_village", "pairings", ["village_school_id", "starts_on"])


def create_people() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("school_id", sa.String(length=24), nullable=True),
        sa.Column("phone", sa.String(length=32), nullable=True),
        sa.Column("subject", sa.String(length=32), nullable=True),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_people_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("login", name=op.f("uq_people_login")),
    )
    op.create_index("ix_people_school_id", "people", ["school_id"])


def create_rooms() -> None:
    op.create_table(
        "rooms",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("school_id", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_rooms_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rooms")),
        sa.UniqueConstraint("school_id", "name", name=op.f("uq_rooms_school_id_name")),
    )
    op.create_index("ix_rooms_school_id", "rooms", ["school_id"])


def create_settlement_codes() -> None:
    op.create_table(
        "settlement_codes",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("school_id", sa.String(length=24), nullable=False),
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_settlement_codes_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_codes")),
        sa.UniqueConstraint("school_id", "starts_on", name=op.f("uq_settlement_codes_school_id_starts_on")),
    )


def create_devices() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("code_sha256", sa.String(length=64), nullable=True),
        sa.Column("code_expires_at", UtcDateTime(), nullable=True),
        sa.Column("room_id", sa.String(length=24), nullable=True),
        sa.Column("bound_at", UtcDateTime(), nullable=True),
        sa.Column("bound_by", sa.String(length=24), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("seen_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_devices_room_id_rooms")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
        sa.UniqueConstraint("code_sha256", name=op.f("uq_devices_code_sha256")),
    )
    op.create_index("ix_devices_room_id", "devices", ["room_id"])


def create_posts() -> None:
    op.create_table(
        "posts",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("person_id", sa.String(length=24), nullable=False),
        sa.Column("post", sa.String(length=24), nullable=False),
        sa.Column("district_id", sa.String(length=6), nullable=True),
        sa.Column("school_id", sa.String(length=24), nullable=True),
        sa.Column("studio_id", sa.String(length=24), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_posts_dates")),
        sa.ForeignKeyConstraint(["district_id"], ["districts.id"], name=op.f("fk_posts_district_id_districts")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_posts_person_id_people")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_posts_school_id_schools")),
        sa.ForeignKeyConstraint(["studio_id"], ["studios.id"], name=op.f("fk_posts_studio_id_studios"), use_alter=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
    )
    op.create_index("ix_posts_person_post", "posts", ["person_id", "post"])


def create_studios() -> None:
    op.create_table(
        "studios",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("school_id", sa.String(length=24), nullable=False),
        sa.Column("host_id", sa.String(length=24), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("accepted_on", sa.Date(), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["people.id"], name=op.f("fk_studios_host_id_people")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_studios_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studios")),
        sa.UniqueConstraint("name", name=op.f("uq_studios_name")),
    )
    op.create_index("ix_studios_school_id", "studios", ["school_id"])


def create_sign_ins() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("person_id", sa.String(length=24), nullable=True),
        sa.Column("device_id", sa.String(length=24), nullable=True),
        sa.Column("lesson_id", sa.String(length=24), nullable=True),
        sa.Column("room_id", sa.String(length=24), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_sign_ins_device_id_devices")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sign_ins_person_id_people")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_sign_ins")),
    )
    op.create_index("ix_sign_ins_device_id", "sign_ins", ["device_id"])
    op.create_index("ix_sign_ins_person_id", "sign_ins", ["person_id"])


def create_studio_members() -> None:
    op.create_table(
        "studio_members",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("studio_id", sa.String(length=24), nullable=False),
        sa.Column("person_id", sa.String(length=24), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("joined_on", sa.Date(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_studio_members_person_id_people")),
        sa.ForeignKeyConstraint(["studio_id"], ["studios.id"], name=op.f("fk_studio_members_studio_id_studios")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studio_members")),
        sa.UniqueConstraint("studio_id", "person_id", name=op.f("uq_studio_members_studio_id_person_id")),
    )
