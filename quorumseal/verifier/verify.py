# SPDX-License-Identifier: Apache-2.0
"""Say whether artifacts were approved, from a bundle and a trust file alone.

The steps are numbered; each raises its own refusal, and only all of them together return anything (3 runs
once 4 to 6 vouch for the request):

1. Parse strictly.
2. Walk the policy chain from the pinned version: no gap, not below the minimum version.
3. Find the artifact among the subjects, and the product where one was asked for.
4. The request: signature, requester allowed, rule, instants.
5. Each entry in order: chain, signature by a key of that signer valid then, request, policy, membership.
6. Replay through the rules: quorum by distinct people, on time, the policy not expired at the conclusion.
7. The mode: regular.
8. The log: checkpoint signature, inclusion, consistency with the checkpoints that statements name.

A bundle never proves that nothing was revoked later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from quorumseal.ceremony.chain import Chain
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.quorum import explain
from quorumseal.ceremony.statements import Request, Subject
from quorumseal.ceremony.values import instant_text
from quorumseal.tlog import Checkpoint
from quorumseal.verifier.bundle import read_bundle
from quorumseal.verifier.errors import (
    BundleFormatError,
    ConclusionCheckpointError,
    NothingToVerifyError,
    OtherBytesError,
    OtherProductError,
    QuorumShortError,
    RejectedError,
    UnapprovedError,
)
from quorumseal.verifier.part import verify_part, verify_seen_checkpoints
from quorumseal.verifier.policy_chain import walk
from quorumseal.verifier.trust import Trust

_UNAPPROVED = {State.OPEN: QuorumShortError, State.REJECTED: RejectedError}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """Artifacts that were approved, and by whom.  There is no way to build one but ``verify``."""

    subjects: tuple[Subject, ...]
    """The artifacts that were asked about, as the request names them."""
    ceremony: Ceremony
    policy: SignedPolicy
    checkpoint: Checkpoint

    @property
    def request(self) -> Request:
        """What was approved."""
        return self.ceremony.request.statement

    @property
    def approved_at(self) -> datetime:
        """When the quorum was met, by the log's clock."""
        assert self.ceremony.ended_at is not None  # noqa: S101 - an approved ceremony has ended
        return self.ceremony.ended_at

    @property
    def seats(self) -> dict[str, tuple[str, ...]]:
        """Who filled which role."""
        return self.ceremony.tally(at=self.approved_at).seats


def verify(
    bundle: bytes, trust: Trust, artifacts: Mapping[str, str], *, product: str | None = None
) -> Verified:
    """Return what was approved if every artifact (name to digest) was; raise a ``Refusal`` if not."""
    if not artifacts:
        raise NothingToVerifyError(
            "expected at least one artifact, got none", hint="name the files to verify"
        )
    parsed = read_bundle(bundle)  # 1
    if len(parsed.parts) != 1:
        raise BundleFormatError(f"expected one ceremony in the bundle of a release, got {len(parsed.parts)}")
    part = parsed.parts[0]
    policy = walk(parsed.policies, trust)  # 2
    verified = verify_part(part, policy)  # 4, 5, 6 and the log's half of 8
    ceremony = verified.chain.ceremony
    request = ceremony.request.statement
    subjects = find_subjects(request, artifacts)  # 3
    if product is not None and request.product != product:
        raise OtherProductError(
            f"expected a release of {product}, got one of {request.product}",
            hint="this bundle belongs to something else, even if the bytes are the same",
        )
    _check_approved(verified.chain)  # 6; the strict reader knows no mode but regular, which is 7
    _check_conclusion(part.index, verified.checkpoint)  # 8
    verify_seen_checkpoints(part, verified.checkpoint)  # 8
    return Verified(subjects=subjects, ceremony=ceremony, policy=policy, checkpoint=verified.checkpoint)


def find_subjects(request: Request, artifacts: Mapping[str, str]) -> tuple[Subject, ...]:
    """Return the request's subjects that the artifacts are: by their bytes, and by name where that tells."""
    by_digest: dict[str, list[Subject]] = {}
    for subject in request.subjects:
        by_digest.setdefault(subject.digest, []).append(subject)
    return tuple(_find(artifact, digest, request, by_digest) for artifact, digest in artifacts.items())


def _find(artifact: str, digest: str, request: Request, by_digest: Mapping[str, list[Subject]]) -> Subject:
    same_bytes = by_digest.get(digest, [])
    for subject in same_bytes:
        if subject.name == artifact:
            return subject
    named = [subject for subject in request.subjects if subject.name == artifact]
    if named or not same_bytes:
        expected = named[0].digest if named else _artifacts_of(request)
        raise OtherBytesError(
            f"expected {artifact} to be {expected}, got {digest}",
            hint="the file is not what was approved: fetch it again, and do not use this one",
        )
    return same_bytes[0]


def _artifacts_of(request: Request) -> str:
    what = f"{request.product} {request.version}"
    if len(request.subjects) > 1:
        return f"one of the {len(request.subjects)} artifacts of {what}"
    return f"{request.subjects[0].name} of {what} ({request.subjects[0].digest})"


def _check_approved(chain: Chain) -> None:
    ceremony = chain.ceremony
    if ceremony.state is State.APPROVED:
        return
    request = ceremony.request.statement
    refusal = _UNAPPROVED.get(ceremony.state, UnapprovedError)
    count = ceremony.tally(at=chain.last_at)
    raise refusal(
        f"expected a ceremony that met its quorum, got one that is {ceremony.state} "
        f"({'; '.join(explain(count))}; deadline {instant_text(request.deadline)})",
        hint="ask the publisher for the bundle of an approved ceremony",
    )


def _check_conclusion(index: int, checkpoint: Checkpoint) -> None:
    if checkpoint.size != index + 1:
        raise ConclusionCheckpointError(
            f"expected the checkpoint of size {index + 1}, signed at the conclusion, "
            f"got size {checkpoint.size}"
        )
