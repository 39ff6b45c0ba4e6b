# SPDX-License-Identifier: Apache-2.0
"""An organisation that ``org init`` made, its coordinator on loopback, and people who use the command."""

import atexit
import shutil
import socket
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from coordinator.server import CoordinatorServer
from coordinator.settings import read_settings
from quorumseal.cli.main import main
from quorumseal.cli.org import organisation
from quorumseal.cli.org.organisation import make_organisation
from quorumseal.cli.org.organisation_plan import Plan
from quorumseal.cli.policy.template import policy_text
from tests.running_coordinator import InProcess

PASSPHRASE = "correct horse"
ARTIFACT = b"the bytes of widget 1.0\n"


@dataclass(frozen=True)
class Office:
    """Where everybody works."""

    folder: Path

    @property
    def artifact(self) -> Path:
        return self.folder / "widget.tar.gz"

    def home(self, person: str) -> list[str]:
        return ["--home", str(self.folder / "people" / person)]

    def start(self, *words: str) -> int:
        """Let rita ask for widget 1.0."""
        return main(["start", "widget", "1.0", str(self.artifact), *words, *self.home("rita")])

    def decide(self, verb: str, person: str, *words: str, release: str = "widget@1.0") -> int:
        """Let a person approve, reject or abstain."""
        found = ["--artifacts", str(self.artifact), "--yes", *self.home(person)]
        return main([verb, release, *words, *found])

    def approve(self, *people: str, release: str = "widget@1.0") -> None:
        """Let people approve."""
        for person in people:
            assert self.decide("approve", person, release=release) == 0


WAITING = {
    'engineering = ["alice", "bob", "erin"]': (
        'engineering = { members = ["alice", "bob", "erin"], deputies = ["dana", "carol"], lead = "bob" }'
    ),
    "deadline = ": 'extend = ["on-call"]\ndeadline = ',
}
"""What a policy says where people stand in for others, and may extend."""


_FOUNDED: dict[str, tuple[Path, str]] = {}
"""What this process founded, to be copied: a founding takes longer than most tests."""


def copied_office(folder: Path, **fields: Any) -> Office:
    """Return an organisation with the keys and the log of every other with these fields, elsewhere.

    For tests that need one of their own and no other beside it: two of them are the same organisation.
    """
    key = repr(sorted(fields.items()))
    if key not in _FOUNDED:
        original = Path(tempfile.mkdtemp(prefix="quorumseal-founded-"))
        atexit.register(shutil.rmtree, original, ignore_errors=True)
        found_office(original / "acme", **fields)
        _FOUNDED[key] = original / "acme", _port_of(original / "acme")
    original, port = _FOUNDED[key]
    shutil.copytree(original, folder)
    free = _free_port()
    for settings in (*folder.glob("people/*/agent.toml"), folder / "coordinator" / "coordinator.toml"):
        settings.write_text(settings.read_text().replace(f":{port}", f":{free}"))
    return Office(folder)


def _port_of(folder: Path) -> str:
    listen = tomllib.loads((folder / "coordinator" / "coordinator.toml").read_text())["listen"]
    return str(listen).rpartition(":")[2]


def found_office(
    folder: Path, *, machines: Sequence[str] = (), rules: Mapping[str, str] | None = None, **fields: Any
) -> Office:
    """Make the organisation, the keys of people opened by a file in each home; machines are managers.

    ``rules`` are put in the place of what ``org init`` writes; ``fields`` are those of its plan.
    """
    plan = Plan(
        name="acme",
        roles={
            "engineering": ["alice", "bob", "erin"],
            "security": ["carol"],
            "release": ["dan"],
            "managers": ["rita", *machines],
            **({"on-call": ["dana", "rita"]} if rules else {}),
        },
        quorum={"engineering": 2, "security": 1, "release": 1},
        requesters=["managers"],
        products=["widget", "gadget"],
        machines=machines,
        listen=f"127.0.0.1:{_free_port()}",
        **fields,
    )
    with patch.object(organisation, "policy_text", lambda draft: _changed(policy_text(draft), rules or {})):
        make_organisation(folder, plan, passphrase=PASSPHRASE.encode(), at=datetime.now(UTC))
    for person in set(plan.people) - set(machines):
        home = folder / "people" / person
        secret = home / "passphrase"
        secret.write_text(PASSPHRASE + "\n")
        secret.chmod(0o600)
        settings = home / "agent.toml"
        settings.write_text(settings.read_text().replace("# passphrase_file =", "passphrase_file ="))
    office = Office(folder)
    office.artifact.write_bytes(ARTIFACT)
    return office


@contextmanager
def coordinator_of(office: Office) -> Iterator[None]:
    """Run the office's coordinator in this process."""

    async def start() -> CoordinatorServer:
        server = CoordinatorServer(read_settings(office.folder / "coordinator" / "coordinator.toml"))
        await server.start()
        return server

    with InProcess[CoordinatorServer]() as running:
        server = running.run(start())
        try:
            yield
        finally:
            running.run(server.stop())


def _changed(text: str, rules: Mapping[str, str]) -> str:
    for before, after in rules.items():
        assert before in text
        text = text.replace(before, after, 1)
    return text


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
