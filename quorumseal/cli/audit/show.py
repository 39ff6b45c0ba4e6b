# SPDX-License-Identifier: Apache-2.0
"""Show the quorum record of a release: who, what, when, by which key, under the policy as of then.

And what each signer had seen, and how the quorum was counted.  Of PRODUCT@VERSION the ceremony that released
it is drawn, and the others are named; --json gives all of them, each with the proof that the log has it.
"""

from argparse import ArgumentParser, Namespace
from dataclasses import replace

from quorumseal.audit.answer import name_of
from quorumseal.audit.population import Audited
from quorumseal.audit.shown import Shown, find, foremost, show
from quorumseal.ceremony.commitments import commitments
from quorumseal.cli.audit.opened import Opened, next_command, opened_audit
from quorumseal.cli.audit.shown_screen import draw_shown
from quorumseal.cli.audit.source import add_source
from quorumseal.cli.output import print_json, screen
from quorumseal.terminal import Mark
from quorumseal.verifier.outcomes import Outcome


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``audit show`` takes."""
    parser.add_argument(
        "release", metavar="RELEASE", help="PRODUCT@VERSION, a ceremony's id, or the beginning of it"
    )
    add_source(parser)
    parser.epilog = "example:\n  quorumseal audit show widget@1.0"


def run(arguments: Namespace) -> int:
    """Show it."""
    with opened_audit(arguments) as opened:
        found = find(opened.population, arguments.release)
        wanted = found if arguments.json else (foremost(found),)
        shown = [show(opened.population, opened.copy, _with_texts(each, opened)) for each in wanted]
    contradicted = any(each.contradicted for each in shown)
    if arguments.json:
        print_json({"records": [each.to_json() for each in shown], "log": opened.to_json()})
    else:
        _draw(arguments, shown[0], found, opened)
    return Outcome.LOG_PROOF if contradicted else Outcome.VERIFIED


def _with_texts(audited: Audited, opened: Opened) -> Audited:
    """Add the texts that the statements commit to, where a live coordinator has them still."""
    if opened.desk is None:
        return audited
    bound = {each for _, statement in audited.statements for each in commitments(statement)}
    given = opened.desk.connection.ceremony(audited.id).annexes if bound else ()
    return replace(audited, texts={each.commitment: each.text for each in given if each.commitment in bound})


def _draw(arguments: Namespace, shown: Shown, found: tuple[Audited, ...], opened: Opened) -> None:
    drawn = screen()
    draw_shown(drawn, shown)
    others = [each for each in found if each.id != shown.audited.id]
    if others:
        drawn.heading("Other ceremonies of this release")
        for each in others:
            drawn.item(Mark.WAITING, f"{name_of(each)}: {each.state}")
            drawn.note(f"ceremony {each.id}")
    drawn.heading("Log")
    opened.draw(drawn)
    drawn.next(
        "With everything that proves it",
        [*next_command(arguments, "audit", "show", shown.audited.id), "--json"],
    )
