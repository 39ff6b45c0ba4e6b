# SPDX-License-Identifier: Apache-2.0
"""Commands in files for other programs: whether this program takes them."""

import shlex
from collections.abc import Sequence

from scripts.documentation.commands import misfit


def misfit_of(words: Sequence[str]) -> str:
    """Return why the program would not take a command, whose first word is the program; empty if it would."""
    assert words[0].endswith("/quorumseal")
    return misfit(shlex.join(["quorumseal", *words[1:]]))
