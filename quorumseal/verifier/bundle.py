# SPDX-License-Identifier: Apache-2.0
"""The published file: a policy chain, and ceremonies with their proofs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.policy_fields import require_format
from quorumseal.refusal import Refusal
from quorumseal.signatures import JointEnvelope
from quorumseal.strict_json import Fields, JsonValue, read, write
from quorumseal.verifier.errors import BundleFormatError
from quorumseal.verifier.hashes import read_hashes, write_hashes
from quorumseal.verifier.part import Part
from quorumseal.verifier.timestamping import Stamp, read_stamps, write_stamps
from quorumseal.verifier.witnessing import Witnessed, read_witnessed, write_witnessed

FORMAT = 0
BUNDLE_TYPE = "https://quorumseal.dev/bundle/v1"
SUFFIX = ".quorumseal.json"
MAX_BUNDLE_BYTES = 64 << 20
MAX_PARTS = 256
_PROOF = ("index", "inclusion", "checkpoint", "consistency")
"""What an unlogged part has none of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """A later policy version, and the two ceremonies that approved it."""

    payload: bytes
    change: Part
    acceptance: Part


PolicyVersion: TypeAlias = JointEnvelope | Adopted
"""Version 1 with its founders' signatures, or a later one; both have the policy's payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What a release manager publishes beside the artifacts; nothing in it is verified yet."""

    policies: tuple[PolicyVersion, ...]
    parts: tuple[Part, ...]
    timestamps: tuple[Stamp, ...] = ()
    """Of the parts' conclusions; the rest of the bundle, its core, is the same without."""
    witnessed: tuple[Witnessed, ...] = ()
    """Who else than the log vouches for the log that its last conclusion is in; not of the core either."""


def bundle_name(
    product: str, version: str, kind: str = Kind.RELEASE, *, provisional: str = "", number: int = 0
) -> str:
    """Name the file that a bundle is published under: another one for each product, version and kind.

    ``@`` is in none of its pieces, so no two bundles meet in one name.  What releases a version has the plain
    name that consumers look for, be it by a regular ceremony or by a ratification, of which there is never
    more than one.  What is provisional never takes that name, but one with its ceremony, ``provisional``.

    Nor does a re-approval replace anything: it has the ``number`` that says which of its version it is, from
    1 on, so that whoever holds an earlier bundle can tell where the next one is.
    """
    pieces = [product, version]
    if kind not in (Kind.RELEASE, Kind.RATIFICATION):
        pieces.append(kind)
    if number:
        pieces.append(str(number))
    if provisional:
        pieces += ["provisional", provisional]
    return "@".join(pieces) + SUFFIX


def make_bundle(policies: Sequence[SignedPolicy | Adopted], *parts: Part) -> Bundle:
    """Put ceremonies and the policy chain that they ran under into one file."""
    return Bundle(
        policies=tuple(each if isinstance(each, Adopted) else each.envelope for each in policies), parts=parts
    )


def write_bundle(bundle: Bundle) -> bytes:
    """Make the bytes of a bundle."""
    return write(
        {
            "format": FORMAT,
            "type": BUNDLE_TYPE,
            "policies": [version_json(version) for version in bundle.policies],
            "parts": [_write_part(part) for part in bundle.parts],
            **write_stamps(bundle.timestamps),
            **write_witnessed(bundle.witnessed),
        }
    )


def read_bundle(data: bytes) -> Bundle:
    """Return the bundle that the bytes are, or refuse them."""
    fields = Fields(read(data, max_bytes=MAX_BUNDLE_BYTES), "bundle")
    fields.constant("type", BUNDLE_TYPE)
    require_format(fields, FORMAT)
    bundle = Bundle(
        policies=tuple(read_version(version) for version in fields.values("policies")),
        parts=tuple(_read_part(part) for part in fields.objects("parts")),
        timestamps=read_stamps(fields),
        witnessed=read_witnessed(fields),
    )
    fields.done()
    if not bundle.policies:
        raise BundleFormatError("expected the policy chain in a bundle, got no policy")
    if not 1 <= len(bundle.parts) <= MAX_PARTS:
        raise BundleFormatError(f"expected 1 to {MAX_PARTS} ceremonies in a bundle, got {len(bundle.parts)}")
    return bundle


def same_core(one: bytes, other: bytes) -> bool:
    """Whether two files are the same bundle, timestamps and cosignatures aside, as a coordinator writes."""
    try:
        bundles = [read_bundle(data) for data in (one, other)]
    except Refusal:
        return False
    first, second = (replace(bundle, timestamps=(), witnessed=()) for bundle in bundles)
    return first == second and [*map(write_bundle, bundles)] == [one, other]


def version_json(version: PolicyVersion) -> JsonValue:
    """Write a policy version as bundles and coordinators do."""
    if isinstance(version, JointEnvelope):
        return version.to_json()
    return {
        "change": _write_part(version.change),
        "acceptance": _write_part(version.acceptance),
    }


def read_version(value: JsonValue) -> PolicyVersion:
    """Read a policy version; nothing in it is verified."""
    if not isinstance(value, dict) or "change" not in value:
        return JointEnvelope.read(value)
    fields = Fields(value, "policies")
    change, acceptance = _read_part(fields.object("change")), _read_part(fields.object("acceptance"))
    fields.done()
    if not change.entries:
        raise BundleFormatError("expected the entries of a policy change in a bundle, got none")
    opening = Fields(dict(read_entry(change.entries[0]).body), "policies.change.entries.body")
    return Adopted(payload=opening.text("policy").encode(), change=change, acceptance=acceptance)


def parse_version(data: bytes) -> PolicyVersion:
    """Read a policy version as a coordinator sends it."""
    return read_version(read(data, max_bytes=MAX_BUNDLE_BYTES))


def _write_part(part: Part) -> JsonValue:
    entries: list[JsonValue] = [entry.decode() for entry in part.entries]
    if not part.logged:
        return {"entries": entries}
    return {
        "entries": entries,
        "index": part.index,
        "inclusion": write_hashes(part.inclusion),
        "checkpoint": part.checkpoint.decode(),
        "consistency": [
            {"size": size, "proof": write_hashes(proof)} for size, proof in sorted(part.consistency.items())
        ],
    }


def _read_part(fields: Fields) -> Part:
    if not any(field in fields for field in _PROOF):
        return Part(entries=tuple(entry.encode() for entry in fields.texts("entries")))
    proofs = fields.objects("consistency")
    consistency = {proof.integer("size", at_least=1): read_hashes(proof, "proof") for proof in proofs}
    if [*consistency] != sorted(consistency) or len(consistency) != len(proofs):
        raise fields.invalid("consistency", "proofs from ascending sizes, each once")
    return Part(
        entries=tuple(entry.encode() for entry in fields.texts("entries")),
        index=fields.integer("index"),
        inclusion=read_hashes(fields, "inclusion"),
        checkpoint=_read_checkpoint(fields),
        consistency=consistency,
    )


def _read_checkpoint(fields: Fields) -> bytes:
    note = fields.text("checkpoint").encode()
    if not note:
        raise fields.invalid("checkpoint", "a signed checkpoint; what has none leaves the field out")
    return note
