# SPDX-License-Identifier: Apache-2.0
"""What somebody asks a page for: its path and its query, read strictly."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from coordinator.web.errors import NoSuchPageError, QueryInvalidError
from quorumseal.ceremony import values
from quorumseal.ceremony.errors import ValueFormatError

_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class Asked:
    """The parts of an address that a page reads; what it does not know it refuses."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)

    def allow(self, *names: str) -> None:
        """Refuse what none of the names asks for."""
        if unknown := self.query.keys() - set(names):
            allowed = ", ".join(names) or "nothing"
            raise QueryInvalidError(f"expected {allowed} behind the question mark, got {min(unknown)!r}")

    def text(self, name: str) -> str:
        """Return a text; the empty one where it is not given."""
        return self.query.get(name, "")

    def choice(self, name: str, among: Collection[str]) -> str:
        """Return one of some words, or none of them."""
        text = self.text(name)
        if text and text not in among:
            raise QueryInvalidError(f"{name}: expected one of {', '.join(among)}, got {text!r}")
        return text

    def number(self, name: str) -> int | None:
        """Return an index or a size, where one is given."""
        text = self.text(name)
        if not text:
            return None
        if _NUMBER.fullmatch(text) is None:
            raise QueryInvalidError(f"{name}: expected a whole number, got {text!r}")
        return int(text)

    def index(self, name: str) -> int:
        """Return the number that a part of the path is."""
        if _NUMBER.fullmatch(self.path[name]) is None:
            raise NoSuchPageError(f"expected a whole number, got {self.path[name]!r}")
        return int(self.path[name])

    def ceremony(self) -> str:
        """Return the id of a ceremony that the path names."""
        try:
            return values.ceremony_id(self.path["ceremony"])
        except ValueFormatError as refusal:
            raise NoSuchPageError(str(refusal)) from None

    def ceremony_asked(self, name: str) -> str:
        """Return the id of a ceremony, or the empty text where none is given."""
        try:
            return values.ceremony_id(self.text(name)) if self.text(name) else ""
        except ValueFormatError as refusal:
            raise QueryInvalidError(f"{name}: {refusal}") from None

    def again(self, **changed: str | int | None) -> str:
        """Return the query with some of it changed; what is none or empty is left out."""
        merged = {**self.query, **changed}
        given = {name: str(value) for name, value in merged.items() if value not in (None, "")}
        return f"?{urlencode(given)}" if given else "?"
