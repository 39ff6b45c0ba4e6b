# SPDX-License-Identifier: Apache-2.0
"""Whether what is published for a request would be accepted by whoever verifies it."""

from datetime import datetime

from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import Request
from quorumseal.verifier.errors import DrillError
from quorumseal.verifier.standing import Terms, judge_revocation
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import verify


def judge_published(data: bytes, request: Request, trust: Trust, *, now: datetime) -> None:
    """Judge a bundle as a consumer would who takes what is provisional too; raise where it does not hold."""
    if request.kind is Kind.REVOCATION:
        judge_revocation(data, trust)
        return
    artifacts = {subject.name: subject.digest for subject in request.subjects}
    try:
        verify(data, trust, artifacts, terms=Terms(product=request.product, now=now, allow_provisional=True))
    except DrillError:  # everything else holds
        return
