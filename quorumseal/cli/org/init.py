# SPDX-License-Identifier: Apache-2.0
"""Make an organisation: for people on their own machines, or with --local all of it on this one.

Across machines it is the coordinator's folder that is made: a certificate authority, the log's key,
settings, and a draft of the policy. It holds nobody's key: people are invited, make their keys on their own
machines and enrol them; then all of them sign the policy's version 1.

With --local everybody's home is made here, with an encrypted key, and the policy is signed at once: to try
things out, or to move each home to its owner, who then gives the key another passphrase.
"""

import sys
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path

from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.values import name
from quorumseal.cli.errors import OverwriteError, UsageError
from quorumseal.cli.org import arguments as org_arguments
from quorumseal.cli.org.organisation_plan import Plan
from quorumseal.cli.output import print_json, screen
from quorumseal.refusal import Refusal
from quorumseal.terminal import Mark


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``org init`` takes."""
    org_arguments.add_arguments(parser)


def run(arguments: Namespace) -> int:
    """Make it."""
    folder: Path = arguments.folder.absolute()
    if folder.exists():
        raise OverwriteError(
            f"expected nothing at {folder}, got a {'folder' if folder.is_dir() else 'file'}",
            hint="name another folder: nothing is overwritten",
        )
    plan = _plan(arguments, folder)
    for option, people in (("--spare-keys", plan.spare_keys), ("--machines", plan.machines)):
        for stranger in sorted(set(people) - set(plan.people)):
            raise UsageError(f"expected {option} of --people, who have a role, got {stranger}")
    return _init_local(arguments, folder, plan) if arguments.local else _init_across(arguments, folder, plan)


def _plan(arguments: Namespace, folder: Path) -> Plan:
    drill = arguments.drill
    emergency = arguments.break_glass
    if emergency is None:
        emergency = org_arguments.quorum(org_arguments.EMERGENCY) if drill else {}
    guardians = arguments.guardians
    if guardians is None:
        guardians = org_arguments.names(org_arguments.GUARDIANS) if drill else []
    usual = org_arguments.LOCAL_LISTEN if arguments.local else org_arguments.ACROSS_LISTEN
    listen = arguments.listen or usual
    port = listen.rpartition(":")[2]
    return Plan(
        name=arguments.name or _name_of(folder),
        roles=arguments.people,
        quorum=arguments.quorum,
        requesters=arguments.requesters,
        products=arguments.products,
        listen=listen,
        address=f"{arguments.address}:{port}" if arguments.address else None,
        machines=arguments.machines,
        spare_keys=arguments.spare_keys,
        rejection=arguments.rejection,
        emergency=emergency,
        guardians=guardians,
        veto_window=arguments.veto_window,
        drill=drill,
    )


def _init_local(arguments: Namespace, folder: Path, plan: Plan) -> int:
    from quorumseal.cli.org.organisation import make_organisation

    passphrase = _passphrase(arguments)
    screen().talk(f"making keys for {len(plan.people)} people…")
    policy = make_organisation(folder, plan, passphrase=passphrase, at=datetime.now(UTC))
    if arguments.json:
        people = {person: str(folder / "people" / person) for person in plan.people}
        print_json(
            {
                "organisation": plan.name,
                "policy": policy.digest,
                "trust": str(folder / "trust.json"),
                "settings": str(folder / "coordinator" / "coordinator.toml"),
                "homes": people,
            }
        )
        return 0
    _draw_local(folder, arguments.folder, policy)
    return 0


def _init_across(arguments: Namespace, folder: Path, plan: Plan) -> int:
    from quorumseal.cli.org.organisation_across import Across, make_coordinator

    _refuse_local_options(arguments, plan)
    port = arguments.enrol_port
    listen, address = (f"{place.rpartition(':')[0]}:{port}" for place in (plan.listen, plan.reached))
    across = Across(enrol_listen=listen, enrol_address=address)
    shown = make_coordinator(folder, plan, across, at=datetime.now(UTC))
    if arguments.json:
        print_json(
            {
                "organisation": plan.name,
                "people": plan.people,
                "policy": str(folder / "policy.toml"),
                "settings": str(folder / "coordinator.toml"),
                "enrolment": across.enrol_address,
                "fingerprint": shown,
            }
        )
        return 0
    _draw_across(folder, arguments.folder, plan, across.enrol_address, shown)
    return 0


def _refuse_local_options(arguments: Namespace, plan: Plan) -> None:
    given = {
        "--spare-keys": arguments.spare_keys,
        "--passphrase-file": arguments.passphrase_file,
        "--passphrase-fd": arguments.passphrase_fd,
    }
    for option, value in given.items():
        if value:
            raise UsageError(
                f"expected {option} only with --local, got it without",
                hint="people make their own keys, with `quorumseal agent enroll`",
            )
    if not arguments.address and plan.listen.rpartition(":")[0] in org_arguments.EVERYWHERE:
        raise UsageError(
            "expected --address, by which other machines reach the coordinator, got none",
            hint="quorumseal org init DIR --address coordinator.acme.example; on one machine: --local",
        )


def _draw_across(folder: Path, given: Path, plan: Plan, address: str, shown: str) -> None:
    drawn, settings = screen(), str(given / "coordinator.toml")
    drawn.answer(Mark.DONE, f"{plan.name} can be founded: its coordinator's folder is {folder}")
    drawn.facts(
        [
            ("  policy.toml", "who may release what; look at it now, nobody has signed it"),
            ("  coordinator.toml", f"listens on {plan.listen}; people enrol at {address}"),
            ("  ca.key.pem", "makes the certificates that connections need"),
            ("  log.key.pem", "signs the log"),
            ("  published/", "where bundles go"),
            ("  fingerprint", shown),
        ]
    )
    drawn.heading("Then, while it runs")
    for person in plan.people:
        founder = [] if person in plan.machines else ["--founder"]
        drawn.command(["quorumseal", "org", "invite", person, *founder, "--settings", settings], indent=2)
    drawn.next("But first run the coordinator", ["quorumseal", "coordinator", "run", "--settings", settings])


def _draw_local(folder: Path, given: Path, policy: SignedPolicy) -> None:
    drawn, names = screen(), policy.policy
    drawn.answer(Mark.DONE, f"{names.organisation} is founded in {folder}")
    drawn.facts(
        [
            ("  policy.toml", "who may release what; version 1 is signed by everybody and in the log"),
            ("  trust.json", "give it to whoever verifies"),
            ("  people/", f"a home for each of {', '.join(names.signers)}"),
            ("  coordinator/", "its settings, database and log key"),
            ("  authority/", "makes the certificates that connections need; keep its key away from both"),
            ("  published/", "where bundles go"),
        ]
    )
    homes = given / "people"
    rule = next(iter(names.rules.values()))
    requester = min(m for role in rule.requesters for m in names.roles[role].members)
    decider = min(m for threshold in rule.quorum for m in names.roles[threshold.role].members)
    product = min(names.products)
    drawn.heading("Then, each in its own terminal")
    for words, whose in (
        (["agent", "run"], decider),
        (["start", product, "1.0", "FILE"], requester),
        (["inbox"], decider),
    ):
        drawn.command(["quorumseal", *words, "--home", str(homes / whose)], indent=2)
    drawn.next(
        "But first run the coordinator",
        ["quorumseal", "coordinator", "run", "--settings", str(given / "coordinator" / "coordinator.toml")],
    )


def _passphrase(arguments: Namespace) -> bytes:
    from signer_agent.key_sources import Passphrases

    prompt = _prompt_twice if sys.stdin.isatty() else None
    passphrases = Passphrases(
        descriptor=arguments.passphrase_fd, file=arguments.passphrase_file, prompt=prompt
    )
    return passphrases.ask("the new keys")


def _prompt_twice(question: str) -> str:
    first = getpass(question)
    if first != getpass("Once more: "):
        raise UsageError("expected the same passphrase twice, got two", hint="nothing was made; start again")
    return first


def _name_of(folder: Path) -> str:
    try:
        return name(folder.name)
    except Refusal as refusal:
        raise UsageError(str(refusal), hint="name the organisation with --name") from None
