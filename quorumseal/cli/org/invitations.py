# SPDX-License-Identifier: Apache-2.0
"""List who was invited, and what became of it. Codes are not in the list: nobody has them any more."""

from argparse import ArgumentParser, Namespace

from coordinator.inviting import InvitationState, Listed
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.own_coordinator import add_settings, own_coordinator
from quorumseal.terminal import Mark, instant_text


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``org invitations`` takes."""
    add_settings(parser)


def run(arguments: Namespace) -> int:
    """List."""
    with own_coordinator(arguments) as (settings, door):
        listed = door.inviting().invitations()
    if arguments.json:
        print_json([_json(each) for each in listed])
        return 0
    drawn = screen()
    open_ = sum(each.state is InvitationState.OPEN for each in listed)
    many = "1 invitation" if len(listed) == 1 else f"{len(listed)} invitations"
    mark = Mark.WAITING if open_ else Mark.DONE
    drawn.answer(mark, f"{many} to {settings.organisation}, {open_} open")
    if listed:
        drawn.table(
            ["who", "", "state", "made", "expires"],
            [
                [
                    each.signer,
                    "founder" if each.founder else "",
                    str(each.state),
                    instant_text(each.made),
                    instant_text(each.expires),
                ]
                for each in listed
            ],
        )
    name = next((each.signer for each in listed if each.state is InvitationState.OPEN), None)
    verb, why = ("withdraw", "Take one back") if name else ("invite", "Invite somebody")
    words = ["quorumseal", "org", verb, name or "NAME", "--settings", str(arguments.settings)]
    drawn.next(why, words)
    return 0


def _json(each: Listed) -> dict[str, str | bool]:
    return {
        "signer": each.signer,
        "founder": each.founder,
        "state": str(each.state),
        "made": exact(each.made),
        "expires": exact(each.expires),
    }
