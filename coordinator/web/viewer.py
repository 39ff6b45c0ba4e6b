# SPDX-License-Identifier: Apache-2.0
"""Who looks at a page, and what somebody gets who may not."""

from dataclasses import dataclass

from starlette.responses import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Somebody who signed in: an auditor, an operator or a signer, as their certificate or provider says."""

    name: str
    kind: str
    leave: str = ""
    """Where they sign out; nowhere who is known by a certificate."""


class NotSignedInError(Exception):
    """Nobody that may look; ``response`` is sent where there is one, a page that says why otherwise."""

    def __init__(
        self, why: str, *, hint: str = "", status: int = 401, response: Response | None = None
    ) -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint
        self.status = status
        self.response = response
