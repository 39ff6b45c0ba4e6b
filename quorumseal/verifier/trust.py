# SPDX-License-Identifier: Apache-2.0
"""``trust.json``: the policy version that a consumer pinned, and the oldest that they still accept."""

from dataclasses import dataclass, replace
from datetime import timedelta

from quorumseal.ceremony.policy_fields import require_format
from quorumseal.ceremony.values import digest, name
from quorumseal.strict_json import Fields, JsonValue, read, write
from quorumseal.verifier.errors import TrustFormatError

FORMAT = 0
MAX_TRUST_BYTES = 64 << 10
_LONGEST_AGE = 366 * 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Where verification begins: the digest of an organisation's policy version 1."""

    organisation: str
    policy: str
    minimum_version: int
    status_max_age: timedelta | None = None
    """How old a status file may be; none where none is demanded."""
    timestamp_required: bool = False
    """Whether somebody else than the log must say by when a ceremony had concluded."""

    def raised_to(self, version: int) -> "Trust":
        """Return the same trust that refuses older policies; never one that accepts more."""
        if version < self.minimum_version:
            raise TrustFormatError(
                f"expected a minimum version of at least {self.minimum_version}, got {version}",
                hint="a trust file only ever raises its minimum",
            )
        return replace(self, minimum_version=version)


def write_trust(trust: Trust) -> bytes:
    """Make the bytes of a trust file."""
    value: dict[str, JsonValue] = {
        "format": FORMAT,
        "organisation": trust.organisation,
        "policy": trust.policy,
        "minimum_version": trust.minimum_version,
    }
    if trust.status_max_age is not None:
        value["status_max_age_seconds"] = int(trust.status_max_age.total_seconds())
    if trust.timestamp_required:
        value["timestamp_required"] = True
    return write(value)


def read_trust(data: bytes) -> Trust:
    """Return the trust that a file holds, or refuse it."""
    fields = Fields(read(data, max_bytes=MAX_TRUST_BYTES), "trust")
    require_format(fields, FORMAT)
    trust = Trust(
        organisation=name(fields.text("organisation")),
        policy=digest(fields.text("policy")),
        minimum_version=fields.integer("minimum_version", at_least=1),
        status_max_age=_read_age(fields),
        timestamp_required=fields.flag("timestamp_required") if "timestamp_required" in fields else False,
    )
    fields.done()
    return trust


def _read_age(fields: Fields) -> timedelta | None:
    seconds = fields.optional_integer("status_max_age_seconds", at_least=1, at_most=_LONGEST_AGE)
    return None if seconds is None else timedelta(seconds=seconds)
