# SPDX-License-Identifier: Apache-2.0
"""Ask for a policy to be changed: both sides at once, the old policy's governance and the new one's.

The policy is compiled, linted and compared with the one in force, and shown before anything is signed.  It
holds once both ceremonies are approved.  The same proposal again asks for what is not asked for yet: so
somebody whom only the new policy knows can ask for the acceptance.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from quorumseal.ceremony.newcomers import explaining
from quorumseal.ceremony.policy import Kind, Policy
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.spans import Until, write_span
from quorumseal.ceremony.statements import Evidence
from quorumseal.ceremony.values import digest_of
from quorumseal.cli import standing
from quorumseal.cli.attachments import add_evidence, attach
from quorumseal.cli.desk import Desk, add_home, command, open_desk
from quorumseal.cli.output import Json, print_json, screen
from quorumseal.cli.policy.files import read_any
from quorumseal.cli.policy.shortcomings import draw_shortcomings
from quorumseal.signatures import PrivateKey
from quorumseal.terminal import Mark, Screen
from signer_agent.cli.opening import add_passphrase, key_file, open_file
from signer_agent.cli.times import until_argument
from signer_agent.cli.verdict import Person, somebody
from signer_agent.differences_screen import counted, differences_json, draw_differences
from signer_agent.new_keys import ENROLMENT_KIND
from signer_agent.newcomers import enrolled
from signer_agent.observing import Observation, observe, observe_policy
from signer_agent.policy_sides import SIDES
from signer_agent.proposing import Asked, Proposal, Proposed, propose, write_proposal


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``policy propose`` takes."""
    parser.add_argument(
        "source",
        nargs="?",
        type=Path,
        default=Path("policy.toml"),
        metavar="POLICY",
        help="the next version (default: policy.toml)",
    )
    add_asked(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would be asked, and sign nothing")
    add_home(parser)
    parser.epilog = "example:\n  quorumseal policy propose policy.toml --ticket GOV-3"


def add_asked(parser: ArgumentParser) -> None:
    """Describe what goes into both requests, and how they are signed."""
    parser.add_argument(
        "--deadline",
        type=until_argument,
        metavar="TIME",
        help="5bd, 3d, or an instant with its zone (default: 7d)",
    )
    parser.add_argument("--ticket", metavar="TEXT", help="where this change is talked about")
    add_evidence(parser)
    parser.add_argument(
        "--supersede", action="store_true", help="take the place of another proposal that is open"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask; for scripts")
    add_passphrase(parser)


def asked_words(arguments: Namespace) -> list[str]:
    """Return the options that say what goes into both requests, for the command after a dry run."""
    words: list[str] = []
    until: Until | None = arguments.deadline
    if until is not None:
        words += ["--deadline", until.isoformat() if isinstance(until, datetime) else write_span(until)]
    if arguments.ticket is not None:
        words += ["--ticket", arguments.ticket]
    for evidence in arguments.evidence:
        words += ["--evidence", evidence]
    return [*words, "--supersede"] if arguments.supersede else words


def run(arguments: Namespace) -> int:
    """Propose it."""
    new = read_any(arguments.source)
    evidence = [attach(text) for text in arguments.evidence]
    with open_desk(arguments) as desk:
        evidence += _joined(desk, new)
        asked = Asked(
            deadline=arguments.deadline,
            ticket=arguments.ticket,
            evidence=[described for described, _ in evidence],
            supersede=arguments.supersede,
        )
        proposal = write_proposal(desk.agent, new, asked)
        if arguments.dry_run:
            return _show(proposal, arguments)
        for _, data in evidence:
            desk.connection.put_evidence(data)
        return ask_both(desk, proposal, arguments)


def _joined(desk: Desk, new: Policy) -> list[tuple[Evidence, bytes]]:
    """Return the statements with which those whom a policy adds enrolled their keys, as evidence."""
    added = new.signers.keys() - observe_policy(desk.agent).policy.signers.keys()
    if not added:
        return []
    shown = explaining(new, added, enrolled(desk.connection, new.organisation))
    return [
        (
            Evidence(
                kind=ENROLMENT_KIND,
                name=f"{enrolment.signer}.enrolment.json",
                media_type="application/json",
                digest=digest_of(data),
            ),
            data,
        )
        for enrolment, data in shown
    ]


def ask_both(
    desk: Desk,
    proposal: Proposal,
    arguments: Namespace,
    keys: Callable[[SignedPolicy], PrivateKey] | None = None,
) -> int:
    """Show what is proposed, ask whoever sits there, sign and send both requests, and say who is awaited."""
    person = Person(ask=somebody(), yes=arguments.yes)
    if person.ask is not None and not arguments.yes and not arguments.json:
        _draw_proposal(screen(), proposal)
    version = proposal.proposed.policy.version
    if any(side.draft for side in proposal.sides):
        person.confirm(f"{desk.agent.name}: propose policy version {version}.")
    proposed = propose(desk.agent, proposal, keys or _keys(desk, arguments))
    sides = [
        (kind, observe(desk.agent, ceremony) if ceremony else None)
        for kind, ceremony in (
            (Kind.POLICY_CHANGE, proposed.change),
            (Kind.POLICY_ACCEPTANCE, proposed.acceptance),
        )
    ]
    if arguments.json:
        print_json(_json(proposal, proposed))
        return 0
    drawn = screen()
    if proposed.created:
        drawn.answer(Mark.DONE, f"policy version {version} is proposed: {_asked_for(proposed)}")
    else:
        drawn.answer(Mark.DONE, f"policy version {version} was proposed before, and nothing was signed anew")
    for kind, seen in sides:
        _draw_side(drawn, kind, seen, proposal, desk.agent.now())
    drawn.next("What the others see", command(arguments, "review", proposed.change))
    return 0


def _keys(desk: Desk, arguments: Namespace) -> Callable[[SignedPolicy], PrivateKey]:
    """Return how to open the key that a policy knows; one that both know is opened once."""
    opened: dict[Path, PrivateKey] = {}

    def key(policy: SignedPolicy) -> PrivateKey:
        file = key_file(desk.settings, policy.policy, desk.agent.now())
        if file not in opened:
            opened[file] = open_file(desk.settings, file, arguments.passphrase_fd)
        return opened[file]

    return key


def _show(proposal: Proposal, arguments: Namespace) -> int:
    if arguments.json:
        print_json(_json(proposal, None))
        return 0
    drawn = screen()
    _draw_proposal(drawn, proposal)
    words = "policy", "propose", str(arguments.source), *asked_words(arguments)
    drawn.next("Propose it", command(arguments, *words))
    return 0


def _draw_proposal(drawn: Screen, proposal: Proposal) -> None:
    policy, found = proposal.proposed.policy, proposal.differences
    mark = Mark.WARNING if any(difference.weakens for difference in found) else Mark.WAITING
    drawn.answer(mark, f"policy version {policy.version} would change {counted(found)}")
    drawn.facts([("  digest", proposal.proposed.digest)])
    draw_differences(drawn, found)
    draw_shortcomings(drawn, policy, at=datetime.now(UTC))
    drawn.heading("Who decides, all distinct people on a side; one person may count on both")
    for side in proposal.sides:
        quorum = side.policy.policy.governance
        roles = side.policy.policy.roles
        for threshold in quorum:
            who = ", ".join(sorted(roles[threshold.role].members))
            drawn.item(Mark.WAITING, f"{SIDES[side.kind]}: {threshold.count} of {threshold.role} ({who})")
        if side.refusal is not None:
            drawn.item(Mark.WARNING, f"{SIDES[side.kind]}: somebody else has to ask: {side.refusal}")


def _draw_side(drawn: Screen, kind: Kind, seen: Observation | None, proposal: Proposal, at: datetime) -> None:
    side = next(side for side in proposal.sides if side.kind is kind)
    drawn.heading(f"The {SIDES[kind]}, under version {side.policy.policy.version}")
    if seen is None:
        drawn.item(Mark.WARNING, f"nobody has asked for it yet: {side.refusal}")
        drawn.item(
            Mark.WAITING, "whoever governs the new version runs: quorumseal policy propose, on this file"
        )
        return
    standing.draw_lanes(drawn, seen.chain.ceremony, at)
    drawn.facts([("  ceremony", seen.chain.id)])


def _asked_for(proposed: Proposed) -> str:
    if len(proposed.created) == 2:
        return "both sides are asked, and the receipts are verified"
    return f"the {SIDES[proposed.created[0]]} is asked, and the receipt is verified"


def _json(proposal: Proposal, proposed: Proposed | None) -> Json:
    return {
        "version": proposal.proposed.policy.version,
        "digest": proposal.proposed.digest,
        "differences": differences_json(proposal.differences),
        "change": proposed.change if proposed else None,
        "acceptance": proposed.acceptance if proposed else None,
        "created": [str(kind) for kind in proposed.created] if proposed else [],
    }
