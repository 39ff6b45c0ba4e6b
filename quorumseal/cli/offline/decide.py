# SPDX-License-Identifier: Apache-2.0
"""Review the request in a file, and sign a decision into another; without the coordinator.

The review is that of `quorumseal review`, the refusals and the journal are those of `quorumseal approve`:
other bytes under a version that you approved are refused, wherever you met them. Without --approve, --reject
or --abstain nothing is signed.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from quorumseal.ceremony.statements import Choice, Request
from quorumseal.cli.errors import UsageError
from quorumseal.cli.files import read_file, replace_file, write_new
from quorumseal.cli.offline.carried import add_request, read_request, statements_name
from quorumseal.cli.offline.vetoing import veto
from quorumseal.cli.output import print_json, screen
from quorumseal.offline.files import (
    MAX_FILE_BYTES,
    CarriedStatements,
    read_statements_file,
    write_statements_file,
)
from quorumseal.refusal import Refusal
from quorumseal.terminal import Mark
from signer_agent.agent import Agent
from signer_agent.cli.looking import sources_of
from signer_agent.cli.opening import open_key, unplugged
from signer_agent.cli.verdict import (
    NOUNS,
    Person,
    add_approval_arguments,
    add_what_to_sign,
    same_before,
    sign_shown,
    somebody,
)
from signer_agent.deciding import require_decidable
from signer_agent.documents import review_json
from signer_agent.fork import require_unblocked
from signer_agent.offline import carried_statements, review_carried
from signer_agent.review import Review
from signer_agent.screen import draw_review, release_of
from signer_agent.settings import Settings


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``offline decide`` takes."""
    add_request(parser)
    choices = parser.add_mutually_exclusive_group()
    for choice, noun in NOUNS.items():
        verb = {Choice.APPROVAL: "approve", Choice.REJECTION: "reject", Choice.ABSTENTION: "abstain"}[choice]
        choices.add_argument(
            f"--{verb}",
            dest="choice",
            action="store_const",
            const=choice,
            help=f"sign {'a' if noun.startswith('r') else 'an'} {noun}",
        )
    choices.add_argument(
        "--veto", action="store_true", help="stop an emergency, with --reason; any member of any role may"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: PRODUCT@VERSION.YOU.signed.json")
    add_approval_arguments(parser)
    add_what_to_sign(parser, reason=False)
    parser.epilog = "example:\n  quorumseal offline decide widget@1.0.request.json --approve --artifacts dist"


def run(arguments: Namespace) -> int:
    """Review, and decide where a decision is named."""
    choice: Choice | None = arguments.choice
    if (choice is Choice.REJECTION or arguments.veto) and arguments.reason is None:
        raise UsageError("expected --reason with --reject or --veto, got none", hint="say why, in a sentence")
    carried = read_request(arguments.request)
    with unplugged(arguments, carried.known) as (agent, settings):
        if choice is not None or arguments.veto:
            require_unblocked(agent.home)
        sources = sources_of(settings, arguments)
        review = review_carried(agent, carried, sources=sources, own=not arguments.veto)
        if arguments.veto:
            return _write(agent, "veto", review, arguments, again=veto(agent, settings, review, arguments))
        if choice is None:
            return _show(review, arguments)
        again = _sign(agent, settings, choice, review, arguments)
        return _write(agent, NOUNS[choice], review, arguments, again=again)


def _sign(agent: Agent, settings: Settings, choice: Choice, review: Review, arguments: Namespace) -> bool:
    """Sign what is shown; return whether the same had been signed before, and nothing was signed now."""
    require_decidable(review, choice)
    if same_before(review, choice, arguments) is not None:
        return True
    sign_shown(
        agent,
        choice,
        review,
        arguments,
        person=Person(ask=somebody(), yes=arguments.yes),
        key=lambda: open_key(settings, arguments.passphrase_fd, review.observation.policy),
    )
    return False


def _show(review: Review, arguments: Namespace) -> int:
    if arguments.json:
        print_json(review_json(review))
        return 0
    drawn = screen()
    draw_review(drawn, review)
    given = [word for path in arguments.artifacts for word in ("--artifacts", str(path))]
    drawn.next(
        "To approve (or --reject --reason …, or --abstain)",
        ["quorumseal", "offline", "decide", str(arguments.request), "--approve", *given],
    )
    return 0


def _write(agent: Agent, what: str, review: Review, arguments: Namespace, *, again: bool) -> int:
    request = review.request.statement
    out = arguments.out or statements_name(request, agent.name)
    carried = carried_statements(agent, request.ceremony)
    _put(out, carried)
    if arguments.json:
        print_json(
            {
                "file": str(out),
                "ceremony": request.ceremony,
                "signed": what,
                "signed_anew": not again,
                "statements": len(carried.statements),
                "review": review_json(review),
            }
        )
        return 0
    drawn = screen()
    before = ", signed before," if again else ""
    drawn.answer(Mark.DONE, f"your {what} of {release_of(review)}{before} is in {out}")
    drawn.line(f"  Bring that file back to {_requester(request)}. No log has it yet: it is in your journal,")
    drawn.line("  and you import it when the coordinator is up again and has the request.")
    drawn.next(
        "What is still missing", ["quorumseal", "offline", "assemble", str(arguments.request), str(out)]
    )
    return 0


def _requester(request: Request) -> str:
    return request.on_behalf_of or request.context.signer


def _put(out: Path, carried: CarriedStatements) -> None:
    """Write the file; in the place of one that holds less of the same, and of nothing else."""
    data = write_statements_file(carried)
    if out.exists() and _is_earlier(out, carried):
        replace_file(out, data)
    else:
        write_new(out, data)


def _is_earlier(out: Path, carried: CarriedStatements) -> bool:
    try:
        earlier = read_statements_file(read_file(out, "your earlier statements", MAX_FILE_BYTES))
    except Refusal:
        return False
    return carried.statements[: len(earlier.statements)] == earlier.statements
