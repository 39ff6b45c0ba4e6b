# SPDX-License-Identifier: Apache-2.0
"""A log that had lost its end and got it back: the standing entry that says so, for ever.

The entries themselves are back byte for byte, so nothing else in the log would show that they were gone.
"""

from dataclasses import dataclass

from quorumseal.ceremony.errors import ChainBrokenError
from quorumseal.ceremony.values import digest, name
from quorumseal.strict_json import Fields, JsonValue


@dataclass(frozen=True, slots=True)
class Extent:
    """How far the log reached: its size, and the root over so many entries."""

    size: int
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What was lost, and who brought it back."""

    before: Extent
    """What was left of the log."""
    after: Extent
    """What it was again, as a checkpoint of it had said."""
    handed_back: tuple[str, ...]
    """The signers whose agents handed entries back."""
    unheard: tuple[str, ...] = ()
    """The signers of whose agents it is not known whether they had seen even more."""

    def __post_init__(self) -> None:
        if not 1 <= self.before.size < self.after.size:
            raise ChainBrokenError(
                f"expected a recovery of entries after the first, got one from size {self.before.size} "
                f"to {self.after.size}"
            )
        named = (*self.handed_back, *self.unheard)
        orderly = all(names == tuple(sorted(names)) for names in (self.handed_back, self.unheard))
        if not self.handed_back or len(set(named)) < len(named) or not orderly:
            raise ChainBrokenError(
                "expected who handed entries back and who was not heard, each in order and named once, "
                f"got {', '.join(self.handed_back) or 'nobody'} and {', '.join(self.unheard) or 'nobody'}"
            )


def write_recovery(recovery: Recovery) -> dict[str, JsonValue]:
    """Write it as an entry's body."""
    body: dict[str, JsonValue] = {
        "before": {"size": recovery.before.size, "root": recovery.before.root},
        "after": {"size": recovery.after.size, "root": recovery.after.root},
        "handed_back": [*recovery.handed_back],
    }
    return body | ({"unheard": [*recovery.unheard]} if recovery.unheard else {})


def read_recovery(body: dict[str, JsonValue]) -> Recovery:
    """Read it from an entry's body."""
    fields = Fields(dict(body), "entry.body")
    recovery = Recovery(
        before=_extent(fields.object("before")),
        after=_extent(fields.object("after")),
        handed_back=tuple(map(name, fields.texts("handed_back"))),
        unheard=tuple(map(name, fields.texts("unheard"))) if "unheard" in fields else (),
    )
    fields.done()
    return recovery


def _extent(fields: Fields) -> Extent:
    return Extent(size=fields.integer("size"), root=digest(fields.text("root")))
