# SPDX-License-Identifier: Apache-2.0
"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# SHA-256 of nothing: the root of a tree without leaves.
_EMPTY_ROOT = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


def upgrade() -> None:
    """Make every table, and the head of an empty log."""
    _log()
    _around_the_log()
    _ceremonies()


def _log() -> None:
    op.create_table(
        "entries",
        sa.Column("index", _WHOLE, nullable=False, autoincrement=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("ceremony", sa.Text()),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("index", name="entries_pkey"),
        sa.UniqueConstraint("ceremony", "seq", name="entries_ceremony_seq_unique"),
    )
    _partial_index(
        "entries_one_conclusion",
        "entries",
        ["ceremony"],
        "type IN ('approved', 'provisional', 'vetoed', 'rejected', 'expired', 'cancelled', 'superseded')",
        unique=True,
    )
    op.create_table(
        "tree_nodes",
        sa.Column("level", sa.SmallInteger(), nullable=False, autoincrement=False),
        sa.Column("index", _WHOLE, nullable=False, autoincrement=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "index", name="tree_nodes_pkey"),
        sqlite_with_rowid=False,
    )
    head = op.create_table(
        "log_head",
        sa.Column("id", sa.SmallInteger(), nullable=False, autoincrement=False),
        sa.Column("size", _WHOLE, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("at", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name="log_head_pkey"),
        sa.CheckConstraint("id = 1", name="log_head_one_row"),
    )
    op.bulk_insert(head, [{"id": 1, "size": 0, "root": _EMPTY_ROOT, "at": 0}])
    op.create_table(
        "checkpoints",
        sa.Column("size", _WHOLE, nullable=False, autoincrement=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="checkpoints_pkey"),
    )


def _around_the_log() -> None:
    op.create_table(
        "annexes",
        sa.Column("ceremony", sa.Text(), nullable=False),
        sa.Column("commitment", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("ceremony", "commitment", name="annexes_pkey"),
    )
    op.create_table(
        "evidence",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("uploader", sa.Text(), nullable=False),
        sa.Column("named", sa.SmallInteger(), nullable=False),
        sa.Column("kept_until", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="evidence_pkey"),
    )
    unnamed = sa.text("named = 0")
    op.create_index(
        "evidence_unnamed", "evidence", ["kept_until"], sqlite_where=unnamed, postgresql_where=unnamed
    )
    op.create_table(
        "evidence_chunks",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "number", name="evidence_chunks_pkey"),
    )
    op.create_table(
        "outbox",
        sa.Column("ceremony", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("ceremony", "destination", name="outbox_pkey"),
    )
    _partial_index("outbox_due", "outbox", ["due_at"], "state <> 'published'")
    op.create_table(
        "notices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("instead_of", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", _WHOLE, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", "channel", "address", name="notices_pkey"),
    )
    _partial_index("notices_due", "notices", ["channel", "due_at"], "state = 'pending'")
    _partial_index("notices_dead", "notices", ["due_at"], "state = 'dead'")


def _ceremonies() -> None:
    op.create_table(
        "ceremonies",
        sa.Column("ceremony", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requester", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("opened_at", _WHOLE, nullable=False),
        sa.Column("deadline", _WHOLE, nullable=False),
        sa.Column("due_at", _WHOLE),
        sa.Column("ended_at", _WHOLE),
        sa.Column("stopped_by", sa.Text()),
        sa.Column("report_due", _WHOLE),
        sa.Column("opened_index", _WHOLE, nullable=False),
        sa.Column("concluded_index", _WHOLE),
        sa.Column("claimed_until", _WHOLE, nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("ceremony", name="ceremonies_pkey"),
        sa.UniqueConstraint("opened_index", name="ceremonies_opened_index_unique"),
    )
    release = ["product", "version", "kind"]
    op.create_index("ceremonies_release", "ceremonies", release)
    op.create_index("ceremonies_of_product", "ceremonies", ["product", "opened_index"])
    op.create_index("ceremonies_in_state", "ceremonies", ["state", "opened_index"])
    op.create_index("ceremonies_due", "ceremonies", ["state", "due_at"])
    _partial_index("ceremonies_emergencies", "ceremonies", ["opened_index"], "mode = 'break-glass'")
    _partial_index("ceremonies_revocations", "ceremonies", ["opened_index"], "kind = 'release-revocation'")
    _partial_index("ceremonies_changes", "ceremonies", ["opened_index"], "kind = 'policy-change'")
    _partial_index("ceremonies_one_open", "ceremonies", release, "state = 'open'", unique=True)
    released = "state = 'approved' AND kind NOT LIKE 'policy-%'"
    _partial_index("ceremonies_one_approved", "ceremonies", release, released, unique=True)


def _partial_index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
