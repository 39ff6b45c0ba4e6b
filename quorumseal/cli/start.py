# SPDX-License-Identifier: Apache-2.0
"""Ask for a release: open a ceremony about exactly these files.

The files are hashed here and stay here; what is signed and sent are their names and digests.  The same
request again is the same ceremony, so this is safe to repeat.
"""

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.opening import open_ceremony, opened
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Request, Subject
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli import ceremony_screen, standing
from quorumseal.cli.attachments import add_evidence, attach, locate, name_subjects
from quorumseal.cli.desk import Desk, add_home, command, open_desk
from quorumseal.cli.hashing import hash_files
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.prospects import Prospects, draw_forecast, look_ahead, prospects_json
from quorumseal.cli.show import next_command
from quorumseal.client.errors import CoordinatorRefusedError
from quorumseal.signatures import Envelope
from quorumseal.terminal import Mark
from signer_agent.agent import Agent
from signer_agent.cli.opening import add_passphrase, open_key
from signer_agent.cli.times import until_argument
from signer_agent.drafting import Draft, key_at
from signer_agent.emergency_screen import draw_banner
from signer_agent.observing import observe_policy
from signer_agent.requesting import Opened, Wanted, pending_request, resume, start, write_request


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``start`` takes."""
    add_release(parser)
    parser.add_argument(
        "--supersede", action="store_true", help="take the place of the latest request for this version"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be signed, and sign nothing")
    add_passphrase(parser)
    add_home(parser)
    parser.epilog = "example:\n  quorumseal start widget 1.0 dist/ --ticket REL-7 --evidence sbom:sbom.json"


def add_release(parser: ArgumentParser) -> None:
    """Describe what a release manager asks for, by whichever way it goes to the others."""
    parser.add_argument("product", metavar="PRODUCT", help="what is released")
    parser.add_argument("version", metavar="VERSION", help="which version of it")
    parser.add_argument(
        "artifacts", nargs="+", type=Path, metavar="ARTIFACT", help="a file, or a folder with all its files"
    )
    parser.add_argument(
        "--deadline",
        type=until_argument,
        metavar="TIME",
        help="3bd or 4bh (working time), 8h, 3d, or an instant with its zone (default: the rule's)",
    )
    parser.add_argument("--ticket", metavar="TEXT", help="where this release is talked about")
    add_evidence(parser)
    parser.add_argument(
        "--locator",
        action="append",
        default=[],
        metavar="NAME=URI",
        help="where to fetch an artifact; repeatable",
    )
    parser.add_argument("--on-behalf-of", metavar="PERSON", help="for which person a machine asks")


def run(arguments: Namespace) -> int:
    """Ask."""
    wanted, evidence = read_wanted(arguments)
    with open_desk(arguments) as desk:
        policy = observe_policy(desk.agent)
        superseded = desk.latest(arguments.product, arguments.version) if arguments.supersede else None
        if superseded is not None:
            wanted = replace(wanted, supersedes=superseded.chain.ceremony.request.digest)
        draft = write_request(desk.agent, policy, wanted)
        ceremony = would_open(desk.agent, policy, draft)
        if arguments.dry_run:
            return show_draft(draft, ceremony, policy, arguments)
        for data in evidence:
            desk.connection.put_evidence(data)
        return ask(desk, policy, draft, arguments)


def read_wanted(arguments: Namespace) -> tuple[Wanted, list[bytes]]:
    """Hash the artifacts, read the evidence, and return what is asked for with the evidence's bytes."""
    digests = hash_files(name_subjects(arguments.artifacts))
    evidence = [attach(text) for text in arguments.evidence]
    wanted = Wanted(
        product=arguments.product,
        version=arguments.version,
        subjects=tuple(Subject(name=name, digest=digests[name]) for name in sorted(digests)),
        deadline=arguments.deadline,
        on_behalf_of=arguments.on_behalf_of,
        ticket=arguments.ticket,
        evidence=[described for described, _ in evidence],
        locators=[locate(text) for text in arguments.locator],
    )
    return wanted, [data for _, data in evidence]


def ask(desk: Desk, policy: SignedPolicy, draft: Draft, arguments: Namespace) -> int:
    """Sign and send a request, and say what came of it."""
    opened = _open(desk, policy, draft, arguments)
    at = desk.agent.now()
    ceremony = desk.look(opened.ceremony).chain.ceremony
    return _report(opened, ceremony, policy, arguments, at, look_ahead(desk, ceremony))


def _open(desk: Desk, policy: SignedPolicy, draft: Draft, arguments: Namespace) -> Opened:
    """Sign and send, or send again what was signed before; what is refused for good is not tried again."""
    stored = pending_request(desk.agent, draft)
    try:
        if stored is not None:
            return resume(desk.agent, stored, policy)
        key = open_key(desk.settings, arguments.passphrase_fd, policy)
        return start(desk.agent, draft, key, policy)
    except CoordinatorRefusedError as refusal:
        if not refusal.retryable:
            desk.agent.journal.make_void(stored.digest if stored else draft.digest, refusal.code)
        raise


def would_open(agent: Agent, policy: SignedPolicy, draft: Draft) -> Ceremony:
    """Return the ceremony that the request would open, or refuse it as the rules would, but unsigned."""
    request, at = draft.statement, agent.now()
    assert isinstance(request, Request)  # noqa: S101 - what a request's draft is
    unsigned = Signed(
        request,
        Envelope(payload=draft.payload, signature=b""),
        key_at(policy, agent.name, at),
        draft.digest,
    )
    return opened(policy.policy, open_ceremony(policy.policy, unsigned, at=max(at, request.opened_at)))


def show_draft(draft: Draft, ceremony: Ceremony, policy: SignedPolicy, arguments: Namespace) -> int:
    """Show what would be signed."""
    if arguments.json:
        print_json({"statement": draft.digest, "payload": draft.payload.decode()})
        return 0
    drawn = screen()
    drawn.answer(Mark.WAITING, f"would ask for {ceremony_screen.release_name(ceremony)}; nothing was signed")
    draw_banner(drawn, ceremony)
    ceremony_screen.draw_request(drawn, ceremony, policy)
    ceremony_screen.draw_texts(drawn, ceremony.request.statement, draft.annexes)
    drawn.heading("Quorum")
    standing.draw_lanes(drawn, ceremony, ceremony.request.statement.opened_at)
    ceremony_screen.draw_artifacts(drawn, ceremony)
    ceremony_screen.draw_evidence(drawn, ceremony)
    return 0


def _report(
    opened: Opened,
    ceremony: Ceremony,
    policy: SignedPolicy,
    arguments: Namespace,
    at: datetime,
    ahead: Prospects | None,
) -> int:
    request = ceremony.request.statement
    if arguments.json:
        print_json(
            {
                "created": opened.created,
                **ceremony_screen.ceremony_json(ceremony, policy),
                "awaited": list(standing.awaited_of(ceremony, at)),
                "deadline": exact(request.deadline),
                "deadline_seconds": int((request.deadline - request.opened_at).total_seconds()),
                **prospects_json(ahead),
            }
        )
        return 0
    drawn, what = screen(), ceremony_screen.release_name(ceremony)
    if opened.created:
        drawn.answer(Mark.DONE, f"asked for {what}: its ceremony is open, and the receipt is verified")
    else:
        drawn.answer(Mark.DONE, f"{what} had been asked for before, and nothing was signed anew")
    ceremony_screen.draw_request(drawn, ceremony, policy)
    standing.draw_lanes(drawn, ceremony, at)
    if ahead is not None:
        draw_forecast(drawn, ahead)
    if ceremony.state is State.OPEN:  # a release has one open ceremony at most
        ordinary = request.kind is Kind.RELEASE
        named = f"{request.product}@{request.version}" if ordinary else opened.ceremony
        drawn.next("See it happen", command(arguments, "watch", named))
    else:
        drawn.next(*next_command(ceremony, opened.ceremony, arguments))
    return 0
