# SPDX-License-Identifier: Apache-2.0
"""Ceremonies about an earlier one: they make an emergency permanent, approve a release anew, or take it back.

A re-approval names what released the version, the release or the ratification of an emergency, and never
another re-approval: each stands beside the release by itself, however many there were before.
"""

from collections.abc import Sequence

from quorumseal.ceremony.admission import Known
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.request_errors import (
    AlreadyApprovedError,
    OpenCeremonyExistsError,
    ProposalError,
    RatificationError,
    ReApprovalError,
    RevocationError,
)
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Concluded, Request
from quorumseal.ceremony.values import instant_text

_REVOCABLE = frozenset({State.APPROVED, State.PROVISIONAL})
_RELEASES = frozenset({Kind.RELEASE, Kind.RATIFICATION})


OTHER_KIND = {
    Kind.RELEASE: Kind.RATIFICATION,
    Kind.RATIFICATION: Kind.RELEASE,
    Kind.REVOCATION: Kind.RELEASE,
    Kind.POLICY_CHANGE: Kind.POLICY_ACCEPTANCE,
    Kind.POLICY_ACCEPTANCE: Kind.POLICY_CHANGE,
    Kind.RE_APPROVAL: Kind.REVOCATION,
}
"""Of which other kind the ceremonies matter to one for the same version."""


def check_proposed(acceptance: Request, changes: Sequence[Known]) -> None:
    """Refuse to accept a policy that nobody proposes any more: whoever proposed it could do so alone."""
    if not any(
        each.subjects == acceptance.subjects and each.state in (State.OPEN, State.APPROVED)
        for each in changes
    ):
        raise ProposalError(
            f"expected a policy version {acceptance.version} whose change is open or approved, "
            f"got {acceptance.subjects[0].digest}, which nobody proposes any more",
            hint="propose it anew, then accept it",
        )


def check_alone(request: Request, others: Sequence[Known]) -> None:
    """Refuse a second way to one version: it is released, or an emergency is ratified, never both."""
    for other in others:
        what = f"{request.product} {request.version}"
        if other.state is State.APPROVED:
            raise AlreadyApprovedError(
                f"expected a version that is not approved yet, got {what} (ceremony {other.ceremony})",
                hint="release other bytes under another version",
            )
        if other.state is State.OPEN:
            raise OpenCeremonyExistsError(
                f"expected no open {OTHER_KIND[request.kind]} of {what}, got {other.ceremony}",
                hint="wait for its end, or cancel it first",
            )


def check_ratification(request: Request, ratified: Concluded, emergency: Ceremony, conclusion: str) -> None:
    """Refuse a ratification of anything but this emergency, whole and in time."""
    if emergency.state is not State.PROVISIONAL:
        raise RatificationError(
            f"expected to ratify a provisional emergency, got a ceremony that is {emergency.state}",
            hint="only what nobody vetoed in time can be ratified",
        )
    broken = emergency.request.statement
    if what := _other(request, ratified, emergency, conclusion):
        raise RatificationError(
            f"expected a ratification with the {what} of the emergency, got another {what}",
            hint="ratify exactly what was released",
        )
    assert broken.emergency is not None  # noqa: S101 - nothing else becomes provisional
    if request.hard_stop > broken.emergency.ratify_by:
        raise RatificationError(
            f"expected a ratification that ends by {instant_text(broken.emergency.ratify_by)}, "
            f"got a hard stop at {instant_text(request.hard_stop)}",
            hint="what is not ratified by then has lapsed; release it by a regular ceremony",
        )


def check_reapproval(request: Request, reapproved: Concluded, release: Ceremony, conclusion: str) -> None:
    """Refuse a re-approval of anything but this approved release, whole."""
    released = release.request.statement
    if release.state is not State.APPROVED or released.kind not in _RELEASES:
        raise ReApprovalError(
            f"expected to approve anew what was released for good, got a {released.kind} "
            f"that is {release.state}",
            hint="what is provisional is ratified; what was never approved is asked for by `start`",
        )
    if release.policy.drill:
        raise ReApprovalError("expected a release in earnest, got a drill", hint="rehearse it anew")
    if what := _other(request, reapproved, release, conclusion):
        raise ReApprovalError(
            f"expected a re-approval with the {what} of the release, got another {what}",
            hint="approve anew exactly what was released",
        )
    if request.context.policy.version < released.context.policy.version:
        raise ReApprovalError(
            f"expected a re-approval under policy version {released.context.policy.version}, the release's, "
            f"or a newer one, got version {request.context.policy.version}"
        )


def check_not_taken_back(release: Ceremony, revocations: Sequence[Known]) -> None:
    """Refuse to approve anew what the organisation took back."""
    released = release.request.statement
    requests = {release.request.digest, released.earlier.request if released.earlier else ""}
    for each in revocations:
        if each.state is State.APPROVED and each.subjects[0].digest in requests:
            raise ReApprovalError(
                f"expected a release that stands, got {released.product} {released.version}, which was "
                f"taken back (ceremony {each.ceremony})",
                hint="a revocation is for good; release other bytes under another version",
            )


def _other(request: Request, named: Concluded, earlier: Ceremony, conclusion: str) -> str:
    """Say in what a request differs from the earlier ceremony that it names; empty where in nothing."""
    before = earlier.request.statement
    for what, expected, got in (
        ("ceremony", before.ceremony, named.ceremony),
        ("request", earlier.request.digest, named.request),
        ("conclusion", conclusion, named.conclusion),
        ("product", before.product, request.product),
        ("version", before.version, request.version),
        ("subjects", before.subjects, request.subjects),
        ("requesters", before.requesters, named.requesters),
    ):
        if expected != got:
            return what
    return ""


def check_revocation(request: Request, revoked: Signed[Request], state: State) -> None:
    """Refuse the revocation of anything but this approved or provisional release."""
    release = revoked.statement
    if request.subjects[0].digest != revoked.digest:
        raise RevocationError(
            f"expected a revocation of request {revoked.digest}, got one of {request.subjects[0].digest}",
            hint="name the request of the release that is taken back",
        )
    if (release.product, release.version) != (request.product, request.version):
        raise RevocationError(
            f"expected a revocation of {release.product} {release.version}, "
            f"got one of {request.product} {request.version}",
            hint="name the product and version of the release that is taken back",
        )
    if state not in _REVOCABLE:
        raise RevocationError(
            f"expected to revoke what was approved, got a ceremony that is {state}",
            hint="what was never released needs no revocation",
        )
