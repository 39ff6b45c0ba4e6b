# SPDX-License-Identifier: Apache-2.0
"""The table of policy changes: who decided before, who decides after, who approved on which side."""

import pytest

from quorumseal.refusal import Refusal
from quorumseal.verifier.policy_chain import walk
from tests.changing import both_sides
from tests.simulated_log import SimulatedLog
from tests.verifier.keepers import claimed, handed_to, kept_by

SHORT, STRANGER = "policy.governance_short", "decision.not_a_member"
UNKNOWN, NOT_ASKED = "signer.unknown", "request.requester"
# What happened | who keeps the policy before | and after | who gave it | who took it | the refusal
TABLE = """
nobody changes, one decides | 1 alice | 1 alice | alice | alice | -
nobody changes, two of two | 2 alice bob | 2 alice bob | alice bob | bob alice | -
nobody changes, two of three | 2 alice bob erin | 2 alice bob erin | alice erin | bob erin | -
the threshold rises | 1 alice bob | 2 alice bob | alice | alice bob | -
the threshold rises, old side as the new | 1 alice bob | 2 alice bob | alice | alice | SHORT
the threshold falls | 2 alice bob | 1 alice bob | alice bob | bob | -
the threshold falls, too few gave it | 2 alice bob | 1 alice bob | alice | alice | SHORT
one joins | 1 alice | 1 alice bob | alice | bob | -
one joins, and gives it to themselves | 1 alice | 1 alice bob | bob | bob | UNKNOWN
one joins and must agree | 1 alice | 2 alice bob | alice | alice bob | -
one joins and did not agree | 1 alice | 2 alice bob | alice | alice | SHORT
one leaves | 1 alice bob | 1 bob | alice | bob | -
one leaves, and takes it | 1 alice bob | 1 bob | alice | alice | UNKNOWN
one leaves, and alone gave it | 1 alice bob | 1 bob | alice | bob | -
one leaves, two of three gave it | 2 alice bob erin | 2 alice bob | bob erin | alice bob | -
one leaves, one of two took it | 2 alice bob erin | 2 alice bob | bob erin | alice | SHORT
everybody changes | 1 alice | 1 bob | alice | bob | -
everybody changes, new people only | 1 alice | 1 bob | bob | bob | UNKNOWN
everybody changes, old people only | 1 alice | 1 bob | alice | alice | UNKNOWN
everybody changes, two of two | 2 alice bob | 2 erin carol | alice bob | erin carol | -
everybody changes, too few took it | 2 alice bob | 2 erin carol | alice bob | carol | SHORT
everybody changes, too few gave it | 2 alice bob | 2 erin carol | alice | erin carol | SHORT
one for another | 2 alice bob | 2 alice carol | alice bob | alice carol | -
one for another, who did not agree | 2 alice bob | 2 alice carol | alice bob | alice | SHORT
one for another, the one who left did not | 2 alice bob | 2 alice carol | alice | alice carol | SHORT
fewer of more | 3 alice bob erin | 2 alice bob erin carol | alice bob erin | carol bob | -
fewer of more, by the new number only | 3 alice bob erin | 2 alice bob erin | alice bob | alice bob | SHORT
more of fewer | 1 alice bob erin | 2 alice bob | erin | bob alice | -
somebody of another role gives it | 1 alice | 1 alice | mallory | alice | NOT_ASKED
somebody of another role takes it | 1 alice | 1 alice | alice | mallory | NOT_ASKED
somebody of another role helps | 2 alice bob | 1 alice | alice mallory | alice | STRANGER
"""
CODES = {"-": None, "SHORT": SHORT, "STRANGER": STRANGER, "UNKNOWN": UNKNOWN, "NOT_ASKED": NOT_ASKED}
ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]


def outcome(before: str, after: str, given: str, taken: str) -> str | None:
    """Return the code of the refusal, by the rules or by the verifier; none where the change holds."""
    old = kept_by(before)
    new = handed_to(old, after)
    log = SimulatedLog(old)
    try:
        log.versions.append(claimed(log, new, *both_sides(old, new, given.split(), taken.split())))
        policy = walk(log.versions, log.trust)
    except Refusal as refusal:
        return refusal.code
    assert policy.digest == new.policy.digest
    assert set(policy.signers) <= {*given.split(), *taken.split()}
    return None


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_policy_holds_once_both_sides_have_their_quorum(row: list[str]) -> None:
    _, before, after, given, taken, expected = row
    assert outcome(before, after, given, taken) == CODES[expected]
