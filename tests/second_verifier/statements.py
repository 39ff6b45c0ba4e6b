# SPDX-License-Identifier: Apache-2.0
"""What people sign (docs/spec/statements.md): the shape of each, and whose signature it has to have."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from tests.second_verifier import keys, values
from tests.second_verifier.envelopes import Envelope, Subject, in_toto
from tests.second_verifier.policy import Policy
from tests.second_verifier.reading import anything, exactly, fields, integer, items, one_of
from tests.second_verifier.refusing import Refused, need

_TYPE = "https://quorumseal.dev/"
NEWER = "statement.newer_format"
KINDS = (
    "release",
    "ratification",
    "re-approval",
    "release-revocation",
    "policy-change",
    "policy-acceptance",
)
GOVERNANCE = ("policy-change", "policy-acceptance")

Reads: TypeAlias = dict[str, Callable[[Any], Any]]


def _object(must: Reads, may: Reads | None = None) -> Callable[[Any], dict[str, Any]]:
    return lambda value: fields(value, must, may)


def _names(least: int = 0) -> Callable[[Any], tuple[str, ...]]:
    def read(value: Any) -> tuple[str, ...]:
        found = items(values.name, least)(value)
        need(len(found) == len(set(found)), "json.invalid_field", "each name once")
        return found

    return read


def _log_signature(value: Any) -> bytes:
    found = values.base64_bytes(value, "value.format")
    need(len(found) == 68, "value.format", "key id and Ed25519 signature")
    return found


_CHECKPOINT = _object({"size": integer(), "root": values.digest}, {"signature": _log_signature})
_POLICY = _object({"version": integer(1), "digest": values.digest})
_COMMON: Reads = {
    "format": exactly(0, NEWER),
    "organisation": values.name,
    "log": values.origin,
    "policy": _POLICY,
    "signer": values.name,
    "signed_at": values.instant,
    "checkpoint": _CHECKPOINT,
}
_ABOUT = _object(
    {
        "ceremony": values.ceremony,
        "conclusion": values.digest,
        "request": values.digest,
        "requesters": _names(1),
    }
)
_IN_CEREMONY: Reads = {"ceremony": values.ceremony, "request": values.digest}
_ACT: Reads = _IN_CEREMONY | {"seen": values.digest}
_STANDING: Reads = {"number": integer(1)}
_CHECK = _object({"name": values.name, "outcome": one_of("pass", "fail", "waived", "unknown")})


def _decision(reason: bool) -> tuple[Reads, Reads]:
    must = _IN_CEREMONY | {"roles": _names(1), "checks": items(_CHECK)}
    may: Reads = {
        "replaces": values.digest,
        "not_after": values.instant,
        "delegation": values.digest,
        "reason": values.digest,
    }
    return (
        (must | {"reason": values.digest}, {k: v for k, v in may.items() if k != "reason"})
        if reason
        else (must, may)
    )


_SHAPES: dict[str, tuple[Reads, Reads]] = {
    "request/v1": (
        {
            "ceremony": values.ceremony,
            "product": values.name,
            "version": values.version,
            "kind": one_of(*KINDS, code=NEWER),
            "mode": one_of("regular", "break-glass", code=NEWER),
            "subjects": items(anything, 1, 1000),
            "deadline": values.instant,
            "hard_stop": values.instant,
            "evidence": items(
                _object(
                    {
                        "digest": values.digest,
                        "kind": values.name,
                        "media_type": values.line,
                        "name": values.artifact,
                    }
                ),
                0,
                64,
            ),
            "locators": items(_object({"name": values.artifact, "uri": values.line})),
        },
        {
            "on_behalf_of": values.name,
            "supersedes": values.digest,
            "ticket": values.line,
            "why": values.digest,
            "emergency": _object(
                {
                    "reason": values.name,
                    "incident": values.line,
                    "impact": values.digest,
                    "people": integer(2, 64),
                    "provisional_until": values.instant,
                    "ratify_by": values.instant,
                }
            ),
            "ratified": _ABOUT,
            "reapproved": _ABOUT,
        },
    ),
    "approval/v1": _decision(reason=False),
    "rejection/v1": _decision(reason=True),
    "abstention/v1": _decision(reason=False),
    "cancellation/v1": (_ACT | {"reason": values.digest}, {}),
    "extension/v1": (_ACT | {"number": integer(1), "deadline": values.instant}, {"previous": values.digest}),
    "veto/v1": (_ACT | {"reason": values.digest}, {}),
    "report/v1": (_ACT | {"text": values.digest}, {}),
    "absence/v1": (_STANDING | {"since": values.instant, "until": values.instant}, {}),
    "delegation/v1": (
        _STANDING
        | {"role": values.name, "deputy": values.name, "since": values.instant, "until": values.instant},
        {},
    ),
    "withdrawal/v1": (_STANDING, {"role": values.name}),
    "key-revocation/v1": (
        _STANDING
        | {
            "key": values.digest,
            "since": values.instant,
            "reason": one_of("stolen", "lost", "replaced", "left"),
        },
        {},
    ),
    "suspension/v1": (
        _STANDING
        | {
            "person": values.name,
            "until": values.instant,
            "reason": one_of("compromise", "investigation", "leaving"),
        },
        {},
    ),
}
_SUBJECT_OF = {
    "request/v1": "policy",
    "absence/v1": "policy",
    "delegation/v1": "policy",
    "withdrawal/v1": "policy",
    "suspension/v1": "policy",
    "key-revocation/v1": "key",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement, whose signature was checked."""

    type: str
    envelope: Envelope
    subjects: tuple[Subject, ...]
    said: Mapping[str, Any]
    key: str = ""
    """The id of the key that signed it."""

    @property
    def digest(self) -> str:
        """The digest of its payload."""
        return self.envelope.digest

    @property
    def signer(self) -> str:
        """Who says so."""
        return str(self.said["signer"])

    @property
    def signed_at(self) -> int:
        """When, by their own clock."""
        return int(self.said["signed_at"])


def request_subjects(said: Mapping[str, Any]) -> tuple[Subject, ...]:
    """The artifacts of a request, whose names differ even where case is ignored."""
    from tests.second_verifier.envelopes import subject

    found = tuple(subject(item) for item in said["subjects"])
    for item in found:
        values.artifact(item.name)
    folded = [item.name.lower() for item in found]
    need(len(set(folded)) == len(folded), "json.invalid_field", "two artifacts of one name")
    names = {item.name for item in found}
    need(all(locator["name"] in names for locator in said["locators"]), "json.invalid_field", "a locator")
    return found


@lru_cache(4096)
def read(envelope: Envelope, *wanted: str) -> Statement:
    """A statement of one of the types that its place allows, its signature not yet looked at."""
    predicate_type, subjects, predicate = in_toto(envelope.payload)
    short = predicate_type.removeprefix(_TYPE)
    need(predicate_type.startswith(_TYPE) and short in _SHAPES, NEWER, predicate_type)
    need(not wanted or short in wanted, "statement.format", f"{short} where {wanted} belongs")
    must, may = _SHAPES[short]
    said = fields(predicate, _COMMON | must, may)
    if short == "approval/v1":
        for item in subjects:
            values.artifact(item.name)
    else:
        name = _SUBJECT_OF.get(short, "request")
        about = {"policy": said["policy"]["digest"], "key": said.get("key"), "request": said.get("request")}
        need(
            len(subjects) == 1 and subjects[0] == Subject(name=name, digest=str(about[name])),
            "statement.format",
        )
    names = [check["name"] for check in said.get("checks") or ()]
    need(len(names) == len(set(names)), "statement.format", "each check once")
    return Statement(type=short, envelope=envelope, subjects=subjects, said=said)


def authentic(found: Statement, policy: Policy, *at: int) -> Statement:
    """The same, once it is known to be the signer's, by a key valid when signed and at ``at``."""
    said = found.said
    need(said["organisation"] == policy.organisation, "statement.organisation")
    need(said["log"] == policy.origin, "statement.log")
    pinned = {"version": policy.version, "digest": policy.digest}
    need(dict(said["policy"]) == pinned, "statement.policy")
    signer = policy.signers.get(found.signer)
    need(signer is not None, "signer.unknown", found.signer)
    assert signer is not None
    for key in signer.keys:
        if keys.signed(key.scheme, key.spki, found.envelope.signed, found.envelope.signatures[0]):
            inside = all(key.valid_from <= instant < key.valid_until for instant in (found.signed_at, *at))
            need(inside, "key.not_valid")
            return Statement(
                type=found.type, envelope=found.envelope, subjects=found.subjects, said=said, key=key.id
            )
    raise Refused("statement.signature", found.signer)
