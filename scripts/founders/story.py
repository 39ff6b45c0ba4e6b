# SPDX-License-Identifier: Apache-2.0
"""From nothing to a verified bundle, step by step as the manual has it."""

import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from scripts.founders.machines import Machines, OneMachine
from scripts.founders.manual import MANUAL, Step, steps
from scripts.founders.typing import CommandError, Typed

ADDRESSES: Final = {
    "coordinator": "192.0.2.10",
    "alice": "192.0.2.11",
    "bob": "192.0.2.12",
    "carol": "192.0.2.13",
    "consumer": "",  # verifies with no network at all
}
ARTIFACT: Final = "widget-1.0.tar.gz"
_EACH: Final = 60.0
_WIDTH: Final = 80
_OURS: Final = Path(sys.executable).parent  # where this environment has `quorumseal`, activated or not
_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")
_CODE = re.compile(r"\b[0-9a-f]{4}(?:-[0-9a-f]{4}){7}\b")


class Story:
    """One run, in a folder of its own with a home for each person."""

    def __init__(
        self, folder: Path, machines: Machines | OneMachine, tell: Callable[[str], None], *, address: str
    ) -> None:
        self._folder = folder
        self._machines = machines
        self._tell = tell
        self._renamed = {} if address == ADDRESSES["coordinator"] else {ADDRESSES["coordinator"]: address}
        self._fingerprint = ""
        self._codes: dict[str, str] = {}
        self._passphrases = {machine: secrets.token_urlsafe(12) for machine in ADDRESSES}
        self._running: list[Typed] = []
        self._waiting: list[tuple[Step, Typed]] = []
        self._begun = time.monotonic()

    def run(self) -> float:
        """Do everything that the manual says; return how long it took."""
        for machine in ADDRESSES:
            self._home(machine).mkdir(parents=True)
        for builder in ("alice", "bob", "carol", "consumer"):
            (self._home(builder) / ARTIFACT).write_bytes(b"the bytes of widget 1.0\n")
        try:
            for step in steps(MANUAL.read_text()):
                self._hand_over(step)
                self._do(step)
        finally:
            for typed in [*(typed for _, typed in self._waiting), *self._running]:
                typed.stop()
        return time.monotonic() - self._begun

    def _home(self, machine: str) -> Path:
        return self._folder / machine

    def _do(self, step: Step) -> None:
        words = step.words(digest=self._fingerprint, renamed=self._renamed)
        self._tell(f"{time.monotonic() - self._begun:5.1f} s {step.machine}$ {step.command}")
        typed = Typed(
            self._machines.on(step.machine, words),
            self._answers(step.machine),
            folder=self._home(step.machine),
            environment={"HOME": str(self._home(step.machine)), "PATH": f"{_OURS}:{os.environ['PATH']}"},
        )
        match step.lasts:
            case "running":
                self._running.append(typed)
                typed.until("listens on", seconds=_EACH)
            case "waiting":
                self._waiting.append((step, typed))
                typed.until("waiting for", seconds=_EACH)
            case _:
                self._end(step, typed)
                while self._waiting:
                    self._end(*self._waiting.pop(0))

    def _end(self, step: Step, typed: Typed) -> None:
        code = typed.end(seconds=_EACH)
        answers = _answered(typed.shown.splitlines())
        if code != 0 or not answers:
            raise CommandError(f"expected {step.command} to succeed, got exit {code}:\n{typed.shown}")
        self._tell(f"        {step.machine}: {answers[-1]}")
        self._read(step, typed.shown)

    def _answers(self, machine: str) -> dict[str, str]:
        return {
            "invitation's code:": self._codes.get(machine, ""),
            "Type yes to": "yes",
            "Passphrase of": self._passphrases[machine],
            "Once more:": self._passphrases[machine],
        }

    def _read(self, step: Step, shown: str) -> None:
        """Note what the operator would pass on: the fingerprint, and each person's code."""
        if " org init " in f" {step.command} " and (found := _FINGERPRINT.search(shown)):
            self._fingerprint = found[0]
        match step.command.split():
            case ["quorumseal", "org", "invite", person, *_]:
                found = _CODE.search(shown)
                if found is None:
                    raise CommandError(f"expected a code for {person}, got:\n{shown}")
                self._codes[person] = found[0]

    def _hand_over(self, step: Step) -> None:
        """Bring the consumer what the manual says they are given."""
        if step.machine != "consumer" or (self._home("consumer") / "trust.json").exists():
            return
        published = self._home("coordinator") / "acme" / "published"
        for bundle in published.iterdir():
            shutil.copy(bundle, self._home("consumer"))
        shutil.copy(self._home("alice") / ".config" / "quorumseal" / "trust.json", self._home("consumer"))


def _answered(lines: list[str]) -> list[str]:
    """Return every line that says what was done; one that was too long for the terminal in one piece."""
    answers: list[str] = []
    before = ""  # the line above, while it belongs to an answer
    for line in lines:
        words = line.split()
        if line.startswith("✓"):
            answers.append(line)
            before = line
        elif before and words and len(before) + 1 + len(words[0]) > _WIDTH:
            answers[-1] += f" {line.strip()}"
            before = line
        else:
            before = ""
    return answers
