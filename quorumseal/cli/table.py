# SPDX-License-Identifier: Apache-2.0
"""Every verb and noun with its line of help, and where its code is; importing this imports none of it."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import NamedTuple


class Command(NamedTuple):
    """A verb whose code is loaded."""

    help: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
    about: str = ""


class Verb(NamedTuple):
    """A verb that is a module with ``add_arguments`` and ``run``."""

    module: str
    help: str
    extra: str = "client"

    def load(self) -> Command:
        """Import the module."""
        module = import_module(self.module)
        return Command(self.help, module.add_arguments, module.run, module.__doc__ or "")


class Noun(NamedTuple):
    """A noun is a module whose ``VERBS`` are commands, or verbs that are loaded in their turn."""

    module: str
    help: str
    extra: str = "client"

    def load(self) -> Mapping[str, Command | Verb]:
        """Import the module's table.

        The packages of agent and coordinator cannot import this one: their commands are tuples of this shape.
        """
        verbs: Mapping[str, Command | Verb] = import_module(self.module).VERBS
        return {name: verb if isinstance(verb, Verb) else Command(*verb) for name, verb in verbs.items()}


VERIFY = "Verify what was published"
ASK = "Ask for a release"
DECIDE = "Decide on one"
LOOK = "Look at ceremonies"
RUN = "Set up and operate"

GROUPS: Mapping[str, Mapping[str, Verb | Noun]] = {
    VERIFY: {
        "verify": Verb("quorumseal.cli.verify", "say whether artifacts were approved, offline", ""),
        "bundle": Noun("quorumseal.cli.bundle", "show a bundle, or take it apart for other tools", ""),
        "trust": Noun("quorumseal.cli.trust", "the file that says whom verification trusts", ""),
        "audit": Noun("quorumseal.cli.audit", "prove from the log that the rule held", "agent"),
    },
    ASK: {
        "start": Verb("quorumseal.cli.start", "ask for a release", "agent"),
        "extend": Verb("quorumseal.cli.extend", "move the deadline of what was asked for", "agent"),
        "nudge": Verb("quorumseal.cli.nudge", "ask those again who are awaited"),
        "ratify": Verb("quorumseal.cli.ratify", "ask for an emergency to be made permanent", "agent"),
        "break-glass": Noun(
            "quorumseal.cli.break_glass", "emergencies: fewer people, everybody told", "agent"
        ),
        "cancel": Verb("quorumseal.cli.cancel", "withdraw what was asked for", "agent"),
    },
    DECIDE: {
        "inbox": Verb("signer_agent.cli.inbox", "what waits for you", "agent"),
        "review": Verb("signer_agent.cli.review", "look at a request, and hash its artifacts", "agent"),
        "approve": Verb("signer_agent.cli.approve", "review, and sign an approval", "agent"),
        "reject": Verb("signer_agent.cli.reject", "review, and sign a rejection with its reason", "agent"),
        "away": Verb("signer_agent.cli.away", "say when you are away, and who stands in for you", "agent"),
        "abstain": Verb("signer_agent.cli.abstain", "review, and sign that you do not decide", "agent"),
    },
    LOOK: {
        "list": Verb("quorumseal.cli.list", "list ceremonies"),
        "show": Verb("quorumseal.cli.show", "show one ceremony, verified"),
        "watch": Verb("quorumseal.cli.watch", "watch a ceremony as it happens"),
        "why": Verb("quorumseal.cli.why", "say what is missing, and who can still help"),
        "wait": Verb("quorumseal.cli.wait", "wait for the outcome; for CI"),
        "release": Noun("quorumseal.cli.release", "publish, fetch, approve anew or take back releases"),
    },
    RUN: {
        "org": Noun("quorumseal.cli.org", "found an organisation; let people in and out", "coordinator"),
        "offline": Noun("quorumseal.cli.offline", "a ceremony from files, without the coordinator", "agent"),
        "agent": Noun("signer_agent.cli.agent", "the program that reaches a signer's key", "agent"),
        "key": Noun("quorumseal.cli.key", "see, rotate and take back the keys that sign", "agent"),
        "policy": Noun("quorumseal.cli.policy", "show, check and compile the rules"),
        "coordinator": Noun("coordinator.cli", "the server that collects decisions", "coordinator"),
    },
}


def entries() -> dict[str, Verb | Noun]:
    """Return all verbs and nouns by name."""
    return {name: entry for group in GROUPS.values() for name, entry in group.items()}
