# SPDX-License-Identifier: Apache-2.0
"""Whether a request fits what became of the other ceremonies for the same version."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from quorumseal.ceremony.admission import Known, identity
from quorumseal.ceremony.chain import Chain
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.request_errors import RevocationError
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Request
from quorumseal.ceremony.succeeding import (
    OTHER_KIND,
    check_alone,
    check_not_taken_back,
    check_proposed,
    check_ratification,
    check_reapproval,
    check_revocation,
)

Release: TypeAlias = tuple[str, str, str]
"""A product, its version, and the kind of its ceremonies."""


def release_of(request: Request) -> Release:
    """Return which ceremonies a request stands among."""
    return request.product, request.version, str(request.kind)


def known_of(chain: Chain) -> Known:
    """Return what the rules of admission ask about a ceremony."""
    request = chain.ceremony.request
    return Known(
        ceremony=chain.id,
        identity=identity(request.statement),
        request=request.digest,
        state=chain.ceremony.state,
        subjects=request.statement.subjects,
    )


def check_others(
    request: Signed[Request],
    known: Callable[[Release], Sequence[Known]],
    chain_of: Callable[[str], Chain],
) -> None:
    """Refuse a request that does not fit what became of another ceremony for the same version."""
    statement = request.statement
    if statement.kind is Kind.POLICY_CHANGE:
        return
    others = known((statement.product, statement.version, OTHER_KIND[statement.kind]))
    if statement.kind is Kind.POLICY_ACCEPTANCE:
        check_proposed(statement, others)
        return
    if statement.kind is Kind.REVOCATION:
        for each in others:
            if each.request == statement.subjects[0].digest:
                check_revocation(statement, chain_of(each.ceremony).ceremony.request, each.state)
                return
        raise RevocationError(
            f"expected a revocation of a release of {statement.product} {statement.version}, "
            f"got one of request {statement.subjects[0].digest}, which this log does not hold",
            hint="name the request of the release that is taken back",
        )
    if statement.reapproved is not None:
        release = chain_of(statement.reapproved.ceremony)
        check_reapproval(statement, statement.reapproved, release.ceremony, release.conclusion or "")
        check_not_taken_back(release.ceremony, others)
        return
    if statement.ratified is not None:
        emergency = chain_of(statement.ratified.ceremony)
        check_ratification(statement, statement.ratified, emergency.ceremony, emergency.conclusion or "")
    check_alone(statement, others)
