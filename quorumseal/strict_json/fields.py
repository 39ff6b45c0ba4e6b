# SPDX-License-Identifier: Apache-2.0
"""Take a JSON object apart by name and type; whatever is left over refuses the whole."""

import json
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import TypeVar

from quorumseal.strict_json.errors import InvalidFieldError, MissingFieldError, UnknownFieldError
from quorumseal.strict_json.reading import MAX_INTEGER, JsonValue

_Choice = TypeVar("_Choice", bound=StrEnum)
_PLAIN_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]{0,63}")
_SHOWN = 60


class Fields:
    """The fields of one object.  Read each once by its type, then call ``done`` on the outermost.

    Every refusal names the path of the field from the document's root, what was expected and what came.
    """

    __slots__ = ("_asked", "_children", "_index", "_parent", "_place", "_read", "_values")

    def __init__(self, value: JsonValue, where: str = "document") -> None:
        if not isinstance(value, dict):
            raise _invalid(where, "an object", value)
        self._parent: Fields | None = None
        self._place = where
        self._index: int | None = None
        self._values = value
        self._read: set[str] = set()
        self._asked: set[str] = set()
        self._children: list[Fields] = []

    @property
    def where(self) -> str:
        """Where the object stands; put together only when something is wrong, since it is not free."""
        if self._parent is None:
            return self._place
        return self._parent.path(self._place) + ("" if self._index is None else f"[{self._index}]")

    def __contains__(self, name: str) -> bool:
        """Tell whether the field is there, without reading it."""
        self._asked.add(name)
        return name in self._values

    def names(self) -> tuple[str, ...]:
        """Return the names of all fields, for objects whose keys are data."""
        return tuple(self._values)

    def value(self, name: str) -> JsonValue:
        """Return the field as it is, for a place that another reader takes apart."""
        self._read.add(name)
        try:
            return self._values[name]
        except KeyError:
            raise MissingFieldError(
                f"{self.path(name)}: expected this field, got an object without it"
            ) from None

    def text(self, name: str) -> str:
        """Return a text, which may be empty."""
        value = self.value(name)
        if not isinstance(value, str):
            raise self.invalid(name, "a text")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a text, or None where the field is absent; null is refused, absence has one spelling."""
        return self.text(name) if name in self else None

    def constant(self, name: str, expected: str | int) -> None:
        """Demand exactly ``expected``."""
        value = self.value(name)
        if type(value) is not type(expected) or value != expected:
            raise self.invalid(name, _shown(expected))

    def choice(self, name: str, choices: type[_Choice]) -> _Choice:
        """Return the member of a closed set that the text names."""
        text = self.text(name)
        try:
            return choices(text)
        except ValueError:
            raise self.invalid(name, "one of " + ", ".join(choices)) from None

    def integer(self, name: str, *, at_least: int = 0, at_most: int = MAX_INTEGER) -> int:
        """Return an integer within its bounds; true and false are no integers here."""
        value = self.value(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.invalid(name, "an integer")
        if not at_least <= value <= at_most:
            bounds = f"{at_least} or more" if at_most == MAX_INTEGER else f"{at_least} to {at_most}"
            raise self.invalid(name, f"an integer, {bounds}")
        return value

    def optional_integer(self, name: str, *, at_least: int = 0, at_most: int = MAX_INTEGER) -> int | None:
        """Return an integer, or None where the field is absent."""
        return self.integer(name, at_least=at_least, at_most=at_most) if name in self else None

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self.value(name)
        if not isinstance(value, bool):
            raise self.invalid(name, "true or false")
        return value

    def object(self, name: str) -> "Fields":
        """Return the fields of an object, which ``done`` then looks after as well."""
        return self._child(self.value(name), name)

    def optional_object(self, name: str) -> "Fields | None":
        """Return the fields of an object, or None where the field is absent."""
        return self.object(name) if name in self else None

    def objects(self, name: str) -> "list[Fields]":
        """Return a list of objects, each by its fields."""
        return [self._child(item, name, index) for index, item in enumerate(self.values(name))]

    def texts(self, name: str) -> list[str]:
        """Return a list of texts."""
        texts = []
        for index, item in enumerate(self.values(name)):
            if not isinstance(item, str):
                raise _invalid(f"{self.path(name)}[{index}]", "a text", item)
            texts.append(item)
        return texts

    def values(self, name: str) -> list[JsonValue]:
        """Return a list as it is."""
        value = self.value(name)
        if not isinstance(value, list):
            raise self.invalid(name, "a list")
        return value

    def done(self) -> None:
        """Refuse fields that nobody read, here and in every object taken from here."""
        for refusal in self.unknown():
            raise refusal

    def unknown(self) -> Iterator[UnknownFieldError]:
        """Yield (not raise) the refusal of each field that nobody read, for whoever names all of them."""
        for name in self._values:
            if name not in self._read:
                yield UnknownFieldError(
                    f"{self.path(name)}: expected only known fields, got this one", hint=self._meant(name)
                )
        for child in self._children:
            yield from child.unknown()

    def path(self, name: str) -> str:
        """Return where a field stands, from the document's root."""
        return f"{self.where}.{name}" if _PLAIN_NAME.fullmatch(name) else f"{self.where}[{_shown(name)}]"

    def invalid(self, name: str, expected: str) -> InvalidFieldError:
        """Return (not raise) the refusal of a field by a rule that only the caller knows."""
        return _invalid(self.path(name), expected, self._values.get(name))

    def _meant(self, name: str) -> str:
        """Say what a field that nobody knows is likely to be: one that was looked for and is not there."""
        from difflib import get_close_matches

        absent = sorted((self._read | self._asked) - self._values.keys())
        for close in get_close_matches(name, absent, n=1):
            return f"did you mean {close}? a misspelt name does not count"
        return "a newer version may know it; a misspelt name does not count"

    def _child(self, value: JsonValue, name: str, index: int | None = None) -> "Fields":
        if not isinstance(value, dict):
            raise _invalid(self.path(name) + ("" if index is None else f"[{index}]"), "an object", value)
        child = Fields(value, name)
        child._parent, child._index = self, index
        self._children.append(child)
        return child


def _invalid(where: str, expected: str, value: JsonValue) -> InvalidFieldError:
    return InvalidFieldError(f"{where}: expected {expected}, got {_shown(value)}")


def _shown(value: JsonValue) -> str:
    """Return a value as ASCII on one line and bounded: it may be other people's text."""
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
    shown = json.dumps(value)
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
