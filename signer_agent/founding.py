# SPDX-License-Identifier: Apache-2.0
"""A founder's part: see that the first policy says of everybody what they enrolled, sign it, remember that.

What the coordinator compiled is recomputed as far as this machine can: its own keys from its own files,
everybody else's from the enrolments that both of their keys signed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quorumseal.ceremony.enrolment import Enrolment, verify_enrolment
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_document import genesis_previous, read_policy
from quorumseal.ceremony.values import digest_of, log_origin
from quorumseal.client.values import FoundingRecord
from quorumseal.signatures import JointEnvelope
from quorumseal.strict_json import Fields, read
from signer_agent.enrolling import ENROLMENT_FILE, INVITATION_FILE
from signer_agent.errors import HomeError, OtherPolicyError
from signer_agent.home import Home, write_whole

SIGNED_FILE = "first-policy.json"
_HINT = "sign nothing, and ask the other founders what they see: somebody else's keys may be in it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What this home knows of its own joining."""

    enrolment: Enrolment
    log: str
    """The origin of the log, as the invitation gave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPolicy:
    """Version 1 as it can be signed: its bytes, and what they say."""

    payload: bytes
    policy: Policy
    has_own: bool
    """Whether one's own keys are in it; those of whoever joined later come by a policy change."""
    unproved: tuple[str, ...]
    """Whose keys came in policy.toml itself: nobody proved that they have them."""

    @property
    def digest(self) -> str:
        """What a trust file will pin."""
        return digest_of(self.payload)


def joined(home: Home) -> Joined:
    """Return how this home came to be."""
    try:
        envelope = (home.path / ENROLMENT_FILE).read_bytes()
        invitation = Fields(read((home.path / INVITATION_FILE).read_bytes()), INVITATION_FILE)
    except OSError as error:
        raise HomeError(
            f"expected a home that `agent enroll` made in {home.path}, got no {error.filename}",
            hint="an organisation of `org init --local` is founded already",
        ) from None
    return Joined(
        enrolment=verify_enrolment(JointEnvelope.read(envelope)), log=log_origin(invitation.text("log"))
    )


def first_policy(record: FoundingRecord, own: Joined) -> FirstPolicy:
    """Return the policy that waits to be signed; refuse one that says anything else than was enrolled."""
    policy = read_policy(record.payload)
    mine = own.enrolment
    if (policy.organisation, policy.version, policy.previous) != (
        mine.organisation,
        1,
        genesis_previous(mine.organisation),
    ):
        got = f"version {policy.version} of {policy.organisation}"
        raise _other(f"version 1 of {mine.organisation}", got)
    if policy.log.origin != own.log:
        raise _other(f"the log {own.log}, as invited", f"the log {policy.log.origin}")
    proofs = _proofs(record, mine.organisation)
    if not record.founded:
        _require_keys(policy, mine.signer, [mine])
    for name, enrolments in proofs.items():
        if name in policy.signers:
            _require_keys(policy, name, enrolments)
    for founder in (*record.signed, *record.missing):
        if founder not in proofs:
            raise _other(f"an enrolment of the founder {founder}", "none")
    return FirstPolicy(
        payload=record.payload,
        policy=policy,
        has_own=_has_keys(policy, mine),
        unproved=tuple(sorted(policy.signers.keys() - proofs.keys())),
    )


def require_same(first: FirstPolicy, digest: str | None, because: str) -> None:
    """Refuse another policy than the one that somebody confirmed, or signed before."""
    if digest is not None and digest != first.digest:
        raise OtherPolicyError(
            f"expected the first policy to be {digest}, {because}, got {first.digest}", hint=_HINT
        )


def signed_before(home: Home) -> str | None:
    """Return the digest of the first policy that this home has signed, if any."""
    file = home.state / SIGNED_FILE
    if not file.exists():
        return None
    return digest_of(JointEnvelope.read(file.read_bytes()).payload)


def keep_signed(home: Home, envelope: bytes) -> None:
    """Remember what is about to be sent, before it is."""
    write_whole(home.state / SIGNED_FILE, envelope)


def kept_signature(home: Home) -> bytes:
    """Return what was signed before."""
    return (home.state / SIGNED_FILE).read_bytes()


def _proofs(record: FoundingRecord, organisation: str) -> Mapping[str, Sequence[Enrolment]]:
    """Return who proved which keys; somebody who joined again did so more than once."""
    proofs: dict[str, list[Enrolment]] = {}
    for each in record.enrolments:
        enrolment = verify_enrolment(JointEnvelope.read(each.envelope))
        if enrolment.organisation != organisation:
            raise _other(f"enrolments in {organisation}", f"one of {enrolment.organisation}")
        proofs.setdefault(enrolment.signer, []).append(enrolment)
    return proofs


def _require_keys(policy: Policy, name: str, enrolments: Sequence[Enrolment]) -> None:
    """Refuse a policy that gives somebody other keys than they enrolled."""
    if name not in policy.signers:
        raise _other(f"{name} in the policy's roster", "no such signer")
    if not any(_has_keys(policy, each) for each in enrolments):
        signer = policy.signers[name]
        expected = " or ".join(f"{e.key.key_id} with witness {e.witness.key_id}" for e in enrolments)
        witness = "none" if signer.witness is None else signer.witness.key_id
        got = f"{', '.join(key.key.key_id for key in signer.keys)} with witness {witness}"
        raise _other(f"the keys that {name} enrolled ({expected})", got)


def _has_keys(policy: Policy, enrolment: Enrolment) -> bool:
    signer = policy.signers.get(enrolment.signer)
    if signer is None:
        return False
    return [key.key for key in signer.keys] == [enrolment.key] and signer.witness == enrolment.witness


def _other(expected: str, got: str) -> OtherPolicyError:
    return OtherPolicyError(f"first policy: expected {expected}, got {got}", hint=_HINT)
