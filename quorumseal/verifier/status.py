# SPDX-License-Identifier: Apache-2.0
"""``status.json``: what an organisation took back, dated, under the signature of its log.

The log's key alone revokes nothing: each revocation is a bundle, with the quorum that decided it.  What that
key can say by itself is that an emergency lapsed, which harms nothing but what was provisional anyway.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from quorumseal.ceremony.errors import NewerFormatError
from quorumseal.ceremony.policy_document import STATEMENT_TYPE, SignedPolicy
from quorumseal.ceremony.policy_fields import require_format
from quorumseal.ceremony.seconding import read_envelopes, write_makers
from quorumseal.ceremony.values import digest, digest_of, instant, instant_text, log_origin, name
from quorumseal.signatures import Envelope, PrivateKey, PublicKey, SignatureError
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import Fields, JsonValue, read, write
from quorumseal.verifier.bundle import PolicyVersion, read_version, version_json
from quorumseal.verifier.errors import (
    PolicyChainError,
    StatusFormatError,
    StatusMissingError,
    StatusStaleError,
)
from quorumseal.verifier.policy_chain import PolicyChain, policy_chain
from quorumseal.verifier.trust import Trust

FORMAT = 0
STATUS_NAME = "status.json"
STATUS_TYPE = "https://quorumseal.dev/status/v1"
MAX_STATUS_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What was taken back, and what lapsed, as of an instant."""

    organisation: str
    log: str
    at: datetime
    revocations: tuple[bytes, ...] = ()
    """Bundles, each of a ceremony that revoked a release."""
    keys: tuple[tuple[Envelope, ...], ...] = ()
    """The envelopes that revoke keys, of each key those that do so since the earliest instant."""
    policies: tuple[PolicyVersion, ...] = ()
    """The policy chain up to the newest version; none where that is version 1."""
    lapsed: frozenset[str] = frozenset()
    """The digests of the requests of emergencies that nobody ratified in time."""


def write_status(status: Status, log_key: PrivateKey) -> bytes:
    """Make the bytes of a status file."""
    payload = write(
        {
            "_type": STATEMENT_TYPE,
            "subject": _subject(status.log),
            "predicateType": STATUS_TYPE,
            "predicate": {
                "format": FORMAT,
                "organisation": status.organisation,
                "log": status.log,
                "at": instant_text(status.at),
                "revocations": [bundle.decode() for bundle in status.revocations],
                "lapsed": [*sorted(status.lapsed)],
                **_written_keys(status.keys),
                **_written(status.policies),
            },
        }
    )
    return write(sign(payload, log_key).to_json())


def read_status(data: bytes, known: PolicyChain, trust: Trust) -> Status:
    """Return the status that the log signed; nothing in it but its date, policies and lapses is verified.

    It is signed by the log's last key, as the newest policy says: of those that are known, or that it brings.
    """
    envelope = Envelope.read(read(data, max_bytes=MAX_STATUS_BYTES))
    fields = Fields(read(envelope.payload, max_bytes=MAX_STATUS_BYTES), "status")
    fields.constant("_type", STATEMENT_TYPE)
    if fields.text("predicateType") != STATUS_TYPE:
        raise NewerFormatError(f"expected {STATUS_TYPE}, got {fields.text('predicateType')[:100]!a}")
    subject = fields.value("subject")
    body = fields.object("predicate")
    require_format(body, FORMAT)
    status = Status(
        organisation=name(body.text("organisation")),
        log=log_origin(body.text("log")),
        at=instant(body.text("at")),
        revocations=tuple(bundle.encode() for bundle in body.texts("revocations")),
        lapsed=frozenset(digest(text) for text in body.texts("lapsed")),
        keys=_read_keys(body),
        policies=_read_policies(body),
    )
    fields.done()
    policy = policies_of(status, known, trust)[-1].policy
    if not _signed_by(envelope, policy.log.keys[-1].key):
        raise StatusFormatError(
            f"expected a status file signed by the key of log {policy.log.origin}, got another signature",
            hint="fetch status.json again, from the publisher of the bundle",
        )
    if subject != _subject(status.log):
        raise StatusFormatError("expected a status file about its own log, got one about something else")
    if (status.organisation, status.log) != (policy.organisation, policy.log.origin):
        raise StatusFormatError(
            f"expected the status of {policy.organisation} and its log {policy.log.origin}, "
            f"got that of {status.organisation} and {status.log}",
            hint="fetch status.json again, from the publisher of the bundle",
        )
    return status


def require_status(
    data: bytes | None, known: PolicyChain, trust: Trust, *, max_age: timedelta | None, now: datetime | None
) -> Status | None:
    """Return the status that was given, fresh enough; none where none was given or demanded."""
    if data is None:
        if max_age is not None:
            raise StatusMissingError(
                f"expected a status file no older than {max_age}, as the trust file demands, got none",
                hint="fetch the publisher's status.json and name it with --status",
            )
        return None
    status = read_status(data, known, trust)
    if max_age is not None and (now is None or now - status.at > max_age):
        raise StatusStaleError(
            f"expected a status file no older than {max_age}, got one of {instant_text(status.at)}",
            hint="fetch status.json again",
        )
    if now is not None and status.at - now > known.newest.policy.clock_skew:
        raise StatusStaleError(
            f"expected a status file of the past, got one of {instant_text(status.at)}",
            hint="check this machine's clock",
        )
    return status


def policies_of(status: Status, known: PolicyChain, trust: Trust) -> tuple[SignedPolicy, ...]:
    """Return the longer of the chains that are known and brought; refuse two of one version."""
    brought = policy_chain(status.policies, trust) if status.policies else known
    digests = {policy.policy.version: policy.digest for policy in known.versions}
    for policy in brought.versions:
        if digests.get(policy.policy.version, policy.digest) != policy.digest:
            raise PolicyChainError(
                f"expected policy version {policy.policy.version} to be {digests[policy.policy.version]}, "
                f"got {policy.digest} in the status file",
                hint="there are two policies of one version: ask the publisher who signed the other",
            )
    return max(known.versions, brought.versions, key=lambda versions: versions[-1].policy.version)


def _read_policies(body: Fields) -> tuple[PolicyVersion, ...]:
    return tuple(read_version(value) for value in body.values("policies")) if "policies" in body else ()


def _written(versions: Sequence[PolicyVersion]) -> dict[str, JsonValue]:
    return {"policies": [version_json(version) for version in versions]} if versions else {}


def _read_keys(body: Fields) -> tuple[tuple[Envelope, ...], ...]:
    return tuple(read_envelopes(each) for each in body.objects("keys")) if "keys" in body else ()


def _written_keys(keys: Sequence[tuple[Envelope, ...]]) -> dict[str, JsonValue]:
    return {"keys": [write_makers(envelopes) for envelopes in keys]} if keys else {}


def _subject(origin: str) -> JsonValue:
    return [{"name": "log", "digest": {"sha256": digest_of(origin.encode()).partition(":")[2]}}]


def _signed_by(envelope: Envelope, key: PublicKey) -> bool:
    try:
        envelope.verify(key)
    except SignatureError:
        return False
    return True
