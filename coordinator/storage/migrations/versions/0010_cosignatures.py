# SPDX-License-Identifier: Apache-2.0
"""What witnesses cosigned."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0007"
branch_labels = None
depends_on = None
_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "cosignatures",
        sa.Column("witness", sa.Text(), nullable=False),
        sa.Column("size", _WHOLE, nullable=False, autoincrement=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("witness", "size", name="cosignatures_pkey"),
    )
