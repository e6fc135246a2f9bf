"""Stream keys and sources of classrooms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.database import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stream_keys",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("room_id", sa.String(length=24), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=24)),
        sa.Column("revoked_at", UtcDateTime()),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_stream_keys_room_id_rooms")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stream_keys")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_stream_keys_token_sha256")),
    )
    op.create_index(op.f("ix_stream_keys_room_id"), "stream_keys", ["room_id"])
    op.create_table(
        "room_sources",
        sa.Column("room_id", sa.String(length=24), nullable=False),
        sa.Column("address", sa.String(length=400), nullable=False),
        sa.Column("secret", sa.String(length=200), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.String(length=24)),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_room_sources_room_id_rooms")),
        sa.PrimaryKeyConstraint("room_id", name=op.f("pk_room_sources")),
    )


def downgrade() -> None:
    op.drop_table("room_sources")
    op.drop_index(op.f("ix_stream_keys_room_id"), "stream_keys")
    op.drop_table("stream_keys")
