# SPDX-License-Identifier: Apache-2.0
"""What founders see: the first policy before they sign it, who is missing, and that it is done."""

from argparse import Namespace
from collections.abc import Sequence
from datetime import datetime

from quorumseal.ceremony.linting import Finding, Level
from quorumseal.cli.desk import command
from quorumseal.cli.org.founding_desk import FoundingDesk
from quorumseal.cli.output import Json, screen
from quorumseal.cli.policy.screen import draw_policy, policy_json
from quorumseal.client.values import FoundingRecord
from quorumseal.terminal import Mark, Screen
from quorumseal.terminal.words import four_words
from signer_agent.founding import FirstPolicy

_MARKS = {Level.PROBLEM: Mark.FAILED, Level.WARNING: Mark.WARNING, Level.NOTE: Mark.WAITING}


def draw_first_policy(
    desk: FoundingDesk,
    first: FirstPolicy,
    record: FoundingRecord,
    findings: Sequence[Finding],
    *,
    at: datetime,
) -> None:
    """Draw all that a founder's signature will be about; the digest last, where it is compared."""
    drawn, policy = screen(), first.policy
    what = "is what your trust file would pin" if record.founded else "waits for its founders"
    drawn.answer(Mark.WAITING, f"the first policy of {policy.organisation} {what}")
    draw_policy(drawn, policy, at=at)
    drawn.heading("Checked on this machine")
    if first.has_own:
        drawn.item(Mark.DONE, f"your keys are in it as you made them, under the name {desk.name}")
    else:
        drawn.item(Mark.WARNING, f"the keys of this home are not in it: a later version brings {desk.name}")
    others = sorted(policy.signers.keys() - {desk.name, *first.unproved})
    drawn.item(Mark.DONE, f"those of {', '.join(others) or 'nobody else'} are as their own signatures say")
    if first.unproved:
        drawn.item(Mark.WARNING, f"nobody proved that they have the keys of {', '.join(first.unproved)}")
    if findings:
        drawn.heading("To look at")
    for finding in findings:
        drawn.item(_MARKS[finding.level], f"{finding.where}: {finding.says}; {finding.hint}")
    drawn.heading("Founders, who must all see the same digest")
    _draw_founders(drawn, record)
    drawn.facts(
        [("  digest", first.digest), ("  four words", f"{four_words(first.digest)} (no security check)")]
    )
    drawn.line()


def draw_waiting(arguments: Namespace, record: FoundingRecord, name: str) -> None:
    """Draw who is waited for."""
    drawn = screen()
    if not record.payload:
        who = ", ".join(record.unenrolled) or "the coordinator"
        drawn.answer(Mark.WAITING, f"nothing can be signed yet: it waits for {who}")
    else:
        signed, missing = name in record.signed, ", ".join(record.missing)
        own = "you have signed the first policy" if signed else "the first policy waits for its founders"
        drawn.answer(Mark.DONE if signed else Mark.WAITING, f"{own}; not yet: {missing}")
    drawn.next("Wait for them", command(arguments, "org", "genesis", "--wait", "1h"))


def draw_founded(desk: FoundingDesk, first: FirstPolicy, record: FoundingRecord) -> None:
    """Draw that the organisation is there."""
    drawn = screen()
    drawn.answer(Mark.DONE, f"{first.policy.organisation} is founded, by {', '.join(sorted(record.signed))}")
    drawn.facts(
        [
            ("  policy version 1", first.digest),
            ("  four words", four_words(first.digest)),
            ("  log", f"{first.policy.log.origin} begins with it; its checkpoint is verified"),
            ("  trust file", str(desk.trust_file)),
        ]
    )
    drawn.next(
        "Give the trust file to whoever verifies",
        ["quorumseal", "trust", "show", str(desk.trust_file)],
    )


def founding_json(first: FirstPolicy, record: FoundingRecord, *, trust: str | None) -> Json:
    """Return how far the founding is as JSON."""
    return {
        "founded": record.founded,
        "policy": first.digest,
        "words": four_words(first.digest),
        "signed": list(record.signed),
        "missing": list(record.missing),
        "trust": trust,
        "says": policy_json(first.policy),
    }


def _draw_founders(drawn: Screen, record: FoundingRecord) -> None:
    for founder in record.signed:
        drawn.item(Mark.DONE, f"{founder} has signed, as the coordinator says")
    for founder in record.missing:
        drawn.item(Mark.WAITING, f"{founder} has not signed")
