# SPDX-License-Identifier: Apache-2.0
"""Reminders: when to look at a ceremony again, and what was told already."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables; the whole log is still to be looked through."""
    op.create_table(
        "alarms",
        sa.Column("ceremony", sa.Text(), nullable=False),
        sa.Column("due_at", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("ceremony", name="alarms_pkey"),
    )
    op.create_index("alarms_due_at", "alarms", ["due_at"])
    op.create_table(
        "marks",
        sa.Column("ceremony", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("ceremony", "mark", "person", name="marks_pkey"),
    )
    looked_through = op.create_table(
        "looked_through",
        sa.Column("id", sa.SmallInteger(), nullable=False, autoincrement=False),
        sa.Column("size", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name="looked_through_pkey"),
        sa.CheckConstraint("id = 1", name="looked_through_one_row"),
    )
    op.bulk_insert(looked_through, [{"id": 1, "size": 0}])
