# SPDX-License-Identifier: Apache-2.0
"""A refusal, by its code; what exit each code has is read from ``docs/refusals.md``."""

import re
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).parents[2] / "docs" / "refusals.md"


class Refused(Exception):  # noqa: N818 # what it is called here
    """The bundle is refused, for the reason that the code names."""

    def __init__(self, code: str, why: str = "") -> None:
        super().__init__(f"{code}: {why}")
        self.code = code


def need(held: bool, code: str, why: str = "") -> None:
    """Refuse unless ``held``."""
    if not held:
        raise Refused(code, why)


@cache
def exits() -> dict[str, int]:
    """The exit of each code, as the document's table says."""
    rows = re.findall(r"^\| `([a-z0-9_.]+)` \|.*\| (\d+) \|$", _TABLE.read_text(), re.MULTILINE)
    return {code: int(number) for code, number in rows}
