# SPDX-License-Identifier: Apache-2.0
"""Let an authority say when something was decided, between signing and sending."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.statements import Decision
from quorumseal.refusal import Refusal
from quorumseal.signatures import Authority, Timestamp
from signer_agent.errors import NoTimestampError
from signer_agent.journal import Journal
from signer_agent.recollection import Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamping:
    """How a timestamp is come by, and what happens where there is none."""

    fetch: Callable[[bytes, Sequence[Authority]], Timestamp]
    required: bool = False
    complain: Callable[[str], None]


def with_timestamp(
    stored: Stored, policy: SignedPolicy, journal: Journal, stamping: Stamping | None
) -> Stored:
    """Return a decision with its timestamp, the one that it has before a new one.

    An authority that fails stops nobody from deciding, unless the settings say so.
    """
    if stamping is None or stored.timestamp or not isinstance(stored.statement, Decision):
        return stored
    try:
        timestamp = stamping.fetch(stored.envelope.stamped, policy.policy.timestamping)
    except Refusal as reason:
        if stamping.required:
            raise NoTimestampError(
                f"expected a timestamp of what was signed ({stored.digest}), got none: {reason}",
                hint="it is in the journal and was not sent: run the same command again, or set "
                "required = false under [timestamps] in agent.toml",
            ) from reason
        stamping.complain(f"your decision goes without a timestamp: {reason}")
        return stored
    return journal.keep_timestamp(stored.digest, timestamp.token)
