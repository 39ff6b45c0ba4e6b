# SPDX-License-Identifier: Apache-2.0
"""Move the deadline of an open ceremony: refused here, unsigned, wherever the rules would refuse it."""

from datetime import datetime

from quorumseal.ceremony.errors import CeremonyEndedError
from quorumseal.ceremony.events import CeremonyExtended
from quorumseal.ceremony.spans import Until
from quorumseal.ceremony.values import instant_text
from signer_agent.deadlines import resolve_until
from signer_agent.drafting import Draft, consequences, draft_extension
from signer_agent.review import Review


def later_deadline(review: Review, until: Until) -> datetime:
    """Return the deadline that somebody means: an instant, or so much later than the present one."""
    return resolve_until(until, review.ceremony.policy.calendar, at=review.ceremony.deadline)


def write_extension(review: Review, deadline: datetime) -> Draft:
    """Write the extension that follows the ceremony as it stands, or say why there can be none."""
    draft = draft_extension(review, deadline)
    if not any(isinstance(event, CeremonyExtended) for event in consequences(review, draft)):
        ended = instant_text(review.ceremony.deadline)
        raise CeremonyEndedError(
            f"expected a ceremony whose deadline lies ahead, got one until {ended}",
            hint="what has expired is not extended: start another ceremony",
        )
    return draft
