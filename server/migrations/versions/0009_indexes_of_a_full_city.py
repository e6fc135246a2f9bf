"""Indexes that a municipality at its real size needs: found by the bench ``register``."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_people_name", "people", ["name", "id"]),  # the register in the order in which it is shown
    ("ix_people_phone", "people", ["phone"]),  # the bureau's sign-in knows people by it
    ("ix_classrooms_lead_room", "classrooms", ["lead_room_id"]),
    ("ix_classrooms_lead_teacher", "classrooms", ["lead_teacher_id"]),
    ("ix_classrooms_term", "classrooms", ["term", "name"]),
    ("ix_receivers_assistant", "receivers", ["assistant_id"]),
    ("ix_lessons_state", "lessons", ["state", "starts_at"]),  # what is live now, among a term's lessons
)


def upgrade() -> None:
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, table, _ in INDEXES:
        op.drop_index(name, table)
