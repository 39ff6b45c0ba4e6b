# SPDX-License-Identifier: Apache-2.0
"""What an auditor's question is answered with: the answer, the evidence, what the log cannot tell, what next.

An answer over nothing is never a clean one: whoever looked at nothing has found nothing out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from quorumseal.audit.population import Audited, PlacedEntry
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import Mode
from quorumseal.ceremony.values import instant_text
from quorumseal.strict_json import JsonValue


@unique
class Verdict(StrEnum):
    """What an answer comes to."""

    CLEAN = "clean"
    EXCEPTIONS = "exceptions"
    NOTHING = "nothing-looked-at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One piece of evidence: what entries of the log say."""

    says: str
    at: datetime
    """When the log has it."""
    entries: tuple[int, ...]
    """The indices of the entries that say so."""
    exception: bool = False
    """Whether somebody should look at it."""
    kind: str = ""
    """Which exception it is, in one word."""
    ceremony: str | None = None
    digests: tuple[str, ...] = ()
    """Of the statements, policies or artifacts that it is about."""
    texts: tuple[tuple[str, str], ...] = ()
    """What people wrote, each with who it was."""

    def to_json(self) -> dict[str, JsonValue]:
        """Return it for programs."""
        return {
            "says": self.says,
            "at": instant_text(self.at),
            "entries": [*self.entries],
            "exception": self.exception,
            "kind": self.kind,
            "ceremony": self.ceremony,
            "digests": [*self.digests],
            "texts": [{"signer": who, "text": text} for who, text in self.texts],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one question about a period."""

    question: str
    says: str
    exhibits: tuple[Exhibit, ...]
    looked_at: tuple[tuple[str, int], ...]
    """What was gone through, and how much of it there was."""
    limits: tuple[str, ...]
    """What the log cannot tell about it."""
    next: tuple[str, ...]
    """The words of the command that leads on."""

    @property
    def exceptions(self) -> tuple[Exhibit, ...]:
        """Return the evidence that somebody should look at."""
        return tuple(each for each in self.exhibits if each.exception)

    @property
    def verdict(self) -> Verdict:
        """Return what it comes to; over nothing it is never clean."""
        if self.exceptions:
            return Verdict.EXCEPTIONS
        return Verdict.CLEAN if any(count for _, count in self.looked_at) else Verdict.NOTHING

    def to_json(self) -> dict[str, JsonValue]:
        """Return it for programs."""
        return {
            "question": self.question,
            "answer": self.says,
            "verdict": str(self.verdict),
            "exceptions": len(self.exceptions),
            "looked_at": dict(self.looked_at),
            "evidence": [each.to_json() for each in self.exhibits],
            "cannot_tell": [*self.limits],
        }


def name_of(audited: Audited) -> str:
    """Return what a ceremony is about, as people say it."""
    return called(audited.ceremony)


def called(ceremony: Ceremony) -> str:
    """Return what a ceremony is about, as people say it."""
    request = ceremony.request.statement
    release = f"{request.product} {request.version}"
    if request.mode is Mode.BREAK_GLASS:
        return f"{release} (emergency)"
    return release if request.kind is Kind.RELEASE else f"{release} ({request.kind})"


def exhibit_of(
    audited: Audited,
    says: str,
    *entries: PlacedEntry,
    exception: bool = False,
    kind: str = "",
    digests: Iterable[str] = (),
    texts: Sequence[tuple[str, str]] = (),
) -> Exhibit:
    """Return evidence about a ceremony: it is called by its name, and dated by the first of the entries."""
    shown = entries or audited.entries[:1]
    return Exhibit(
        says=f"{name_of(audited)}: {says}",
        at=shown[0].entry.at,
        entries=tuple(each.index for each in shown),
        exception=exception,
        kind=kind,
        ceremony=audited.id,
        digests=tuple(digests),
        texts=tuple(texts),
    )


def listed(names: Sequence[str], most: int = 5) -> str:
    """Write names: ``alice, bob and carol``; of many the first, and how many more."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most:,} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number of things: ``1 ceremony``, ``3 ceremonies``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
