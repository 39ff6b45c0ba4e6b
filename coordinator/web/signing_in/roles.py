# SPDX-License-Identifier: Apache-2.0
"""What somebody is let in as: from the claims of a token, by what the settings say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from coordinator.web.errors import NoRoleError
from coordinator.web.signing_in.exchanging import Document
from coordinator.web.viewer import Viewer

_MOST_VALUES: Final = 1000
_LONGEST_NAME: Final = 100
AUDITOR, RELEASE_MANAGER = "auditor", "release manager"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which values of which claim let somebody in."""

    claim: str
    name: str
    leave: str
    """Where they sign out."""
    values: Mapping[str, frozenset[str]]
    """By what they are let in as; the first one that fits counts."""

    def viewer(self, claims: Document) -> Viewer:
        """Return who this is to the pages, or refuse them."""
        name = name_of(claims, self.name)
        held = values_of(claims, self.claim)
        for kind, values in self.values.items():
            if values & held:
                return Viewer(name=name, kind=kind, leave=self.leave)
        raise NoRoleError(
            f"expected a value of {self.claim} that lets somebody in, got {len(held)} that do not, for {name}"
        )


def values_of(claims: Document, claim: str) -> frozenset[str]:
    """Return the texts that a claim holds: a list of them, or one."""
    held = claims.get(claim)
    listed = held if isinstance(held, list) else [held]
    return frozenset(each for each in listed[:_MOST_VALUES] if isinstance(each, str))


def name_of(claims: Document, claim: str) -> str:
    """Return how somebody is shown; their subject where they have no such name."""
    name = claims.get(claim)
    return (name if isinstance(name, str) and name else str(claims["sub"]))[:_LONGEST_NAME]
