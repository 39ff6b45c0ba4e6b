# SPDX-License-Identifier: Apache-2.0
"""Invitations, enrolments, certificates, and the founders' signatures."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables; nobody is invited yet."""
    op.create_table(
        "invitations",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("signer", sa.Text(), nullable=False),
        sa.Column("founder", sa.SmallInteger(), nullable=False),
        sa.Column("made_at", _WHOLE, nullable=False),
        sa.Column("expires_at", _WHOLE, nullable=False),
        sa.Column("used_at", _WHOLE),
        sa.Column("withdrawn_at", _WHOLE),
        sa.PrimaryKeyConstraint("code", name="invitations_pkey"),
    )
    op.create_table(
        "enrolments",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("signer", sa.Text(), nullable=False),
        sa.Column("founder", sa.SmallInteger(), nullable=False),
        sa.Column("at", _WHOLE, nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="enrolments_pkey"),
    )
    op.create_table(
        "enrolled_keys",
        sa.Column("spki", sa.LargeBinary(), nullable=False),
        sa.Column("signer", sa.Text(), nullable=False),
        sa.Column("witness", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("spki", name="enrolled_keys_pkey"),
    )
    op.create_table(
        "certificates",
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("issued_at", _WHOLE, nullable=False),
        sa.Column("not_after", _WHOLE, nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("revoked_at", _WHOLE),
        sa.PrimaryKeyConstraint("serial", name="certificates_pkey"),
    )
    op.create_index("certificates_name", "certificates", ["name"])
    revoked = sa.text("revoked_at IS NOT NULL")
    op.create_index(
        "certificates_revoked", "certificates", ["serial"], sqlite_where=revoked, postgresql_where=revoked
    )
    op.create_table(
        "first_policies",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("at", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("number", name="first_policies_pkey"),
    )
    op.create_table(
        "founders_signatures",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("signer", sa.Text(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("at", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("number", "signer", name="founders_signatures_pkey"),
    )
