# SPDX-License-Identifier: Apache-2.0
"""The tables.

``entries``, ``tree_nodes``, ``log_head``, ``checkpoints``, ``annexes``, ``evidence``, ``outbox``,
``notices`` and ``marks`` are the truth, and so are timestamps, cosignatures, invitations, enrolments,
certificates and what founders signed.  ``ceremonies`` is a projection of the entries: ``rebuilding`` drops
it, makes it anew, and compares.
``alarms`` and ``looked_through`` say how far the reminders are.
Instants are whole milliseconds since 1970, hashes are raw bytes, digests and ids are text as on the wire.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_unique",
        "ck": "%(table_name)s_%(constraint_name)s",
        "pk": "%(table_name)s_pkey",
    }
)

Whole = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit integer; SQLite makes only its own INTEGER the key that rows are ordered by."""

CONCLUSIONS = (
    "type IN ('approved', 'provisional', 'vetoed', 'rejected', 'expired', 'cancelled', 'superseded')"
)

entries = Table(
    "entries",
    metadata,
    Column("index", Whole, primary_key=True, autoincrement=False, quote=True),
    Column("type", Text, nullable=False),
    Column("ceremony", Text),
    Column("seq", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    UniqueConstraint("ceremony", "seq"),
)
# Whatever a program does wrong: a ceremony ends once.
Index(
    "entries_one_conclusion",
    entries.c.ceremony,
    unique=True,
    sqlite_where=text(CONCLUSIONS),
    postgresql_where=text(CONCLUSIONS),
)

tree_nodes = Table(
    "tree_nodes",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("index", Whole, primary_key=True, autoincrement=False, quote=True),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

log_head = Table(
    "log_head",
    metadata,
    Column(
        "id", SmallInteger, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False
    ),
    Column("size", Whole, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("at", Whole, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", Whole, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", LargeBinary, nullable=False),
)

annexes = Table(
    "annexes",
    metadata,
    Column("ceremony", Text, primary_key=True),
    Column("commitment", Text, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("text", Text, nullable=False),
)

timestamps = Table(
    "timestamps",
    metadata,
    Column("ceremony", Text, primary_key=True),
    Column("authority", Text, nullable=False),
    Column("token", LargeBinary, nullable=False),
)

evidence = Table(
    "evidence",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("uploader", Text, nullable=False),
    # Whether a request in the log names it: then it is kept, and counts against nobody.
    Column("named", SmallInteger, nullable=False),
    Column("kept_until", Whole, nullable=False),
)
_UNNAMED = text("named = 0")
Index("evidence_unnamed", evidence.c.kept_until, sqlite_where=_UNNAMED, postgresql_where=_UNNAMED)

# What requests named when a recovery brought them back: it is kept once it is sent again.
evidence_awaited = Table("evidence_awaited", metadata, Column("digest", Text, primary_key=True))

evidence_chunks = Table(
    "evidence_chunks",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("ceremony", Text, primary_key=True),
    Column("destination", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Whole, nullable=False),
)
# Written out in queries too: no planner can tell that a parameter fits a partial index.
UNPUBLISHED = text("outbox.state <> 'published'")
_UNPUBLISHED = text("state <> 'published'")
Index("outbox_due", outbox.c.due_at, sqlite_where=_UNPUBLISHED, postgresql_where=_UNPUBLISHED)

notices = Table(
    "notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("instead_of", Text, nullable=False),
    Column("notice", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Whole, nullable=False),
    Column("detail", Text, nullable=False),
)
UNDELIVERED = text("notices.state = 'pending'")
_UNDELIVERED = text("state = 'pending'")
Index(
    "notices_due",
    notices.c.channel,
    notices.c.due_at,
    sqlite_where=_UNDELIVERED,
    postgresql_where=_UNDELIVERED,
)
DEAD = text("notices.state = 'dead'")
_DEAD = text("state = 'dead'")
Index("notices_dead", notices.c.due_at, sqlite_where=_DEAD, postgresql_where=_DEAD)

alarms = Table(
    "alarms",
    metadata,
    Column("ceremony", Text, primary_key=True),
    Column("due_at", Whole, nullable=False),
    Index(None, "due_at"),
)

marks = Table(
    "marks",
    metadata,
    Column("ceremony", Text, primary_key=True),
    Column("mark", Text, primary_key=True),
    Column("person", Text, primary_key=True),
    Column("at", Whole, nullable=False),
)

looked_through = Table(
    "looked_through",
    metadata,
    Column(
        "id", SmallInteger, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False
    ),
    Column("size", Whole, nullable=False),
)

# Who may join: by the digest of a code that nobody here knows.
cosignatures = Table(
    "cosignatures",
    metadata,
    Column("witness", Text, primary_key=True),
    Column("size", Whole, primary_key=True, autoincrement=False),
    Column("line", Text, nullable=False),
)

invitations = Table(
    "invitations",
    metadata,
    Column("code", Text, primary_key=True),
    Column("organisation", Text, nullable=False),
    Column("signer", Text, nullable=False),
    Column("founder", SmallInteger, nullable=False),
    Column("made_at", Whole, nullable=False),
    Column("expires_at", Whole, nullable=False),
    Column("used_at", Whole),
    Column("withdrawn_at", Whole),
)

enrolments = Table(
    "enrolments",
    metadata,
    # By an invitation each: who used one has enrolled, and who enrolled has used one.
    Column("code", Text, primary_key=True),
    Column("signer", Text, nullable=False),
    Column("founder", SmallInteger, nullable=False),
    Column("at", Whole, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("serial", Text, nullable=False),
)

# Whatever a program does wrong: a key is one person's, for one use.
enrolled_keys = Table(
    "enrolled_keys",
    metadata,
    Column("spki", LargeBinary, primary_key=True),
    Column("signer", Text, nullable=False),
    Column("witness", SmallInteger, nullable=False),
)

certificates = Table(
    "certificates",
    metadata,
    Column("serial", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("issued_at", Whole, nullable=False),
    Column("not_after", Whole, nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("revoked_at", Whole),
    Index(None, "name"),
)
_REVOKED = text("revoked_at IS NOT NULL")
Index("certificates_revoked", certificates.c.serial, sqlite_where=_REVOKED, postgresql_where=_REVOKED)

# Each payload that founders were asked to sign; the newest counts.
first_policies = Table(
    "first_policies",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("payload", LargeBinary, nullable=False),
    Column("at", Whole, nullable=False),
)

founders_signatures = Table(
    "founders_signatures",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("signer", Text, primary_key=True),
    Column("envelope", LargeBinary, nullable=False),
    Column("at", Whole, nullable=False),
)

# Checkpoints that this log should contain and does not: while there are any, nothing is appended.
shown = Table(
    "shown",
    metadata,
    Column("size", Whole, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, primary_key=True),
    Column("note", LargeBinary, nullable=False),
    Column("shown_by", Text, nullable=False),
)

# What each signer's agent says stood where now nothing does.
handed_back = Table(
    "handed_back",
    metadata,
    Column("index", Whole, primary_key=True, autoincrement=False, quote=True),
    Column("signer", Text, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)

handed_texts = Table(
    "handed_texts",
    metadata,
    Column("ceremony", Text, primary_key=True),
    Column("commitment", Text, primary_key=True),
    Column("signer", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("text", Text, nullable=False),
)

# How far each signer's agent has seen the log, as it said since that was found out.
heard = Table(
    "heard",
    metadata,
    Column("signer", Text, primary_key=True),
    Column("size", Whole, nullable=False),
    Column("at", Whole, nullable=False),
)

ceremonies = Table(
    "ceremonies",
    metadata,
    Column("ceremony", Text, primary_key=True),
    Column("product", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("requester", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("opened_at", Whole, nullable=False),
    Column("deadline", Whole, nullable=False),
    Column("due_at", Whole),
    Column("ended_at", Whole),
    Column("stopped_by", Text),
    Column("report_due", Whole),
    Column("opened_index", Whole, nullable=False, unique=True),
    Column("concluded_index", Whole),
    # Which coordinator writes the expiry: a courtesy between several, not part of the projection.
    Column("claimed_until", Whole, nullable=False, server_default=text("0")),
)
Index("ceremonies_release", ceremonies.c.product, ceremonies.c.version, ceremonies.c.kind)
Index("ceremonies_of_product", ceremonies.c.product, ceremonies.c.opened_index)
Index("ceremonies_in_state", ceremonies.c.state, ceremonies.c.opened_index)
_REVOCATION = text("kind = 'release-revocation'")
Index(
    "ceremonies_revocations",
    ceremonies.c.opened_index,
    sqlite_where=_REVOCATION,
    postgresql_where=_REVOCATION,
)
CHANGE = text("ceremonies.kind = 'policy-change'")
_CHANGE = text("kind = 'policy-change'")
Index("ceremonies_changes", ceremonies.c.opened_index, sqlite_where=_CHANGE, postgresql_where=_CHANGE)
_OPEN = text("state = 'open'")
_APPROVED = text("state = 'approved' AND kind NOT LIKE 'policy-%' AND kind != 're-approval'")
Index("ceremonies_due", ceremonies.c.state, ceremonies.c.due_at)
EMERGENCY = text("ceremonies.mode = 'break-glass'")
REVOCATION = text("ceremonies.kind = 'release-revocation'")
_EMERGENCY = text("mode = 'break-glass'")
Index(
    "ceremonies_emergencies",
    ceremonies.c.opened_index,
    sqlite_where=_EMERGENCY,
    postgresql_where=_EMERGENCY,
)
for _name, _where in (("ceremonies_one_open", _OPEN), ("ceremonies_one_approved", _APPROVED)):
    Index(
        _name,
        ceremonies.c.product,
        ceremonies.c.version,
        ceremonies.c.kind,
        unique=True,
        sqlite_where=_where,
        postgresql_where=_where,
    )
