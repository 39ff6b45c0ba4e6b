# SPDX-License-Identifier: Apache-2.0
"""Values and keys as TOML writes them."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from quorumseal.ceremony.values import instant_text

Plain = str | int | bool | datetime | date | None | Sequence["Plain"] | Mapping[str, "Plain"]
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 80


def bare(name: str) -> str:
    """Write a key; the dots that names may have would split it."""
    return name if _BARE.fullmatch(name) else json.dumps(name)


def toml_value(plain: Plain) -> str:
    """Write a value on one line, or a long list with each item on a line of its own."""
    match plain:
        case bool():
            return "true" if plain else "false"
        case int():
            return str(plain)
        case str() if "\n" in plain:
            return f'"""\n{plain}"""' if "\\" not in plain and '"' not in plain else json.dumps(plain)
        case str():
            return json.dumps(plain, ensure_ascii=False)
        case datetime():
            return instant_text(plain)
        case date():
            return plain.isoformat()
        case Mapping():
            return f"{{ {', '.join(f'{bare(name)} = {toml_value(each)}' for name, each in plain.items())} }}"
        case Sequence():
            return _list([toml_value(each) for each in plain])
    raise ValueError(f"expected a value that TOML can hold, got {plain!r}")


def _list(items: Sequence[str]) -> str:
    line = f"[{', '.join(items)}]"
    return line if len(line) <= _WIDTH else "[\n" + "".join(f"  {item},\n" for item in items) + "]"
