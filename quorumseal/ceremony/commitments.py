# SPDX-License-Identifier: Apache-2.0
"""Which texts a statement commits to without containing them."""

from quorumseal.ceremony.statements import Cancellation, Decision, Report, Request, Statement, Veto


def commitments(statement: Statement) -> frozenset[str]:
    """Return the commitment of every text that belongs to a statement."""
    match statement:
        case Request(why=why, emergency=emergency):
            texts = {why, emergency.impact if emergency else None}
        case Decision(reason=reason) | Cancellation(reason=reason) | Veto(reason=reason):
            texts = {reason}
        case Report(text=text):
            texts = {text}
        case _:
            texts = set()
    return frozenset(text for text in texts if text is not None)
