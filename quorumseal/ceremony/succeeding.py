# SPDX-License-Identifier: Apache-2.0
"""Ceremonies about an earlier one: a ratification makes an emergency permanent, a revocation takes back."""

from collections.abc import Sequence

from quorumseal.ceremony.admission import Known
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.request_errors import (
    AlreadyApprovedError,
    OpenCeremonyExistsError,
    RatificationError,
    RevocationError,
)
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Ratified, Request
from quorumseal.ceremony.values import instant_text

_REVOCABLE = frozenset({State.APPROVED, State.PROVISIONAL})


OTHER_KIND = {
    Kind.RELEASE: Kind.RATIFICATION,
    Kind.RATIFICATION: Kind.RELEASE,
    Kind.REVOCATION: Kind.RELEASE,
    Kind.POLICY_CHANGE: Kind.POLICY_ACCEPTANCE,
    Kind.POLICY_ACCEPTANCE: Kind.POLICY_CHANGE,
}
"""Of which other kind the ceremonies matter to one for the same version."""


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


def check_ratification(request: Request, ratified: Ratified, emergency: Ceremony, conclusion: str) -> None:
    """Refuse a ratification of anything but this emergency, whole and in time."""
    if emergency.state is not State.PROVISIONAL:
        raise RatificationError(
            f"expected to ratify a provisional emergency, got a ceremony that is {emergency.state}",
            hint="only what nobody vetoed in time can be ratified",
        )
    broken = emergency.request.statement
    for what, expected, got in (
        ("ceremony", broken.ceremony, ratified.ceremony),
        ("request", emergency.request.digest, ratified.request),
        ("conclusion", conclusion, ratified.conclusion),
        ("product", broken.product, request.product),
        ("version", broken.version, request.version),
        ("subjects", broken.subjects, request.subjects),
        ("requesters", broken.requesters, ratified.requesters),
    ):
        if expected != got:
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
