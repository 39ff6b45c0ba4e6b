# SPDX-License-Identifier: Apache-2.0
"""Let somebody leave: show what rests on them, then propose the policy without them.

They stop counting once the change is in force; what they approved before stands.  Where that is too late,
two guardians suspend them at once.  A role that would be left with too few needs somebody in their place.
"""

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from quorumseal.ceremony.leaving import Offboarding, offboarding, without_person
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.policy import GOVERNED, Policy
from quorumseal.ceremony.seconding import PAIR
from quorumseal.ceremony.values import name
from quorumseal.cli.attachments import attach
from quorumseal.cli.desk import Desk, add_home, command, open_desk
from quorumseal.cli.output import Json, print_json, screen
from quorumseal.cli.policy.propose import add_asked, ask_both, asked_words
from quorumseal.refusal import Refusal
from quorumseal.terminal import Mark, Screen, instant_text
from signer_agent.inbox import open_inbox
from signer_agent.observing import observe_policy, observe_standing
from signer_agent.proposing import Asked, write_proposal
from signer_agent.screen import name_of
from signer_agent.taking_out import guardians_beside


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``org offboard`` takes."""
    parser.add_argument("person", metavar="PERSON", help="who leaves, by name")
    parser.add_argument(
        "--replace",
        action="append",
        default=[],
        type=_replacement,
        metavar="ROLE=NAME",
        help="who takes their place in a role; repeatable",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what it means, and propose nothing")
    add_asked(parser)
    add_home(parser)
    parser.epilog = "example:\n  quorumseal org offboard erin --replace engineering=gil"


def run(arguments: Namespace) -> int:
    """Show what it means that somebody leaves; ask, and propose the policy without them."""
    with open_desk(arguments) as desk:
        leaving = _look(desk, arguments.person)
        if not arguments.json:
            _draw(screen(), leaving)
        policy = observe_policy(desk.agent)
        following = without_person(policy, leaving.person, dict(arguments.replace), at=desk.agent.now())
        if arguments.dry_run:
            return _stop(leaving, policy.policy, arguments)
        given = [attach(text) for text in arguments.evidence]
        asked = Asked(
            deadline=arguments.deadline,
            ticket=arguments.ticket,
            evidence=[described for described, _ in given],
            supersede=arguments.supersede,
        )
        proposal = write_proposal(desk.agent, following, asked)
        for _, data in given:
            desk.connection.put_evidence(data)
        if not arguments.json:
            drawn = screen()
            _draw_besides(drawn, leaving.person, policy.policy, arguments)
            drawn.line()
        return ask_both(desk, proposal, arguments)


def _look(desk: Desk, person: str) -> Offboarding:
    """Look at everything that is open, and at who stands in for whom."""
    standing = observe_standing(desk.agent)
    ceremonies = [review.ceremony for review in open_inbox(desk.agent).reviews]
    return offboarding(standing.policy.policy, person, ceremonies, standing.standing, at=desk.agent.now())


def _draw(drawn: Screen, leaving: Offboarding) -> None:
    person = leaving.person
    count = len({c.request.digest for c in (*leaving.asked, *leaving.counted, *leaving.short)})
    what = f"{_counted(len(leaving.roles), 'role')} and {_counted(count, 'open ceremony', 'open ceremonies')}"
    drawn.answer(Mark.WARNING if count or leaving.empty else Mark.WAITING, f"{person} would leave {what}")
    if leaving.roles:
        drawn.heading("Roles")
    for role, left in leaving.roles.items():
        mark = Mark.FAILED if not left else Mark.WARNING if len(left) == 1 else Mark.DONE
        drawn.item(mark, f"{role}: {_left(left)}")
    for words, names in (
        ("stands in, where asked to, in", leaving.deputy),
        ("is told when these roles are late:", leaving.leads),
        ("may move deadlines under", leaving.extends),
    ):
        if names:
            drawn.item(Mark.WAITING, f"{person} {words} {', '.join(names)}")
    for title, ceremonies in (
        (f"Open, and {person} asked for it: it goes on; cancel it, or ask again", leaving.asked),
        (f"Open, and {person}'s approval counts: what is logged by then stays", leaving.counted),
        (f"Open, and without {person} nobody is left to meet its quorum", leaving.short),
    ):
        if ceremonies:
            drawn.heading(title)
        for ceremony in ceremonies:
            drawn.item(Mark.WARNING, _ceremony(ceremony))
    if leaving.delegations:
        drawn.heading("Delegations that end")
    for delegation in leaving.delegations:
        drawn.item(
            Mark.WARNING,
            f"{delegation.deputy} for {delegation.context.signer} in {delegation.role}, "
            f"until {instant_text(delegation.until)}",
        )
    drawn.heading("Keys that no policy lists from then on")
    for key in leaving.keys:
        drawn.line(f"    {key}")


def _draw_besides(drawn: Screen, person: str, policy: Policy, arguments: Namespace) -> None:
    """Say what a change of the policy does not do."""
    drawn.heading("Besides")
    if len(guardians_beside(policy, person)) >= PAIR:
        drawn.item(Mark.WAITING, "until it is in force they count; two guardians can stop that at once:")
        words = "org", "suspend", person, "--until", "7d", "--reason", "leaving"
        drawn.command(command(arguments, *words), indent=4)
    else:
        drawn.item(
            Mark.WARNING, "until it is in force they count; the policy lists no two guardians to stop that"
        )
    drawn.item(Mark.WAITING, "an operator lets their connections in no more:")
    drawn.command(["quorumseal", "org", "revoke-certificate", person], indent=4)


def _stop(leaving: Offboarding, policy: Policy, arguments: Namespace) -> int:
    if arguments.json:
        print_json(_json(leaving))
        return 0
    drawn = screen()
    _draw_besides(drawn, leaving.person, policy, arguments)
    words = ["org", "offboard", leaving.person]
    for role, replacement in arguments.replace:
        words += ["--replace", f"{role}={replacement}"]
    drawn.next("Propose it", command(arguments, *words, *asked_words(arguments)))
    return 0


def _json(leaving: Offboarding) -> Json:
    def ids(ceremonies: tuple[Ceremony, ...]) -> list[Json]:
        return [ceremony.request.statement.ceremony for ceremony in ceremonies]

    return {
        "person": leaving.person,
        "roles": {role: [*sorted(left)] for role, left in leaving.roles.items()},
        "deputy": [*leaving.deputy],
        "leads": [*leaving.leads],
        "extends": [*leaving.extends],
        "asked": ids(leaving.asked),
        "counted": ids(leaving.counted),
        "short": ids(leaving.short),
        "delegations": [
            {"member": each.context.signer, "role": each.role, "deputy": each.deputy}
            for each in leaving.delegations
        ],
        "keys": [*leaving.keys],
    }


def _ceremony(ceremony: Ceremony) -> str:
    request = ceremony.request.statement
    named = request.ceremony if request.kind in GOVERNED else f"{request.product}@{request.version}"
    return f"{name_of(ceremony)} ({named})"


def _left(left: frozenset[str]) -> str:
    if not left:
        return "nobody is left; name somebody with --replace"
    return f"{', '.join(sorted(left))} {'alone is' if len(left) == 1 else 'are'} left"


def _counted(number: int, one: str, more: str = "") -> str:
    return f"{number} {one if number == 1 else more or one + 's'}"


def _replacement(text: str) -> tuple[str, str]:
    role, equals, person = text.partition("=")
    try:
        if equals:
            return name(role), name(person)
    except Refusal as refusal:
        raise ArgumentTypeError(str(refusal)) from None
    raise ArgumentTypeError(f"expected ROLE=NAME, got {text}")
