# SPDX-License-Identifier: Apache-2.0
"""The written form of what a later policy takes from an open ceremony: the body of its entry."""

from quorumseal.ceremony.narrowing import Members, Narrowing
from quorumseal.ceremony.statements import PolicyReference
from quorumseal.ceremony.values import digest, name
from quorumseal.strict_json import Fields, JsonValue


def write_narrowing(narrowing: Narrowing) -> dict[str, JsonValue]:
    """Write it as an entry does."""
    return {
        "version": narrowing.policy.version,
        "digest": narrowing.policy.digest,
        "keys": [*sorted(narrowing.keys)],
        "members": _write_members(narrowing.members),
        "deputies": _write_members(narrowing.deputies),
    }


def read_narrowing(fields: Fields) -> Narrowing:
    """Read it from an entry."""
    return Narrowing(
        policy=PolicyReference(version=fields.integer("version"), digest=digest(fields.text("digest"))),
        keys=frozenset(fields.texts("keys")),
        members=_read_members(fields, "members"),
        deputies=_read_members(fields, "deputies"),
    )


def _write_members(members: Members) -> JsonValue:
    return [{"role": role, "signer": signer} for role, signer in sorted(members)]


def _read_members(fields: Fields, key: str) -> Members:
    return frozenset(
        (name(member.text("role")), name(member.text("signer"))) for member in fields.objects(key)
    )
