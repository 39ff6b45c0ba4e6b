# SPDX-License-Identifier: Apache-2.0
"""Say how this agent is: everything that could keep you from deciding when you are asked.

Nothing is signed.  Your key is opened only with --key.  Exit code 0: all is well; 12: something should be
seen to; 1: something is wrong.
"""

import os
from argparse import ArgumentParser, Namespace

from quorumseal.ceremony.policy import Policy
from quorumseal.client.connection import Connection
from quorumseal.signatures import PublicKey
from quorumseal.terminal import Mark
from quorumseal.terminal.findings import counted, draw_findings, findings_json, worst
from quorumseal.verifier.outcomes import Outcome
from signer_agent.cli.opening import (
    add_home,
    add_passphrase,
    command,
    key_file,
    now,
    open_file,
    print_json,
    screen,
    trust_file,
)
from signer_agent.examining.gathering import Ways, gather
from signer_agent.examining.rules import judge
from signer_agent.home import Home, find_home
from signer_agent.settings import read_settings

_CODES = {Mark.DONE: Outcome.VERIFIED, Mark.WARNING: Outcome.WARNINGS, Mark.FAILED: Outcome.UNEXPECTED}


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``agent doctor`` takes."""
    parser.add_argument("--key", action="store_true", help="open the signing key, too")
    add_passphrase(parser)
    add_home(parser)


def run(arguments: Namespace) -> int:
    """Examine the agent's home."""
    home = Home.open(find_home(arguments.home, os.environ))
    settings = read_settings(home.settings_file)
    name = settings.name

    def key(policy: Policy | None) -> PublicKey:
        file = settings.key_file if policy is None else key_file(settings, policy, now())
        return open_file(settings, file, arguments.passphrase_fd).public

    ways = Ways(
        trust=lambda: trust_file(settings.trust),
        connect=lambda: Connection(
            settings.coordinator, settings.tls, server_name=settings.server_name, timeout=5, patience=1
        ),
        open_key=key if arguments.key else None,
    )
    findings = judge(gather(home, settings, ways, at=now()))
    level = worst(findings)
    if arguments.json:
        print_json({"name": name, "findings": [dict(each) for each in findings_json(findings)]})
        return _CODES[level]
    shown = screen()
    verdict = {
        Mark.DONE: f"{name} can decide when asked: {len(findings)} things looked at",
        Mark.WARNING: f"{name} can decide, but something should be seen to: {counted(findings)}",
        Mark.FAILED: f"{name} cannot rely on this agent: {counted(findings)}",
    }[level]
    shown.answer(level, verdict)
    draw_findings(shown, findings)
    about, words = ("Look again", ("agent", "doctor")) if level is Mark.FAILED else ("What waits", ("inbox",))
    shown.next(about, command(arguments, *words))
    return _CODES[level]
