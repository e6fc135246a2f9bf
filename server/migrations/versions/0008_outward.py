"""What leaves for outside, machine tokens, demands and offers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.database import UtcDateTime

revision = "0008"
down_revision = "0010"
branch_labels = None
depends_on = None


def _outbox() -> None:
    op.create_table(
        "channels",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("school_id", sa.String(length=24), nullable=True),
        sa.Column("district_id", sa.String(length=6), nullable=True),
        sa.Column("endpoint", sa.String(length=500), nullable=False),
        sa.Column("secret", sa.String(length=200), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("only_urgent", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=24), nullable=True),
        sa.Column("failing_since", UtcDateTime(), nullable=True),
        sa.Column("last_at", UtcDateTime(), nullable=True),
        sa.Column("last_problem", sa.String(length=24), nullable=True),
        sa.Column("off_at", UtcDateTime(), nullable=True),
        sa.Column("off_why", sa.String(length=8), nullable=True),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('wecom', 'dingtalk', 'sms', 'webhook')", name=op.f("ck_channels_kind")),
        sa.ForeignKeyConstraint(["district_id"], ["districts.id"], name=op.f("fk_channels_district_id_districts")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_channels_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
    )
    op.create_index(op.f("ix_channels_district_id"), "channels", ["district_id"], unique=False)
    op.create_index(op.f("ix_channels_school_id"), "channels", ["school_id"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("channel_id", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.String(length=24), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=24), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(length=24), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'failed', 'dropped')", name=op.f("ck_deliveries_state")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_deliveries_channel_id_channels")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_deliveries_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("channel_id", "subject", name=op.f("uq_deliveries_channel_id_subject")),
    )
    op.create_index("ix_deliveries_channel", "deliveries", ["channel_id", "created_at"], unique=False)
    op.create_index("ix_deliveries_due", "deliveries", ["state", "due_at"], unique=False)


def _tokens() -> None:
    op.create_table(
        "machine_tokens",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("school_id", sa.String(length=24), nullable=True),
        sa.Column("district_id", sa.String(length=6), nullable=True),
        sa.Column("made_by", sa.String(length=24), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["district_id"], ["districts.id"], name=op.f("fk_machine_tokens_district_id_districts")
        ),
        sa.ForeignKeyConstraint(["made_by"], ["people.id"], name=op.f("fk_machine_tokens_made_by_people")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_machine_tokens_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_machine_tokens")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_machine_tokens_token_sha256")),
    )
    op.create_index(op.f("ix_machine_tokens_district_id"), "machine_tokens", ["district_id"], unique=False)
    op.create_index(op.f("ix_machine_tokens_school_id"), "machine_tokens", ["school_id"], unique=False)


def _demands() -> None:
    op.create_table(
        "demands",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("school_id", sa.String(length=24), nullable=False),
        sa.Column("room_id", sa.String(length=24), nullable=False),
        sa.Column("gap_id", sa.String(length=24), nullable=True),
        sa.Column("term", sa.String(length=12), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=True),
        sa.Column("half", sa.String(length=2), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("posted_at", UtcDateTime(), nullable=False),
        sa.Column("posted_by", sa.String(length=24), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("classroom_id", sa.String(length=24), nullable=True),
        sa.CheckConstraint("state IN ('open', 'agreed', 'withdrawn')", name=op.f("ck_demands_state")),
        sa.CheckConstraint("grade BETWEEN 1 AND 9", name=op.f("ck_demands_grade")),
        sa.ForeignKeyConstraint(["classroom_id"], ["classrooms.id"], name=op.f("fk_demands_classroom_id_classrooms")),
        sa.ForeignKeyConstraint(["gap_id"], ["gaps.id"], name=op.f("fk_demands_gap_id_gaps")),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_demands_room_id_rooms")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_demands_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demands")),
    )
    op.create_index(op.f("ix_demands_gap_id"), "demands", ["gap_id"], unique=False)
    op.create_index(op.f("ix_demands_school_id"), "demands", ["school_id"], unique=False)
    op.create_index("ix_demands_state", "demands", ["state", "posted_at"], unique=False)
    op.create_table(
        "offers",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("demand_id", sa.String(length=24), nullable=False),
        sa.Column("school_id", sa.String(length=24), nullable=False),
        sa.Column("studio_id", sa.String(length=24), nullable=True),
        sa.Column("lead_room_id", sa.String(length=24), nullable=False),
        sa.Column("teacher_id", sa.String(length=24), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("offered_at", UtcDateTime(), nullable=False),
        sa.Column("offered_by", sa.String(length=24), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("state IN ('standing', 'accepted', 'passed', 'withdrawn')", name=op.f("ck_offers_state")),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name=op.f("ck_offers_weekday")),
        sa.ForeignKeyConstraint(["demand_id"], ["demands.id"], name=op.f("fk_offers_demand_id_demands")),
        sa.ForeignKeyConstraint(["lead_room_id"], ["rooms.id"], name=op.f("fk_offers_lead_room_id_rooms")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_offers_school_id_schools")),
        sa.ForeignKeyConstraint(["studio_id"], ["studios.id"], name=op.f("fk_offers_studio_id_studios")),
        sa.ForeignKeyConstraint(["teacher_id"], ["people.id"], name=op.f("fk_offers_teacher_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
    )
    op.create_index(op.f("ix_offers_demand_id"), "offers", ["demand_id"], unique=False)
    op.create_index(op.f("ix_offers_school_id"), "offers", ["school_id"], unique=False)


def upgrade() -> None:
    _outbox()
    _tokens()
    _demands()


def downgrade() -> None:
    op.drop_index(op.f("ix_offers_school_id"), table_name="offers")
    op.drop_index(op.f("ix_offers_demand_id"), table_name="offers")
    op.drop_table("offers")
    op.drop_index("ix_demands_state", table_name="demands")
    op.drop_index(op.f("ix_demands_school_id"), table_name="demands")
    op.drop_index(op.f("ix_demands_gap_id"), table_name="demands")
    op.drop_table("demands")
    op.drop_index(op.f("ix_machine_tokens_school_id"), table_name="machine_tokens")
    op.drop_index(op.f("ix_machine_tokens_district_id"), table_name="machine_tokens")
    op.drop_table("machine_tokens")
    op.drop_index("ix_deliveries_due", table_name="deliveries")
    op.drop_index("ix_deliveries_channel", table_name="deliveries")
    op.drop_table("deliveries")
    op.drop_index(op.f("ix_channels_school_id"), table_name="channels")
    op.drop_index(op.f("ix_channels_district_id"), table_name="channels")
    op.drop_table("channels")
