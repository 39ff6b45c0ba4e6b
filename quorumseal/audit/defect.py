# SPDX-License-Identifier: Apache-2.0
"""Something that is wrong with a log, and where."""

from dataclasses import dataclass

from quorumseal.refusal import Refusal
from quorumseal.strict_json import JsonValue


@dataclass(frozen=True, slots=True)
class Defect:
    """What was refused, and the entry and the ceremony that it is about, where it is about one."""

    refusal: Refusal
    index: int | None = None
    ceremony: str | None = None

    @property
    def where(self) -> str:
        """Where to look."""
        place = "the log" if self.index is None else f"entry {self.index}"
        return place if self.ceremony is None else f"{place}, ceremony {self.ceremony}"

    def to_json(self) -> dict[str, JsonValue]:
        """Return it for programs."""
        return {
            "index": self.index,
            "ceremony": self.ceremony,
            "code": self.refusal.code,
            "text": str(self.refusal),
            "hint": self.refusal.hint,
        }
