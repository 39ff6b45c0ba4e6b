# SPDX-License-Identifier: Apache-2.0
"""Get a new certificate for a home whose old one ran out, by an invitation.

Certificates renew themselves while their agent connects now and then. After a long absence ask the operator
for an invitation, and use it here: your signing keys stay as they are, and so does all else in your home.
"""

import os
from argparse import ArgumentParser, Namespace

from quorumseal.terminal import Foreign, Mark
from signer_agent.cli.invited import add_invitation, invitation_facts, invited
from signer_agent.cli.opening import add_home, command, now, print_json, screen, trust_file
from signer_agent.cli.verdict import Person, somebody
from signer_agent.errors import SettingsError
from signer_agent.home import Home, find_home
from signer_agent.reconnecting import reconnect, require_own_home
from signer_agent.settings import read_settings


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``agent reconnect`` takes."""
    add_invitation(parser)
    add_home(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask; for scripts")


def run(arguments: Namespace) -> int:
    """Reconnect."""
    home = Home.open(find_home(arguments.home, os.environ))
    settings = read_settings(home.settings_file)
    trust = trust_file(settings.trust)
    if settings.tls.certificate != settings.tls.key:
        raise SettingsError(
            "expected certificate and key in one file, as `agent enroll` writes them, got two",
            hint="ask the operator, who made this home, for new ones",
        )
    with invited(arguments) as (connection, code):
        invitation = connection.invitation(code)
        require_own_home(invitation, organisation=trust.organisation, signer=settings.name)
        if not arguments.json:
            drawn = screen()
            drawn.answer(Mark.WAITING, Foreign(invitation.signer), "gets a new certificate; all else stays")
            drawn.facts(invitation_facts(arguments, invitation))
            drawn.line()
        Person(ask=somebody(), yes=arguments.yes).confirm(f"{settings.name}: reconnect.", to="go on")
        reconnect(home, settings.tls, code, invitation, connection.enroll, at=now(), randomness=os.urandom)
    if arguments.json:
        print_json({"signer": settings.name, "home": str(home.path)})
    else:
        drawn = screen()
        drawn.answer(Mark.DONE, f"{settings.name} can connect again")
        drawn.next("What waits", command(arguments, "inbox"))
    return 0
