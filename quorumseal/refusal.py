# SPDX-License-Identifier: Apache-2.0
"""The root of every error that says no."""

from typing import ClassVar


class Refusal(Exception):  # noqa: N818 - the project's word; every subclass ends in Error
    """Something was refused; ``code`` is stable and public, the message says what was expected, what came."""

    code: ClassVar[str]
    usual_hint: ClassVar[str] = ""
    """What to do next, where whoever refuses knows nothing better."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint or self.usual_hint
