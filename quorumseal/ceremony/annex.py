# SPDX-License-Identifier: Apache-2.0
"""A text that belongs to a statement without being in it."""

from dataclasses import dataclass

from quorumseal.ceremony.values import digest_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Annex:
    """A text that a statement commits to without containing it."""

    salt: bytes
    text: str

    @property
    def commitment(self) -> str:
        """What the statement holds in the text's place."""
        return digest_of(self.salt + self.text.encode())
