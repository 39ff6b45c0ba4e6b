# SPDX-License-Identifier: Apache-2.0
"""Say when you are away and who stands in for you, or see who is away.

Nothing is decided by it: an absence warns those who wait, and a delegation lets a deputy whom the policy
lists decide in your place.  A day means its beginning, in the time zone of the policy.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import datetime

from quorumseal.ceremony.statements import StandingAct
from quorumseal.ceremony.values import instant_text, whole_milliseconds
from quorumseal.terminal import Mark
from signer_agent.absences import Away, after, pending_acts, record, settle_standing, write_away, write_back
from signer_agent.agent import Agent
from signer_agent.away_screen import (
    act_text,
    all_shortages,
    draw_shortages,
    draw_standing,
    standing_json,
)
from signer_agent.cli.opening import add_home, add_passphrase, command, open_key, opened, print_json, screen
from signer_agent.cli.times import moment_argument
from signer_agent.cli.verdict import Person, somebody
from signer_agent.deadlines import moment
from signer_agent.drafting import Draft
from signer_agent.errors import UsageError
from signer_agent.fork import require_unblocked
from signer_agent.observing import ObservedStanding, observe_standing
from signer_agent.remaining import Shortage
from signer_agent.settings import Settings


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``away`` takes."""
    parser.add_argument(
        "--from",
        dest="since",
        type=moment_argument,
        metavar="TIME",
        help="from then on: a day such as 2026-12-24, an instant, or how long from now (default: now)",
    )
    parser.add_argument(
        "--until",
        type=moment_argument,
        metavar="TIME",
        help="until then: a day, an instant, or how long (5bd, 2w)",
    )
    parser.add_argument("--delegate", metavar="PERSON", help="a listed deputy, who may stand in for you")
    parser.add_argument(
        "--role",
        action="append",
        default=[],
        metavar="ROLE",
        help="what they stand in as (default: the one role where they are a deputy); may be repeated",
    )
    parser.add_argument(
        "--withdraw", action="store_true", help="be back: end your absence and your delegations"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask; for scripts")
    add_passphrase(parser)
    add_home(parser)


def run(arguments: Namespace) -> int:
    """Show who is away, or say that somebody is."""
    _check(arguments)
    with opened(arguments) as (agent, settings):
        require_unblocked(agent.home)
        seen = observe_standing(agent)
        for stored in pending_acts(agent):
            settle_standing(agent, stored, seen)
            seen = observe_standing(agent)
        if arguments.until is None and not arguments.withdraw:
            return _show(agent, seen, arguments)
        return _say(agent, settings, seen, arguments)


def _check(arguments: Namespace) -> None:
    said = arguments.since is not None or arguments.delegate is not None or arguments.role
    if arguments.withdraw and (said or arguments.until is not None):
        raise UsageError(
            "expected --withdraw alone, got it with a time or a deputy",
            hint="withdraw first; then say anew when you are away",
        )
    if said and arguments.until is None and not arguments.withdraw:
        raise UsageError(
            "expected --until, since nobody is away for ever, got none",
            hint="say until when: --until 2026-12-28, or --until 5bd",
        )
    if arguments.role and arguments.delegate is None:
        raise UsageError("expected --delegate PERSON with --role, got none")


def _show(agent: Agent, seen: ObservedStanding, arguments: Namespace) -> int:
    policy, at = seen.policy.policy, agent.now()
    if arguments.json:
        print_json(standing_json(policy, seen.standing, at=at))
        return 0
    shown = screen()
    draw_standing(shown, policy, seen.standing, at=at)
    mine = agent.name in {a for a in seen.standing.absences if seen.standing.away(a, at=at)}
    if mine:
        shown.next("When you are back", command(arguments, "away", "--withdraw"))
    else:
        shown.next("To say when you are away", command(arguments, "away", "--until", "TIME"))
    return 0


def _say(agent: Agent, settings: Settings, seen: ObservedStanding, arguments: Namespace) -> int:
    """Show what would be signed and what would lack, ask, sign and send; what stands is not signed again."""
    policy, at = seen.policy.policy, agent.now()
    if arguments.withdraw:
        drafts = write_back(agent, seen)
    else:
        drafts = write_away(agent, seen, _away(seen, arguments, at))
    then = after(agent, seen, drafts)
    if not arguments.json and drafts:
        _preview(drafts, all_shortages(policy, then, at))
    if drafts:
        what = "it" if len(drafts) == 1 else f"these {len(drafts)} statements"
        Person(ask=somebody(), yes=arguments.yes).confirm(f"{agent.name}: record {what}.")
        key = open_key(settings, arguments.passphrase_fd, seen.policy)
        record(agent, drafts, key, seen.policy)
    if arguments.json:
        signed = [draft.digest for draft in drafts]
        print_json({"signed": signed, **standing_json(policy, then, at=at)})
        return 0
    shown = screen()
    if drafts:
        shown.answer(Mark.DONE, "It is in the log, and every receipt is verified")
    else:
        shown.answer(Mark.DONE, "That stands already, and nothing was signed")
    shown.next("Who is away", command(arguments, "away"))
    return 0


def _preview(drafts: Sequence[Draft], lacking: Sequence[Shortage]) -> None:
    shown = screen()
    shown.answer(Mark.WAITING, "What you would say, signed and on record for everybody in the organisation:")
    for draft in drafts:
        assert isinstance(draft.statement, StandingAct)  # noqa: S101 - what was written
        shown.item(Mark.WAITING, act_text(draft.statement))
    draw_shortages(shown, lacking)
    shown.line()


def _away(seen: ObservedStanding, arguments: Namespace, at: datetime) -> Away:
    calendar = seen.policy.policy.calendar
    since = at if arguments.since is None else moment(arguments.since, calendar, at=at)
    until = moment(arguments.until, calendar, at=since)
    if since >= until:
        raise UsageError(
            f"expected --until after the beginning {instant_text(since)}, got {instant_text(until)}"
        )
    return Away(
        since=whole_milliseconds(since), until=until, deputy=arguments.delegate, roles=tuple(arguments.role)
    )
