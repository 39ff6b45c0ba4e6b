# SPDX-License-Identifier: Apache-2.0
"""``break-glass …``: release in an emergency by fewer people, or stop it, and answer for it afterwards."""

import sys
from argparse import ArgumentParser, Namespace
from dataclasses import replace

from quorumseal.ceremony.statements import Report, Veto
from quorumseal.cli.acting import Acted, act, add_act
from quorumseal.cli.ceremony_screen import release_name
from quorumseal.cli.desk import add_home, command, open_desk
from quorumseal.cli.kinds import is_emergency
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.start import add_release, ask, read_wanted, show_draft, would_open
from quorumseal.cli.table import Command, Verb
from quorumseal.cli.texts import add_text, read_text
from quorumseal.cli.wait import duration
from quorumseal.terminal import Mark
from signer_agent.cli.opening import add_passphrase
from signer_agent.cli.verdict import Person
from signer_agent.documents import stored_json
from signer_agent.draft_screen import draw_act
from signer_agent.drafting import Draft
from signer_agent.emergencies import Alarm, write_emergency, write_report, write_veto
from signer_agent.emergency_screen import banner_of, draw_banner
from signer_agent.observing import observe_policy
from signer_agent.review import Review


def _add_start_arguments(parser: ArgumentParser) -> None:
    add_release(parser)
    parser.add_argument(
        "--reason", required=True, metavar="CODE", help="one of the reasons that the rule's break_glass lists"
    )
    parser.add_argument("--incident", required=True, metavar="TEXT", help="which incident this is for")
    add_alarm(parser)
    parser.add_argument(
        "--supersede", action="store_true", help="take the place of the latest request for this version"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be signed, and sign nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask; for scripts")
    add_passphrase(parser)
    add_home(parser)
    parser.epilog = (
        "example:\n  quorumseal break-glass start widget 1.0.1 dist/ --reason outage --incident INC-7 \\\n"
        "    --why-file why.txt --impact 'nobody can sign in'"
    )


def add_alarm(parser: ArgumentParser) -> None:
    """Describe what else is said by whoever breaks the glass, by whichever way it goes to the others."""
    add_text(parser, "why", "why it cannot wait, in 40 characters or more")
    add_text(parser, "impact", "what happens to whom meanwhile")
    parser.add_argument(
        "--people", type=int, metavar="N", help="how many must join (default: as the rules demand now)"
    )
    parser.add_argument(
        "--provisional-for", type=duration, metavar="TIME", help="how long its bundle may count at most"
    )
    parser.add_argument(
        "--ratify-within", type=duration, metavar="TIME", help="how long it may be ratified at most"
    )


def read_alarm(arguments: Namespace, reason: str) -> Alarm:
    """Return what is said, asking for the texts where they were not given."""
    return Alarm(
        reason=reason,
        incident=arguments.incident,
        why=read_text(arguments, "why", "Why can it not wait?"),
        impact=read_text(arguments, "impact", "What happens to whom meanwhile?"),
        people=arguments.people,
        provisional=arguments.provisional_for,
        ratify=arguments.ratify_within,
    )


def start(arguments: Namespace) -> int:
    """Break the glass: ask for a release by fewer people, while everybody is told and anybody may stop it.

    What comes of it is provisional.  The full quorum ratifies it, or it lapses; a report is owed.
    """
    wanted, evidence = read_wanted(arguments)
    alarm = read_alarm(arguments, arguments.reason)
    with open_desk(arguments) as desk:
        policy = observe_policy(desk.agent)
        if arguments.supersede:
            latest = desk.latest(arguments.product, arguments.version)
            wanted = replace(wanted, supersedes=latest.chain.ceremony.request.digest)
        draft = write_emergency(desk.agent, policy, wanted, alarm)
        ceremony = would_open(desk.agent, policy, draft)
        if arguments.dry_run or not arguments.json:
            show_draft(draft, ceremony, policy, arguments)
        if arguments.dry_run:
            return 0
        _person(arguments).confirm(
            f"{desk.agent.name}: break the glass for {wanted.product} {wanted.version}. Everybody is told."
        )
        for data in evidence:
            desk.connection.put_evidence(data)
        return ask(desk, policy, draft, arguments)


def _add_veto_arguments(parser: ArgumentParser) -> None:
    add_act(parser)
    add_text(parser, "why", "why it must not be released")


def veto(arguments: Namespace) -> int:
    """Stop an open emergency: it ends as rejected, and the next one for the release needs three people.

    Any member of any role may, as long as it is open; nobody may stop the same release twice.
    """
    why = read_text(arguments, "why", "Why must it not be released?")
    with open_desk(arguments) as desk:
        arguments.ceremony = desk.look(arguments.ceremony, is_emergency).chain.id
        acted = act(
            desk,
            arguments,
            Veto,
            write=lambda review: write_veto(desk.agent, review, why),
            ask=lambda review, draft: _shown(
                review, draft, arguments, "It ends the emergency at once.", "stop"
            ),
        )
    what = release_name(acted.review.ceremony)
    return _report(
        acted, arguments, f"{what} is stopped: your veto is in the log, and the receipt is verified"
    )


def _add_report_arguments(parser: ArgumentParser) -> None:
    add_act(parser)
    add_text(parser, "text", "what happened, in 40 characters or more")


def report(arguments: Namespace) -> int:
    """Tell what happened in an emergency that was used.  Only somebody who took no part in it may.

    While a report is late, the next emergency needs three people.
    """
    text = read_text(arguments, "text", "What happened, and what comes of it?")
    with open_desk(arguments) as desk:
        arguments.ceremony = desk.look(arguments.ceremony, is_emergency).chain.id
        acted = act(
            desk,
            arguments,
            Report,
            write=lambda review: write_report(desk.agent, review, text),
            ask=lambda review, draft: _shown(
                review, draft, arguments, "It goes on record, for signers and auditors.", "report on"
            ),
        )
    what = release_name(acted.review.ceremony)
    return _report(acted, arguments, f"the report on {what} is in the log, and the receipt is verified")


def _shown(review: Review, draft: Draft, arguments: Namespace, consequence: str, what: str) -> str:
    """Show what will be signed, under the banner whatever is read, and return what to ask."""
    drawn = screen()
    if arguments.json:
        for line in banner_of(review.ceremony):
            drawn.alarm(*line)
    else:
        drawn.answer(Mark.WARNING, f"you are about to {what} {release_name(review.ceremony)}")
        draw_banner(drawn, review.ceremony)
        draw_act(drawn, review, draft, consequence)
    return f"{what} {release_name(review.ceremony)}."


def _report(acted: Acted, arguments: Namespace, text: str) -> int:
    if arguments.json:
        print_json(stored_json(acted.stored))
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, text)
    drawn.next("What it looks like now", command(arguments, "show", acted.stored.ceremony))
    return 0


def _person(arguments: Namespace) -> Person:
    on_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    return Person(ask=input if on_terminal else None, yes=arguments.yes)


VERBS = {
    "start": Command("ask for a release in an emergency", _add_start_arguments, start, start.__doc__ or ""),
    "join": Verb("signer_agent.cli.join", "review an emergency, and sign that it be released", "agent"),
    "veto": Command("stop an emergency", _add_veto_arguments, veto, veto.__doc__ or ""),
    "ratify": Verb("quorumseal.cli.ratify", "ask the full quorum to make it permanent", "agent"),
    "report": Command("tell what happened", _add_report_arguments, report, report.__doc__ or ""),
    "kit": Verb("quorumseal.cli.kit.make", "write what to print and keep", "agent"),
    "drill": Verb("quorumseal.cli.drill", "see what a rehearsal came to, and whom it reached", "agent"),
}
