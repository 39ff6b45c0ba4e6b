# SPDX-License-Identifier: Apache-2.0
"""What a policy is short of, beside what else is said of it: problems and warnings, never notes."""

from datetime import datetime

from quorumseal.ceremony.linting import Finding, Level, lint
from quorumseal.ceremony.policy import Policy
from quorumseal.cli.output import Json
from quorumseal.terminal import Mark, Screen

MARKS = {Level.PROBLEM: Mark.FAILED, Level.WARNING: Mark.WARNING, Level.NOTE: Mark.WAITING}


def draw_shortcomings(drawn: Screen, policy: Policy, *, at: datetime) -> None:
    """Draw them under a heading of their own, if there are any."""
    worst = _worst(policy, at)
    if worst:
        drawn.heading("What it is short of")
    for finding in worst:
        drawn.item(MARKS[finding.level], f"{finding.where}: {finding.says}; {finding.hint}")


def shortcomings_json(policy: Policy, *, at: datetime) -> Json:
    """Return them."""
    return [finding_json(finding) for finding in _worst(policy, at)]


def finding_json(finding: Finding) -> Json:
    """Return one."""
    return {
        "level": str(finding.level),
        "where": finding.where,
        "says": finding.says,
        "hint": finding.hint,
    }


def _worst(policy: Policy, at: datetime) -> list[Finding]:
    return [finding for finding in lint(policy, at=at) if finding.level is not Level.NOTE]
