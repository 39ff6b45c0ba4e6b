# SPDX-License-Identifier: Apache-2.0
"""Who types what, as the manual has it: nothing is run that is not written there."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MANUAL: Final = Path(__file__).parent.parent.parent / "docs" / "manuals" / "founding.md"
_BLOCK = re.compile(r"<!-- on: (\w+)(?:, (running|waiting))? -->\n```console\n(.*?)```", re.DOTALL)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command on somebody's machine."""

    machine: str
    command: str
    lasts: str = ""
    """``running`` until the end of the story, ``waiting`` for what others do, or over at once."""

    def words(self, *, digest: str, renamed: dict[str, str]) -> list[str]:
        """Return the command with what only the day itself says: another digest, and other addresses."""
        text = _DIGEST.sub(digest, self.command)
        for before, after in renamed.items():
            text = text.replace(before, after)
        return shlex.split(text)


def steps(text: str) -> list[Step]:
    """Return every command that the manual shows on some machine, in its order."""
    return [
        Step(machine=machine, command=line.removeprefix("$ "), lasts=lasts)
        for machine, lasts, block in _BLOCK.findall(text)
        for line in block.replace("\\\n    ", "").splitlines()
        if line.startswith("$ ")
    ]
