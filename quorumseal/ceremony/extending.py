# SPDX-License-Identifier: Apache-2.0
"""Who may move a deadline, how often, and how far."""

from quorumseal.ceremony.errors import (
    ExtensionDeadlineError,
    ExtensionNotAllowedError,
    ExtensionOrderError,
    TooManyExtensionsError,
)
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Extension
from quorumseal.ceremony.values import instant_text

MOST_EXTENSIONS = 2


def check_extension(ceremony: Ceremony, extension: Signed[Extension]) -> None:
    """Refuse an extension that does not follow from the ceremony as it stands."""
    statement, request, rule = extension.statement, ceremony.request.statement, ceremony.rule
    roles = ceremony.policy.roles
    may = frozenset[str]().union(*(roles[role].members for role in rule.extenders)) - request.excluded
    if extension.signer not in may:
        whom = f"a member of {', '.join(sorted(rule.extenders))} who did not ask for the release"
        raise ExtensionNotAllowedError(
            f"expected an extension by {whom if rule.extenders else 'nobody'} (rule {rule.name}), "
            f"got one by {extension.signer}",
            hint="ask one of them, or start another ceremony",
        )
    if len(ceremony.extensions) >= MOST_EXTENSIONS:
        raise TooManyExtensionsError(
            f"expected at most {MOST_EXTENSIONS} extensions of a ceremony, got one more"
        )
    before = ceremony.extensions[-1].digest if ceremony.extensions else None
    number = len(ceremony.extensions) + 1
    if (statement.number, statement.previous) != (number, before):
        raise ExtensionOrderError(
            f"expected extension {number} after {before or 'none'}, "
            f"got extension {statement.number} after {statement.previous or 'none'}"
        )
    if not ceremony.deadline < statement.deadline <= request.hard_stop:
        raise ExtensionDeadlineError(
            f"expected a deadline after {instant_text(ceremony.deadline)} and by the hard stop "
            f"{instant_text(request.hard_stop)}, got {instant_text(statement.deadline)}",
            hint="choose an instant between them; nothing moves the hard stop",
        )
