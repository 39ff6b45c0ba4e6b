# SPDX-License-Identifier: Apache-2.0
"""Where a command's output goes: one screen on the process's own streams, or one JSON document."""

import json
import os
import sys
from collections.abc import Mapping, Sequence

from quorumseal.terminal import Screen

Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]


def screen() -> Screen:
    """Return the screen of this process."""
    return Screen.on(sys.stdout, sys.stderr, os.environ)


def print_json(value: Json) -> None:
    """Write a JSON document to standard output, in ASCII: nothing in it acts on a terminal."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
    sys.stdout.flush()
