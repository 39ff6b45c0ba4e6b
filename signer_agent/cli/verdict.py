# SPDX-License-Identifier: Apache-2.0
"""How ``approve``, ``reject`` and ``abstain`` go: show, ask, open the key, sign, send, prove.

The order is the safety of it: nothing is fetched between what is shown and what is signed, and the key is
opened after somebody has said yes.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from quorumseal.ceremony.spans import Until
from quorumseal.ceremony.statements import Choice, Decision
from quorumseal.client.values import Annex
from quorumseal.signatures import PrivateKey
from quorumseal.terminal import Mark, Screen
from quorumseal.verifier.outcomes import Outcome
from signer_agent.agent import Agent
from signer_agent.cli.looking import add_artifacts, add_ceremony, look_at
from signer_agent.cli.opening import add_home, add_passphrase, command, open_key, opened, print_json, screen
from signer_agent.cli.times import until_argument
from signer_agent.deadlines import resolve_until
from signer_agent.deciding import require_decidable
from signer_agent.documents import draft_json, review_json, stored_json
from signer_agent.draft_screen import decider, draw_draft
from signer_agent.drafting import Draft, consequences, draft_decision, make_reason
from signer_agent.emergency_screen import banner_of
from signer_agent.errors import NotConfirmedError, UsageError
from signer_agent.fork import require_unblocked
from signer_agent.inbox_screen import handle_of
from signer_agent.recollection import Stored
from signer_agent.review import Review
from signer_agent.screen import YOU, draw_review, release_of
from signer_agent.signing import send, settle, sign_and_store
from signer_agent.standing_in import seat_of

NOUNS = {Choice.APPROVAL: "approval", Choice.REJECTION: "rejection", Choice.ABSTENTION: "abstention"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whoever sits at the terminal, if anybody does."""

    ask: Callable[[str], str] | None
    yes: bool = False

    def confirm(self, question: str, *, to: str = "sign") -> None:
        """Go on only when they say so in full."""
        if self.yes:
            return
        if self.ask is None:
            raise NotConfirmedError(
                "expected somebody at a terminal to confirm, found nobody",
                hint="--yes confirms for scripts that have looked at the review themselves",
            )
        answer = self.ask(f"{question} Type yes to {to}: ")
        if answer.strip() != "yes":
            raise NotConfirmedError(f"expected yes to {to}, got something else: nothing was done")


def add_verdict_arguments(parser: ArgumentParser, *, reason: bool) -> None:
    """Describe what every deciding verb takes; ``reason`` says whether one is needed."""
    add_ceremony(parser)
    add_what_to_sign(parser, reason=reason)


def add_what_to_sign(parser: ArgumentParser, *, reason: bool) -> None:
    """Describe what goes into a decision, and how it is signed."""
    parser.add_argument(
        "--reason",
        required=reason,
        metavar="TEXT",
        help="why; signers and auditors see it, bundles do not have it",
    )
    parser.add_argument(
        "--role",
        action="append",
        default=[],
        metavar="ROLE",
        help="count in this role alone (default: every role of the rule that you hold); may be repeated",
    )
    parser.add_argument(
        "--for",
        dest="member",
        metavar="PERSON",
        help="decide in the place of this person, who delegated a role to you",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask; for scripts")
    add_artifacts(parser)
    add_passphrase(parser)
    add_home(parser)


def add_approval_arguments(parser: ArgumentParser) -> None:
    """Describe what an approval alone may say."""
    parser.add_argument(
        "--checked",
        action="append",
        default=[],
        metavar="CHECK",
        help="state that you did this check and it passed; may be repeated",
    )
    parser.add_argument(
        "--unchecked-artifacts",
        action="store_true",
        help="approve although not every artifact was found here; the approval says so",
    )
    parser.add_argument(
        "--valid-for",
        type=until_argument,
        metavar="TIME",
        help="let the approval stand only so long: 90m, 72h, 1bd, or until an instant",
    )


def somebody() -> Callable[[str], str] | None:
    """Return how to ask whoever sits at the terminal; none where nobody does."""
    return input if sys.stdin.isatty() and sys.stderr.isatty() else None


def run_verdict(arguments: Namespace, choice: Choice) -> int:
    """Carry out one of the verbs."""
    with opened(arguments) as (agent, settings):
        require_unblocked(agent.home)
        review = look_at(agent, settings, arguments)
        return decide(
            agent,
            choice,
            review,
            arguments,
            person=Person(ask=somebody(), yes=arguments.yes),
            key=lambda: open_key(settings, arguments.passphrase_fd, review.observation.policy),
        )


def decide(
    agent: Agent,
    choice: Choice,
    review: Review,
    arguments: Namespace,
    *,
    person: Person,
    key: Callable[[], PrivateKey],
) -> int:
    """Decide on exactly what is shown; send again what was decided before and not acknowledged."""
    if review.pending is not None:
        return _report(
            settle(agent, review.pending, review.observation), review, choice, arguments, again=True
        )
    require_decidable(review, choice)
    if (own := same_before(review, choice, arguments)) is not None:
        return _report(own, review, choice, arguments, again=True)
    draft, stored = sign_shown(agent, choice, review, arguments, person=person, key=key)
    sent = send(agent, stored, review.observation.policy)
    return _report(sent, review, choice, arguments, draft=draft)


def sign_shown(
    agent: Agent,
    choice: Choice,
    review: Review,
    arguments: Namespace,
    *,
    person: Person,
    key: Callable[[], PrivateKey],
) -> tuple[Draft, Stored]:
    """Show everything, ask, sign exactly that, and put it on record; whoever calls sends it."""
    if choice is Choice.APPROVAL:
        review.findings.require(unchecked=arguments.unchecked_artifacts)
    draft = draft_decision(
        review,
        choice,
        roles=arguments.role,
        checked=getattr(arguments, "checked", ()),
        reason=_reason(agent, arguments),
        not_after=_not_after(review, arguments),
        member=arguments.member,
    )
    events = consequences(review, draft)
    if arguments.json:
        if review.ceremony.emergency is not None:  # whatever else is read, nobody joins one without this
            for line in banner_of(review.ceremony):
                screen().alarm(*line)
    else:
        shown = screen()
        draw_review(shown, review)
        draw_draft(shown, review, draft, events)
        shown.line()
    who = decider(review, draft)
    person.confirm(f"{who}: {NOUNS[choice]} of {release_of(review)}.")
    return draft, sign_and_store(agent, draft, key(), review.observation.policy)


def _report(
    stored: Stored,
    review: Review,
    choice: Choice,
    arguments: Namespace,
    *,
    draft: Draft | None = None,
    again: bool = False,
) -> int:
    if arguments.json:
        print_json(
            {**stored_json(stored), "review": review_json(review), **(draft_json(draft) if draft else {})}
        )
    else:
        _draw_report(screen(), stored, review, arguments, again=again)
    if stored.state == "expired":
        return Outcome.ENDED
    if not isinstance(stored.statement, Decision) or stored.statement.choice is not choice:
        raise UsageError(
            f"expected to record {NOUNS[choice]}, but an earlier decision had no receipt and was sent first",
            hint="it is recorded now; run the command again to replace it",
        )
    return 0


def _draw_report(shown: Screen, stored: Stored, review: Review, arguments: Namespace, *, again: bool) -> None:
    what, named = release_of(review), handle_of(review)
    done = (
        YOU[stored.statement.choice] if isinstance(stored.statement, Decision) else "signed something about"
    )
    if stored.state == "expired":
        shown.answer(
            Mark.FAILED, f"Too late: {what} had expired; your decision is on record and does not count"
        )
    else:
        before = " before, and nothing was signed anew" if again else ""
        shown.answer(Mark.DONE, f"You {done} {what}{before}: it is in the log, and the receipt is verified")
    shown.line(f"  ceremony {stored.ceremony} is {stored.state}, as the coordinator says")
    shown.line("  your statement is")
    shown.line(f"    {stored.digest}")
    match stored.state:
        case "approved":
            shown.next("See for yourself that the quorum is met", command(arguments, "show", named))
        case "open":
            shown.next("Who is awaited now", command(arguments, "why", named))
        case _:
            shown.next("What else waits", command(arguments, "inbox"))


def same_before(review: Review, choice: Choice, arguments: Namespace) -> Stored | None:
    """Return the standing decision where it says all that this command would say."""
    own = review.own
    if own is None or own.statement.choice is not choice:
        return None
    seat = seat_of(review, roles=arguments.role, member=arguments.member)
    by = seat.delegation.digest if seat.delegation else None
    if (own.statement.roles, own.statement.delegation) != (seat.roles, by):
        return None
    return next((stored for stored in review.recollection.own if stored.digest == own.digest), None)


def _reason(agent: Agent, arguments: Namespace) -> Annex | None:
    text = getattr(arguments, "reason", None)
    return None if text is None else make_reason(text, agent.randomness)


def _not_after(review: Review, arguments: Namespace) -> datetime | None:
    until: Until | None = getattr(arguments, "valid_for", None)
    if until is None:
        return None
    return resolve_until(until, review.ceremony.policy.calendar, at=review.at)
