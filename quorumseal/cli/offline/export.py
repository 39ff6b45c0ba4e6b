# SPDX-License-Identifier: Apache-2.0
"""Ask for a release in a file, without the coordinator.

The file holds the policy chain and the newest checkpoint that this home has seen, and the request that
`start` would send, signed. Give it to everybody who is to decide, by any way: it holds no secret, and whoever
changes it on its way breaks its signature. The same request again is the same file.
"""

from argparse import ArgumentParser, Namespace
from datetime import datetime
from pathlib import Path

from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import authenticate, signed_as
from quorumseal.ceremony.statements import Request
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli import ceremony_screen, standing
from quorumseal.cli.break_glass import add_alarm, read_alarm
from quorumseal.cli.errors import UsageError
from quorumseal.cli.files import read_file, write_new
from quorumseal.cli.offline.carried import request_name
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.start import add_release, read_wanted, show_draft, would_open
from quorumseal.offline.assembling import open_offline
from quorumseal.offline.files import (
    MAX_FILE_BYTES,
    CarriedRequest,
    KnownOrganisation,
    read_organisation,
    write_request_file,
)
from quorumseal.terminal import Mark
from quorumseal.terminal.words import four_words
from signer_agent.agent import Agent
from signer_agent.cli.opening import add_home, add_passphrase, open_key, unplugged
from signer_agent.cli.verdict import Person, somebody
from signer_agent.drafting import Draft
from signer_agent.emergencies import Alarm, write_emergency
from signer_agent.fork import require_unblocked
from signer_agent.observing import observe_policy
from signer_agent.offline import known_emergencies, known_organisation
from signer_agent.recollection import Stored
from signer_agent.requesting import pending_request, write_request
from signer_agent.settings import Settings
from signer_agent.signing import sign_and_store


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``offline export`` takes."""
    add_release(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: PRODUCT@VERSION.request.json")
    add_organisation(parser)
    parser.add_argument(
        "--break-glass",
        metavar="CODE",
        help="ask in an emergency, for this one of the rule's reasons; needs --incident, --why and --impact",
    )
    parser.add_argument("--incident", metavar="TEXT", help="which incident the emergency is for")
    add_alarm(parser)
    parser.add_argument("--yes", action="store_true", help="break the glass without asking; for scripts")
    parser.add_argument("--dry-run", action="store_true", help="show what would be signed, and sign nothing")
    add_passphrase(parser)
    add_home(parser)
    parser.epilog = "example:\n  quorumseal offline export widget 1.0 dist/ --deadline 6h"


def add_organisation(parser: ArgumentParser) -> None:
    """Let a verb be told the policy by a file, where this home keeps none."""
    parser.add_argument(
        "--organisation",
        type=Path,
        metavar="FILE",
        help="organisation.json of a break-glass kit, for a home that has never seen the coordinator",
    )


def read_given(arguments: Namespace) -> KnownOrganisation | None:
    """Return what a file says of the organisation, unverified, where one is named."""
    if arguments.organisation is None:
        return None
    return read_organisation(read_file(arguments.organisation, "an organisation's policies", MAX_FILE_BYTES))


def run(arguments: Namespace) -> int:
    """Ask, in a file."""
    wanted, _ = read_wanted(arguments)
    alarm = _alarm(arguments)
    with unplugged(arguments, read_given(arguments)) as (agent, settings):
        require_unblocked(agent.home)
        policy = observe_policy(agent)
        if alarm is None:
            draft = write_request(agent, policy, wanted)
        else:
            past = known_emergencies(agent, policy)
            draft = write_emergency(agent, policy, wanted, alarm, past=past)
        ceremony = would_open(agent, policy, draft)
        if arguments.dry_run:
            return show_draft(draft, ceremony, policy, arguments)
        if alarm is not None:
            _confirm(agent, draft, ceremony, policy, arguments)
        stored = sign(agent, settings, draft, policy, arguments)
        return write(agent, stored, policy, arguments, again=stored.digest != draft.digest)


def _alarm(arguments: Namespace) -> Alarm | None:
    if arguments.break_glass is None:
        return None
    if arguments.incident is None:
        raise UsageError(
            "expected --incident with --break-glass, got none", hint="say which incident it is for"
        )
    return read_alarm(arguments, arguments.break_glass)


def _confirm(
    agent: Agent, draft: Draft, ceremony: Ceremony, policy: SignedPolicy, arguments: Namespace
) -> None:
    """Show what breaks the glass, and go on only when somebody says so."""
    if not arguments.json:
        show_draft(draft, ceremony, policy, arguments)
    what = ceremony_screen.release_name(ceremony)
    Person(ask=somebody(), yes=arguments.yes).confirm(f"{agent.name}: break the glass for {what}, in a file.")


def sign(
    agent: Agent, settings: Settings, draft: Draft, policy: SignedPolicy, arguments: Namespace
) -> Stored:
    """Sign a request and put it on record; the same one again is not signed anew while it is open."""
    stored = pending_request(agent, draft)
    if stored is not None:
        assert isinstance(stored.statement, Request)  # noqa: S101 - asked for requests alone
        if agent.now() < stored.statement.deadline:
            return stored
        agent.journal.make_void(stored.digest, "its deadline passed")
    key = open_key(settings, arguments.passphrase_fd, policy)
    return sign_and_store(agent, draft, key, policy)


def write(agent: Agent, stored: Stored, policy: SignedPolicy, arguments: Namespace, *, again: bool) -> int:
    """Write the file, and say to whom it goes; ``again`` where it holds what was signed before."""
    signed = signed_as(Request, authenticate(stored.envelope, policy))
    request, ceremony = signed.statement, open_offline(policy, signed, now=agent.now())[0].ceremony
    out = arguments.out or request_name(request)
    carried = CarriedRequest(known=known_organisation(agent), request=stored.envelope, annexes=stored.annexes)
    write_new(out, write_request_file(carried))
    if arguments.json:
        print_json(
            {
                "file": str(out),
                "signed_anew": not again,
                "ceremony": request.ceremony,
                "request": stored.digest,
                "four_words": four_words(stored.digest),
                "deadline": exact(request.deadline),
                "awaited": _awaited(ceremony, request.opened_at),
                "policy": ceremony_screen.policy_json(policy),
            }
        )
        return 0
    drawn = screen()
    what = ceremony_screen.release_name(ceremony)
    if again:
        drawn.answer(Mark.DONE, f"{what} was asked for before: {out} holds the same request, not signed anew")
    else:
        drawn.answer(Mark.DONE, f"asked for {what} in {out}; no log has it yet")
    ceremony_screen.draw_request(drawn, ceremony, policy)
    drawn.line(f"  to compare aloud (no security check): {four_words(stored.digest)}")
    drawn.line(f"    {stored.digest}")
    standing.draw_lanes(drawn, ceremony, request.opened_at)
    drawn.next(
        "Give the file and the artifacts to each of them, who then say",
        ["quorumseal", "offline", "decide", str(out), "--approve", "--artifacts", "PATH"],
    )
    return 0


def _awaited(ceremony: Ceremony, at: datetime) -> list[str]:
    return list(ceremony.tally(at=at).awaited)
