# SPDX-License-Identifier: Apache-2.0
"""What says that the log was longer, and what agents hand back of it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None
_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "shown",
        sa.Column("size", _WHOLE, nullable=False, autoincrement=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("shown_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", "root", name="shown_pkey"),
    )
    op.create_table(
        "handed_back",
        sa.Column("index", _WHOLE, nullable=False, autoincrement=False, quote=True),
        sa.Column("signer", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("index", "signer", name="handed_back_pkey"),
    )
    op.create_table(
        "handed_texts",
        sa.Column("ceremony", sa.Text(), nullable=False),
        sa.Column("commitment", sa.Text(), nullable=False),
        sa.Column("signer", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("ceremony", "commitment", name="handed_texts_pkey"),
    )
    op.create_table(
        "heard",
        sa.Column("signer", sa.Text(), nullable=False),
        sa.Column("size", _WHOLE, nullable=False),
        sa.Column("at", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("signer", name="heard_pkey"),
    )
