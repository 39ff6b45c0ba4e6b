# SPDX-License-Identifier: Apache-2.0
"""Which of a release's ceremonies a verb is about, as the coordinator lists them; each is verified after."""

from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import Mode
from quorumseal.client.values import CeremonySummary

RELEASED = (State.APPROVED, State.PROVISIONAL)
_GOOD = (Kind.RELEASE, Kind.RATIFICATION)


def is_emergency(summary: CeremonySummary) -> bool:
    """Whether somebody broke the glass."""
    return summary.mode == Mode.BREAK_GLASS


def was_used(summary: CeremonySummary) -> bool:
    """Whether an emergency released something."""
    return is_emergency(summary) and summary.state == State.PROVISIONAL


def is_released(summary: CeremonySummary) -> bool:
    """Whether it released something, for good or provisionally."""
    return summary.kind == Kind.RELEASE and summary.state in RELEASED


def has_release_bundle(summary: CeremonySummary) -> bool:
    """Whether its bundle is that of a release; what was ratified or approved anew has that ceremony's."""
    return summary.kind in (*_GOOD, Kind.RE_APPROVAL) and summary.state in RELEASED


def is_approved(summary: CeremonySummary) -> bool:
    """Whether it released something for good; a re-approval is about this, never about another one."""
    return summary.kind in _GOOD and summary.state == State.APPROVED
