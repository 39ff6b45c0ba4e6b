# SPDX-License-Identifier: Apache-2.0
"""How much a ceremony may take of its bundle, so that whatever is approved can be read.

Only statements cost: their payloads in base64, and an allowance for all that stands around one in a bundle.
In the worst case that is

    the entry and the envelope without payload, quotation marks escaped       0.5 KiB
    256 characters of key id, each escaped twice (``\\\\u0001``: 7 bytes)        1.8 KiB
    the consistency proof from the checkpoint that the statement names:
        54 hashes (logs have less than 2^53 entries) of 67 bytes, and a size  3.6 KiB

which is 6 of 8 KiB.  The reserve is for the one conclusion, which nothing refuses for its size: at most a
cancellation of 256 KiB (350 in base64), or an approval that names 1024 people of 64 letters (70).  A bundle
of 64 MiB has room for two such ceremonies with what takes trust away from them, for their proofs, and for the
deliveries of an emergency, of 512 bytes each; the rest is the policy chain's.  Each version adds the two
ceremonies that approved it, to which far less is given: a policy is carried by every bundle after it.
"""

from collections.abc import Iterable

from quorumseal.ceremony.errors import CeremonyFullError
from quorumseal.ceremony.request_errors import RequestTooLargeError
from quorumseal.signatures import Envelope, Timestamp

CEREMONY_BYTES = 12 << 20
RESERVE_BYTES = 512 << 10
LOSS_BYTES = 256 << 10
"""More for revocations and suspensions alone: no decision takes the room of what stops decisions."""
STATEMENT_BYTES = 8 << 10
GOVERNED_BYTES = 512 << 10
"""What a ceremony about a policy may take, the policy not counted."""
MOST_DELIVERIES = 4096
"""Of an emergency's notices; whoever is told more often than that is told all the same."""


def cost(envelope: Envelope) -> int:
    """Return what a statement takes of its ceremony's bundle at most."""
    return STATEMENT_BYTES + (len(envelope.payload) + 2) // 3 * 4


def token_cost(timestamp: Timestamp | None) -> int:
    """Return what a decision's timestamp takes beside it."""
    return 0 if timestamp is None else (len(timestamp.token) + 2) // 3 * 4


def taken_before(*, governed: bool) -> int:
    """Return what is taken of a ceremony's room before anybody signs: of one about a policy, most of it."""
    return CEREMONY_BYTES - RESERVE_BYTES - GOVERNED_BYTES if governed else 0


def check_opening(request: Envelope, seats: int) -> None:
    """Refuse a request that leaves no room for its approvals, each of which repeats its artifacts."""
    needed = cost(request) * (1 + seats)
    if needed > CEREMONY_BYTES - RESERVE_BYTES:
        raise RequestTooLargeError(
            f"expected a request that fits {CEREMONY_BYTES - RESERVE_BYTES} bytes together with {seats} "
            f"approvals of its size, got one that takes {needed} with them",
            hint="list fewer artifacts, for example one archive of them, or fewer locators",
        )


def check_loss(size: int, envelopes: Iterable[Envelope]) -> None:
    """Refuse what takes trust away only where its own room, too, is used up."""
    if size + sum(map(cost, envelopes)) > CEREMONY_BYTES - RESERVE_BYTES + LOSS_BYTES:
        raise CeremonyFullError(
            "expected a ceremony with room for what takes trust away, "
            f"got one in which {size} bytes are taken",
            hint="cancel this ceremony, and start another",
        )


def check_decision(size: int, decision: Envelope, timestamp: Timestamp | None = None) -> None:
    """Refuse a decision for which a ceremony that takes ``size`` has no room."""
    if size + cost(decision) + token_cost(timestamp) > CEREMONY_BYTES - RESERVE_BYTES:
        raise CeremonyFullError(
            f"expected a decision that fits into the {CEREMONY_BYTES - RESERVE_BYTES} bytes of a ceremony, "
            f"got one of {cost(decision)} where {size} are taken",
            hint="the requester may cancel this ceremony and start another",
        )
