# SPDX-License-Identifier: Apache-2.0
"""Every question by the word that asks it, and which catalogues of controls ask for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from quorumseal.audit.answer import Answer
from quorumseal.audit.population import Period, Population
from quorumseal.audit.questions import (
    access,
    checks,
    complete,
    deputies,
    emergencies,
    identities,
    leavers,
    outsiders,
    own_requests,
    policy_changes,
    retries,
    revoked_keys,
    taken_back,
    unapproved,
)

UNAPPROVED = "unapproved"
"""The one question that a listing of what is out there is needed for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question, and where auditors have it from."""

    asks: str
    asked_by: str
    ask: Callable[[Population, Period], Answer] | None
    """None where the answer needs a listing, too."""


def _question(asks: str, asked_by: str, ask: Callable[[Population, Period], Answer]) -> Question:
    return Question(asks=asks, asked_by=asked_by, ask=ask)


QUESTIONS: Mapping[str, Question] = {
    "complete": _question(complete.QUESTION, "SOC 2 CC8.1; ISO 27001 A.8.15, A.5.28", complete.ask),
    UNAPPROVED: Question(asks=unapproved.QUESTION, asked_by="SOC 2 CC8.1; ISO 27001 A.8.32; SLSA", ask=None),
    "own-requests": _question(
        own_requests.QUESTION, "SOC 2 CC6.3; ISO 27001 A.5.3; SLSA two-party review", own_requests.ask
    ),
    "outsiders": _question(outsiders.QUESTION, "SOC 2 CC6.3; ISO 27001 A.5.15, A.5.18", outsiders.ask),
    "emergencies": _question(emergencies.QUESTION, "SOC 2 CC8.1, CC7.4; ISO 27001 A.8.32", emergencies.ask),
    "revoked-keys": _question(
        revoked_keys.QUESTION, "SOC 2 CC6.1; ISO 27001 A.5.17, A.8.24", revoked_keys.ask
    ),
    "leavers": _question(leavers.QUESTION, "SOC 2 CC6.2; ISO 27001 A.5.18, A.6.5", leavers.ask),
    "identities": _question(identities.QUESTION, "SOC 2 CC6.1; ISO 27001 A.5.16", identities.ask),
    "policy-changes": _question(
        policy_changes.QUESTION, "SOC 2 CC8.1, CC5.3; ISO 27001 A.8.32", policy_changes.ask
    ),
    "access": _question(access.QUESTION, "SOC 2 CC6.2, CC6.3; ISO 27001 A.5.18, A.8.2", access.ask),
    "retries": _question(retries.QUESTION, "SOC 2 CC8.1; ISO 27001 A.8.32", retries.ask),
    "checks": _question(checks.QUESTION, "SOC 2 CC8.1; ISO 27001 A.8.29; SLSA two-party review", checks.ask),
    "deputies": _question(deputies.QUESTION, "SOC 2 CC6.3; ISO 27001 A.5.3", deputies.ask),
    "taken-back": _question(taken_back.QUESTION, "SOC 2 CC7.4; ISO 27001 A.5.26", taken_back.ask),
}
"""In the order in which an audit asks them."""
