# SPDX-License-Identifier: Apache-2.0
"""Timestamps of decisions: a third party's word, beside the log's, that one existed by an instant.

It only ever makes a decision older than its entry, for a key that is revoked later.  On time is still what
the log says: a decision counts when its entry lies before the deadline.
"""

from datetime import datetime

from quorumseal.ceremony.errors import TimestampTimeError
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Decision
from quorumseal.ceremony.values import instant_text
from quorumseal.signatures import MalformedTimestampError, Timestamp, read_timestamp
from quorumseal.signatures.encodings import decode_base64, encode_base64
from quorumseal.strict_json import Fields

FIELD = "timestamp"


def stamp_of(token: bytes, decision: Signed[Decision], policy: Policy) -> Timestamp:
    """Return the timestamp of a decision by one of its policy's authorities."""
    return read_timestamp(token, decision.envelope.stamped, policy.timestamping)


def stamp_in(body: Fields, decision: Signed[Decision], policy: Policy) -> Timestamp | None:
    """Return the timestamp in the body of a decision's entry, where there is one."""
    if FIELD not in body:
        return None
    try:
        token = decode_base64(body.text(FIELD))
    except ValueError as reason:
        raise MalformedTimestampError(
            f"{body.path(FIELD)}: expected canonical base64 with padding, got {reason}"
        ) from None
    return stamp_of(token, decision, policy)


def write_stamp(timestamp: Timestamp) -> str:
    """Write a timestamp as an entry holds it."""
    return encode_base64(timestamp.token)


def check_stamp(
    timestamp: Timestamp | None, decision: Signed[Decision], policy: Policy, at: datetime
) -> None:
    """Refuse a timestamp from before the signing or from after the entry, by more than clocks may differ."""
    if timestamp is None:
        return
    signed_at, skew = decision.statement.context.signed_at, policy.clock_skew
    if signed_at > timestamp.latest + skew or timestamp.earliest > at + skew:
        raise TimestampTimeError(
            f"expected a timestamp between the signing ({instant_text(signed_at)}) and the entry "
            f"({instant_text(at)}), got one of {instant_text(timestamp.at)} by {timestamp.authority}",
            hint="one of three clocks is wrong: the signer's, the authority's or the coordinator's",
        )
