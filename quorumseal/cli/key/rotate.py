# SPDX-License-Identifier: Apache-2.0
"""Make your next signing key beside the old one, and propose the policy that lists both for a while.

Both keys sign that the new one is yours; whoever reviews the change sees that.  Until the change is in force
the agent signs with the old key, then with the new one, and in what was opened before still with the old.
`--finish` ends that.  The same command again goes on where it was interrupted.
"""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import timedelta
from pathlib import Path

from quorumseal.ceremony.key_rotation import EVIDENCE_KIND, EVIDENCE_MEDIA_TYPE
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_document import SignedPolicy, read_policy
from quorumseal.ceremony.policy_writing import policy_text
from quorumseal.ceremony.request_errors import OpenCeremonyExistsError
from quorumseal.ceremony.rotating import USUAL_OVERLAP, rotate_key
from quorumseal.ceremony.statements import Evidence
from quorumseal.ceremony.values import digest_of
from quorumseal.cli.attachments import attach
from quorumseal.cli.desk import Desk, add_home, command, open_desk
from quorumseal.cli.files import write_new
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.policy.propose import add_asked, ask_both
from quorumseal.terminal import Mark, duration_text, instant_text, parse_duration
from signer_agent.cli.opening import passphrases_of
from signer_agent.errors import NoRotationError
from signer_agent.inbox import open_inbox
from signer_agent.key_rotating import Rotation, begin_rotation, finish_rotation, in_force
from signer_agent.key_sources import open_with_passphrase
from signer_agent.observing import observe_policy
from signer_agent.policy_sides import proposals
from signer_agent.proposing import Asked, write_proposal


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``key rotate`` takes."""
    parser.add_argument(
        "--overlap",
        type=_duration,
        default=USUAL_OVERLAP,
        metavar="TIME",
        help=f"how long the old key stays valid (default: {duration_text(USUAL_OVERLAP)})",
    )
    parser.add_argument("--finish", action="store_true", help="go on with the new key alone")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write the next policy here, for somebody else to propose"
    )
    add_asked(parser)
    add_home(parser)
    parser.epilog = "example:\n  quorumseal key rotate --overlap 30d"


def run(arguments: Namespace) -> int:
    """Begin a rotation, go on with one, or finish it."""
    with open_desk(arguments) as desk:
        policy = observe_policy(desk.agent)
        if arguments.finish:
            return _finish(desk, policy.policy, arguments)
        if in_force(desk.settings, policy.policy, at=desk.agent.now()) is not None:
            raise NoRotationError(
                f"expected a key to rotate, got one whose next key version {policy.policy.version} lists",
                hint="finish that rotation first: `quorumseal key rotate --finish`",
            )
        if arguments.out is None and not arguments.supersede:
            _require_no_proposal(desk, policy)
        rotation = _begin(desk, policy, arguments)
        old, new = rotation.old.public, rotation.new.public
        following = rotate_key(policy, desk.agent.name, old, new, at=rotation.at, overlap=arguments.overlap)
        if arguments.out is not None:
            return _hand_on(rotation, following, arguments)
        return _propose(desk, rotation, following, arguments)


def _begin(desk: Desk, policy: SignedPolicy, arguments: Namespace) -> Rotation:
    settings, agent = desk.settings, desk.agent
    old, passphrase = open_with_passphrase(
        settings.key_file, passphrases_of(settings, arguments.passphrase_fd)
    )
    rotation = begin_rotation(
        agent.home,
        settings,
        policy.policy,
        old,
        passphrase,
        at=agent.now(),
        randomness=agent.randomness,
    )
    if not arguments.json:
        said = "is there already" if rotation.begun_before else "is made, under the same passphrase"
        screen().talk(f"the new key {said}: {rotation.file}")
    return rotation


def _require_no_proposal(desk: Desk, policy: SignedPolicy) -> None:
    """Refuse to go on beside a proposal of somebody else, before a key is made for nothing.

    Of the rotation's own proposal the signer's next key is part: that one is gone on with.
    """
    following = desk.settings.next_key
    for seen in proposals(desk.agent, policy.policy.version + 1, policy):
        ceremony = seen.chain.ceremony
        if ceremony.state is not State.OPEN or ceremony.proposed is None:
            continue
        signers = read_policy(ceremony.proposed).signers
        keys = signers[desk.agent.name].keys if desk.agent.name in signers else ()
        if following is None or all(key.key.key_id != following.key_id for key in keys):
            kept = "no key was made" if following is None else f"your new key stays in {following.file}"
            raise OpenCeremonyExistsError(
                f"expected no other proposal of policy version {policy.policy.version + 1}, "
                f"got {seen.chain.id}, which is open",
                hint=f"{kept}; give the same command once that has ended, or now with --supersede",
            )


def _propose(desk: Desk, rotation: Rotation, following: Policy, arguments: Namespace) -> int:
    given = [attach(text) for text in arguments.evidence]
    statement = Evidence(
        kind=EVIDENCE_KIND,
        name=rotation.statement_file.name,
        media_type=EVIDENCE_MEDIA_TYPE,
        digest=digest_of(rotation.statement),
    )
    asked = Asked(
        deadline=arguments.deadline,
        ticket=arguments.ticket,
        evidence=[statement, *(described for described, _ in given)],
        supersede=arguments.supersede,
    )
    proposal = write_proposal(desk.agent, following, asked)
    for data in (rotation.statement, *(data for _, data in given)):
        desk.connection.put_evidence(data)
    return ask_both(desk, proposal, arguments, rotation.key_for)


def _hand_on(rotation: Rotation, following: Policy, arguments: Namespace) -> int:
    write_new(arguments.out, policy_text(following).encode())
    if arguments.json:
        print_json({"policy": str(arguments.out), "statement": str(rotation.statement_file)})
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"policy version {following.version} with your new key is in {arguments.out}")
    drawn.facts([("  statement", str(rotation.statement_file))])
    evidence = f"{EVIDENCE_KIND}:{rotation.statement_file}"
    words = ["quorumseal", "policy", "propose", str(arguments.out), "--evidence", evidence]
    drawn.next("Whoever governs the policy proposes it", words)
    return 0


def _finish(desk: Desk, policy: Policy, arguments: Namespace) -> int:
    waiting = [*open_inbox(desk.agent).waiting] if desk.settings.next_key else []
    at = desk.agent.now()
    following = desk.settings.next_key
    former = finish_rotation(desk.agent.home, desk.settings, policy, waiting, at=at)
    assert following is not None  # noqa: S101 - else there was nothing to finish
    if arguments.json:
        print_json({"key": following.key_id, "file": str(following.file), "former": str(former)})
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"{desk.agent.name} signs with the new key alone")
    drawn.facts(
        [("  key", following.key_id), ("  file", str(following.file)), ("  the old one", str(former))]
    )
    still = [k for k in policy.signer(desk.agent.name).keys if k.key.key_id != following.key_id]
    for key in (k for k in still if k.valid_at(at)):
        drawn.item(Mark.WARNING, f"the old key is valid until {instant_text(key.valid_until)}: keep it safe")
    drawn.next("The keys of everybody", command(arguments, "key", "list"))
    return 0


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
