# SPDX-License-Identifier: Apache-2.0
"""Which evidence the requests of a recovered log name, and is to be sent again."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "evidence_awaited",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="evidence_awaited_pkey"),
    )
