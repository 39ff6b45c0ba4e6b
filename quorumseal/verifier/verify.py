# SPDX-License-Identifier: Apache-2.0
"""Say whether artifacts were approved, from a bundle and a trust file alone.

The steps are numbered; each raises its own refusal, and only all of them together return anything (3 runs
once 4 to 6 vouch for the request):

1. Parse strictly.
2. Walk the policy chain from the pinned version: no gap, not below the minimum version, and no newer than the
   last ceremony.
3. Find the artifact among the subjects, and the product where one was asked for.
4. The request: signature, requester allowed, rule, instants.
5. Each entry in order: chain, signature by a key of that signer valid then, request, policy, membership.
6. Replay through the rules: quorum by distinct people, on time, the policy not expired at the conclusion.
7. The mode: regular, ratified, re-approved, or provisional where that is allowed and not past its end; no
   drill.
8. The log: checkpoint signature, inclusion, consistency with the checkpoints that statements name; unlogged
   only where that is allowed.  As many of its witnesses as the policy asks for cosigned it since.
9. The status file, where one is given or demanded: fresh, and nothing in it takes the release back.
10. Timestamps, where there are some or they are demanded: by an authority of the policy, of this conclusion.

A bundle never proves that nothing was revoked later than its status file says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.statements import Request, Subject
from quorumseal.signatures import Timestamp
from quorumseal.tlog import Checkpoint, Cosignature
from quorumseal.verifier.bundle import read_bundle
from quorumseal.verifier.errors import (
    DrillError,
    NothingToVerifyError,
    OtherBytesError,
    OtherKindError,
    OtherProductError,
)
from quorumseal.verifier.policy_chain import policy_chain
from quorumseal.verifier.revoked_keys import RevokedUse
from quorumseal.verifier.standing import (
    Standing,
    Terms,
    check_standing,
    check_status,
    judge_following,
    judge_part,
    judge_past,
    standing_of,
)
from quorumseal.verifier.timestamping import judge_stamps
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.witnessing import judge_witnessed


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """Artifacts that were approved, and by whom.  There is no way to build one but ``verify``."""

    subjects: tuple[Subject, ...]
    """The artifacts that were asked about, as the request names them."""
    standing: Standing
    ceremony: Ceremony
    """That released it: of an emergency that was ratified, the emergency."""
    policy: SignedPolicy
    checkpoint: Checkpoint | None
    """None where it is unlogged."""
    ratification: Ceremony | None = None
    reapproval: Ceremony | None = None
    """That approved it afresh."""
    revoked_keys: tuple[RevokedUse, ...] = ()
    """What keys signed in it that were revoked since, as the status file proves; it holds all the same."""
    timestamps: Mapping[str, tuple[Timestamp, ...]] = field(default_factory=dict)
    """Who else than the log says by when each ceremony had concluded."""
    cosignatures: tuple[Cosignature, ...] = ()
    """The witnesses that vouch for the log, each once."""

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
        return self.ceremony.tally(at=self.ceremony.counted_at or self.approved_at).seats


def verify(
    bundle: bytes, trust: Trust, artifacts: Mapping[str, str], *, terms: Terms | None = None
) -> Verified:
    """Return what was approved if every artifact (name to digest) was; raise a ``Refusal`` if not."""
    terms = terms or Terms()
    if not artifacts:
        raise NothingToVerifyError(
            "expected at least one artifact, got none", hint="name the files to verify"
        )
    parsed = read_bundle(bundle)  # 1
    chain = policy_chain(parsed.policies, trust)  # 2
    policy = chain.of(parsed.parts[-1])  # whatever came first, this approved it last
    chain.require_recent(policy, trust)
    release = judge_part(parsed.parts[0], chain)  # 4, 5, 6 and the log's half of 8
    request = release.ceremony.request.statement
    if request.kind is not Kind.RELEASE:
        raise OtherKindError(
            f"expected the bundle of a release, got one of a {request.kind}",
            hint="ask the publisher for the bundle of the release itself",
        )
    subjects = find_subjects(request, artifacts)  # 3
    if terms.product is not None and request.product != terms.product:
        raise OtherProductError(
            f"expected a release of {terms.product}, got one of {request.product}",
            hint="this bundle belongs to something else, even if the bytes are the same",
        )
    judge_past(parsed.parts[0], release)  # 8
    followed = judge_following(parsed.parts, release, chain)  # 7
    last = (release, *followed)[-1]
    cosignatures = judge_witnessed(  # 8
        parsed.witnessed, parsed.parts[-1], last.checkpoint, policy.policy, chain.logs(policy)
    )
    weighed = check_status(terms, trust, chain, release, followed)  # 9
    by_kind = {judged.kind: judged.ceremony for judged in weighed.followed}
    standing = standing_of(release, by_kind)
    check_standing(standing, release.ceremony, terms)  # 7
    demanded = terms.require_timestamp or trust.timestamp_required
    timestamps = judge_stamps(parsed.timestamps, parsed.parts, chain.of, required=demanded)  # 10
    if policy.policy.drill:  # last: whoever exercises wants to hear that everything else holds
        raise DrillError(
            "expected a release, got a drill: everything holds, under a policy that is for exercises",
            hint="never use what a drill released",
        )
    return Verified(
        subjects=subjects,
        standing=standing,
        ceremony=weighed.release,
        policy=policy,
        checkpoint=release.checkpoint,
        ratification=by_kind.get(Kind.RATIFICATION),
        reapproval=by_kind.get(Kind.RE_APPROVAL),
        revoked_keys=weighed.revoked,
        timestamps=timestamps,
        cosignatures=cosignatures,
    )


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
