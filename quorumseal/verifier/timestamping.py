# SPDX-License-Identifier: Apache-2.0
"""Timestamps beside a bundle's parts: somebody else than the log says by when a ceremony had concluded.

A token is of the signed checkpoint of a part, which commits to everything in the log up to its conclusion.
It lies outside the parts, so a bundle's core has the same bytes whether anybody was asked or not.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from quorumseal.ceremony.entries import Entry, read_entry
from quorumseal.ceremony.errors import TimestampTimeError
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.values import ceremony_id, instant_text
from quorumseal.signatures import MalformedTimestampError, Timestamp, read_timestamp
from quorumseal.signatures.encodings import decode_base64, encode_base64
from quorumseal.signatures.timestamps import MAX_TOKEN_BYTES
from quorumseal.strict_json import Fields, JsonValue
from quorumseal.verifier.errors import BundleFormatError, TimestampMissingError
from quorumseal.verifier.part import Part

MAX_STAMPS = 16
MOST_STAMPS_BYTES = MAX_STAMPS * (MAX_TOKEN_BYTES * 4 // 3 + 256)
"""What they take of a bundle at most."""


@dataclass(frozen=True, slots=True, order=True)
class Stamp:
    """A token of the checkpoint with which a ceremony of the bundle concluded; nothing in it is verified."""

    ceremony: str
    token: bytes


def write_stamps(stamps: Collection[Stamp]) -> dict[str, JsonValue]:
    """Write what a bundle says of timestamps: nothing where there are none."""
    if not stamps:
        return {}
    return {
        "timestamps": [
            {"ceremony": stamp.ceremony, "token": encode_base64(stamp.token)} for stamp in sorted(stamps)
        ]
    }


def read_stamps(bundle: Fields) -> tuple[Stamp, ...]:
    """Read the timestamps of a bundle."""
    if "timestamps" not in bundle:
        return ()
    stamps = tuple(_read_stamp(fields) for fields in bundle.objects("timestamps"))
    if not 1 <= len(stamps) <= MAX_STAMPS or any(one >= other for one, other in pairwise(stamps)):
        raise BundleFormatError(
            f"expected 1 to {MAX_STAMPS} timestamps in a bundle, ascending and each once, got others",
            hint="a bundle without timestamps leaves the field out",
        )
    return stamps


def judge_stamps(
    stamps: Sequence[Stamp],
    parts: Sequence[Part],
    policy_of: Callable[[Part], SignedPolicy],
    *,
    required: bool,
) -> Mapping[str, tuple[Timestamp, ...]]:
    """Return by when each ceremony had concluded and who says so; refuse a timestamp that does not fit."""
    by_ceremony = {read_entry(part.entries[0]).ceremony: part for part in parts if part.logged}
    found: dict[str, tuple[Timestamp, ...]] = {}
    for stamp in stamps:
        part = by_ceremony.get(stamp.ceremony)
        if part is None:
            raise BundleFormatError(
                f"expected timestamps of ceremonies that the bundle has with their log, got one of "
                f"{stamp.ceremony}"
            )
        policy = policy_of(part).policy
        timestamp = read_timestamp(stamp.token, part.checkpoint, policy.timestamping)
        _check_time(timestamp, read_entry(part.entries[-1]), policy)
        found[stamp.ceremony] = (*found.get(stamp.ceremony, ()), timestamp)
    if required and (len(found) < len(parts)):
        raise TimestampMissingError(
            f"expected a timestamp for each of {len(parts)} ceremonies, got them for {len(found)}",
            hint="ask the publisher for a bundle with timestamps, or verify without asking for them",
        )
    return found


def _check_time(timestamp: Timestamp, conclusion: Entry, policy: Policy) -> None:
    if timestamp.latest + policy.clock_skew < conclusion.at:
        raise TimestampTimeError(
            f"expected a timestamp after the conclusion ({instant_text(conclusion.at)}), got one of "
            f"{instant_text(timestamp.at)} by {timestamp.authority}",
            hint="the log's clock ran ahead, or the authority's behind",
        )


def _read_stamp(fields: Fields) -> Stamp:
    try:
        token = decode_base64(fields.text("token"))
    except ValueError as reason:
        raise MalformedTimestampError(
            f"{fields.path('token')}: expected canonical base64 with padding, got {reason}"
        ) from None
    return Stamp(ceremony_id(fields.text("ceremony")), token)
