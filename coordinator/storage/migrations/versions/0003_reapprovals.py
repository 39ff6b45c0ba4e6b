# SPDX-License-Identifier: Apache-2.0
"""A version may be approved anew more than once, and a policy's version be tried for again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let re-approvals, and ceremonies about policies, out of the index."""
    op.drop_index("ceremonies_one_approved", "ceremonies")
    condition = sa.text("state = 'approved' AND kind NOT LIKE 'policy-%' AND kind != 're-approval'")
    op.create_index(
        "ceremonies_one_approved",
        "ceremonies",
        ["product", "version", "kind"],
        unique=True,
        sqlite_where=condition,
        postgresql_where=condition,
    )
