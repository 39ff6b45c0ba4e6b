# SPDX-License-Identifier: Apache-2.0
"""Change a line of a TOML file that people wrote, and leave all the others as they are."""

import re
import tomllib

_TABLE = re.compile(r"^\s*\[")


def with_text(source: str, table: str, key: str, value: str) -> str:
    """Return the source in which a table's key has a text; a line that is not there yet ends the table."""
    line = f"{key} = {_quoted(value)}"
    return _checked(source, table, key, _edited(source, table, key, line), value)


def without(source: str, table: str, key: str) -> str:
    """Return the source in which a table has no such key."""
    return _checked(source, table, key, _edited(source, table, key, None), None)


def _edited(source: str, table: str, key: str, line: str | None) -> str:
    lines = source.splitlines()
    try:
        start = next(i for i, text in enumerate(lines) if text.split("#")[0].strip() == f"[{table}]") + 1
    except StopIteration:
        raise ValueError(f"expected a table [{table}], got none") from None
    end = next((i for i in range(start, len(lines)) if _TABLE.match(lines[i])), len(lines))
    named = re.compile(rf"^\s*{re.escape(key)}\s*=")
    at = [i for i in range(start, end) if named.match(lines[i])]
    if at:
        lines[at[0] : at[0] + 1] = [] if line is None else [line]
    elif line is not None:
        written = [i for i in range(start, end) if lines[i].strip() and not lines[i].startswith("#")]
        lines.insert(max(written, default=start - 1) + 1, line)
    return "\n".join(lines) + "\n"


def _checked(source: str, table: str, key: str, edited: str, value: str | None) -> str:
    """Refuse to have changed anything else, however the file is written."""
    before = tomllib.loads(source)
    before[table].pop(key, None)
    try:
        after = tomllib.loads(edited)
    except tomllib.TOMLDecodeError:
        after = {table: {}}
    if after[table].pop(key, None) != value or before != after:
        raise ValueError(f"expected [{table}] with {key} on a line of its own, got it written otherwise")
    return edited


def _quoted(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"a setting is printable: {text!a}")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
