# SPDX-License-Identifier: Apache-2.0
"""What a refusal means to whoever ran the command: one outcome, one exit code, for every refusal code.

No path leads to VERIFIED but a verification that returned.
"""

from enum import IntEnum, unique


@unique
class Outcome(IntEnum):
    """The exit codes of every command."""

    VERIFIED = 0
    UNEXPECTED = 1
    USAGE = 2
    OTHER_BYTES = 3
    NOT_AUTHORISED = 4
    QUORUM_SHORT = 5
    NO_BUNDLE = 6
    REVOKED = 7
    PENDING = 8
    ENDED = 9
    REJECTED = 10
    PROVISIONAL = 11
    WARNINGS = 12
    LAPSED = 13
    LOG_PROOF = 14
    POLICY_CHAIN = 15
    BAD_SIGNATURE = 16
    UNLOGGED = 17
    DRILL = 18
    NEWER_FORMAT = 19
    STATUS_STALE = 20
    UNREACHABLE = 69
    INTERRUPTED = 130


# The longest prefix of a code decides, so a whole family has one line and an exception one more.
_BY_PREFIX: dict[str, Outcome] = {
    "absence": Outcome.NOT_AUTHORISED,
    "act": Outcome.NOT_AUTHORISED,
    "artifact": Outcome.OTHER_BYTES,
    "artifact.none": Outcome.USAGE,
    "audit": Outcome.LOG_PROOF,
    "audit.copy_format": Outcome.UNEXPECTED,
    "audit.pack_format": Outcome.UNEXPECTED,
    "bundle": Outcome.UNEXPECTED,
    "bundle.kind": Outcome.NOT_AUTHORISED,
    "bundle.missing": Outcome.NO_BUNDLE,
    "bundle.product": Outcome.NOT_AUTHORISED,
    "caller": Outcome.NOT_AUTHORISED,
    "cancellation": Outcome.NOT_AUTHORISED,
    "ceremony": Outcome.ENDED,
    "ceremony.full": Outcome.UNEXPECTED,
    "ceremony.rejected": Outcome.REJECTED,
    "chain": Outcome.LOG_PROOF,
    "connection": Outcome.UNEXPECTED,
    "coordinator": Outcome.UNREACHABLE,
    "decision": Outcome.NOT_AUTHORISED,
    "delegation": Outcome.NOT_AUTHORISED,
    "drill": Outcome.DRILL,
    "emergency": Outcome.NOT_AUTHORISED,
    "enrolment": Outcome.NOT_AUTHORISED,
    "entry": Outcome.LOG_PROOF,
    "envelope": Outcome.BAD_SIGNATURE,
    "extension": Outcome.NOT_AUTHORISED,
    "fork": Outcome.LOG_PROOF,
    "founding": Outcome.NOT_AUTHORISED,
    "grid": Outcome.NOT_AUTHORISED,
    "invitation": Outcome.NOT_AUTHORISED,
    "json": Outcome.UNEXPECTED,
    "key": Outcome.NOT_AUTHORISED,
    "key_file": Outcome.USAGE,
    "limit": Outcome.UNREACHABLE,
    "log": Outcome.LOG_PROOF,
    "nudge": Outcome.PENDING,
    "nudge.not_allowed": Outcome.NOT_AUTHORISED,
    "offline": Outcome.UNEXPECTED,
    "offline.not_in_journal": Outcome.USAGE,
    "offline.nothing_kept": Outcome.USAGE,
    "policy": Outcome.POLICY_CHAIN,
    "policy_chain": Outcome.POLICY_CHAIN,
    "provisional": Outcome.PROVISIONAL,
    "provisional.lapsed": Outcome.LAPSED,
    "quorum": Outcome.QUORUM_SHORT,
    "ratification": Outcome.NOT_AUTHORISED,
    "re_approval": Outcome.NOT_AUTHORISED,
    "report": Outcome.NOT_AUTHORISED,
    "request": Outcome.NOT_AUTHORISED,
    "request.too_large": Outcome.UNEXPECTED,
    "revocation": Outcome.NOT_AUTHORISED,
    "revoked": Outcome.REVOKED,
    "settings": Outcome.USAGE,
    "signature": Outcome.BAD_SIGNATURE,
    "signer": Outcome.NOT_AUTHORISED,
    "standing": Outcome.NOT_AUTHORISED,
    "statement": Outcome.NOT_AUTHORISED,
    "statement.newer_format": Outcome.NEWER_FORMAT,
    "statement.signature": Outcome.BAD_SIGNATURE,
    "status": Outcome.STATUS_STALE,
    "stream": Outcome.UNREACHABLE,
    "suspension": Outcome.NOT_AUTHORISED,
    "system": Outcome.UNEXPECTED,
    "timestamp": Outcome.BAD_SIGNATURE,
    "timestamp.address": Outcome.USAGE,
    "timestamp.authority": Outcome.NOT_AUTHORISED,
    "timestamp.certificate": Outcome.POLICY_CHAIN,
    "timestamp.library": Outcome.UNEXPECTED,
    "timestamp.missing": Outcome.LOG_PROOF,
    "timestamp.not_granted": Outcome.UNREACHABLE,
    "timestamp.time": Outcome.LOG_PROOF,
    "timestamp.unreachable": Outcome.UNREACHABLE,
    "trust": Outcome.UNEXPECTED,
    "unlogged": Outcome.UNLOGGED,
    "usage": Outcome.USAGE,
    "value": Outcome.UNEXPECTED,
    "veto": Outcome.NOT_AUTHORISED,
}


def outcome_of(code: str) -> Outcome:
    """Return the outcome that a refusal code stands for."""
    family = code
    while family:
        if family in _BY_PREFIX:
            return _BY_PREFIX[family]
        family = family.rpartition(".")[0]
    return Outcome.UNEXPECTED
