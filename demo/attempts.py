# SPDX-License-Identifier: Apache-2.0
"""Attempts at fraud: each must meet one refusal, and is judged by the code that it really met."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from demo.stage import Stage
from quorumseal.refusal import Refusal
from quorumseal.signatures import Envelope
from quorumseal.strict_json import write
from quorumseal.terminal import Foreign, Look, Mark, table
from quorumseal.verifier.outcomes import outcome_of

NOT_REFUSED: Final = "no refusal"
_CODE: Final = re.compile(r"\[([a-z_]+\.[a-z_]+)\]")
_LONG: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt: which refusal it had to meet, and what it met."""

    expected: str
    got: str

    @property
    def failed_as_it_must(self) -> bool:
        """Whether it was refused, and for the right reason."""
        return self.got == self.expected

    def __str__(self) -> str:
        return f"expected the refusal {self.expected}, got {self.got}"


@dataclass(slots=True)
class Fraud:
    """One kind of fraud, tried in one or more ways."""

    title: str
    stage: Stage
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def failed_as_it_must(self) -> bool:
        """Whether it was tried, and every attempt was refused for the right reason."""
        return bool(self.attempts) and all(attempt.failed_as_it_must for attempt in self.attempts)

    def by_command(self, expected: str, *words: str) -> None:
        """Let a real command refuse; its exit code must be the one that the refusal stands for."""
        ran = self.stage.quorumseal(*words)
        codes = _CODE.findall("\n".join(ran.lines))
        got = codes[-1] if codes else f"exit code {ran.code}"
        if got == expected and ran.code != outcome_of(expected):
            got = f"{expected} with exit code {ran.code}"
        self._judge(expected, got if ran.code else NOT_REFUSED)

    def by_verifier(self, expected: str, artifact: str, bundle: bytes, name: str) -> None:
        """Let `quorumseal verify` refuse a bundle that somebody made."""
        path = self.stage.write(f"forged/{name}.quorumseal.json", bundle)
        self.by_command(expected, "verify", artifact, "--bundle", path, "--trust", self.stage.trust_file)

    def by_coordinator(self, expected: str, caller: str, envelope: Envelope) -> None:
        """Let the coordinator refuse an envelope that a caller sends without any of our programs."""
        try:
            decided = self.stage.connection(caller).decide(write(envelope.to_json()))
        except Refusal as refusal:
            said = (f"{refusal} [{refusal.code}]", refusal.hint)
            self.stage.telling.item(Mark.FAILED, *(Foreign(text, _LONG) for text in said if text))
            self._judge(expected, refusal.code)
        else:
            self.stage.telling.remark(f"the coordinator took it; the ceremony is {decided.state}")
            self._judge(expected, NOT_REFUSED)

    def _judge(self, expected: str, got: str) -> None:
        attempt = Attempt(expected=expected, got=got)
        self.attempts.append(attempt)
        if not attempt.failed_as_it_must:
            self.stage.telling.item(Mark.WARNING, str(attempt))


def summary(frauds: Sequence[Fraud], look: Look) -> list[str]:
    """Return the lines of the last table: whether each fraud was refused, at last why."""
    rows = []
    for fraud in frauds:
        wrong = "; ".join(str(attempt) for attempt in fraud.attempts if not attempt.failed_as_it_must)
        mark, verdict = (Mark.FAILED, "NOT AS IT MUST") if wrong else (Mark.DONE, "refused")
        rows.append(
            [
                f"{mark.value[0 if look.unicode else 1]} {verdict}",
                fraud.title,
                wrong or fraud.attempts[-1].got,
            ]
        )
    return table(["", "", ""], rows, look)[1:]
