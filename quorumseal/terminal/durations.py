# SPDX-License-Identifier: Apache-2.0
"""How long: durations as people read and write them."""

import re
from datetime import timedelta
from typing import Final

_UNITS: Final = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_WRITTEN: Final = re.compile("".join(rf"(?:(?P<{unit}>[0-9]{{1,6}}){unit})?" for unit in _UNITS), re.ASCII)


def duration_text(duration: timedelta) -> str:
    """Say how long in at most two units, rounded down: ``2 h 14 min``, ``3 days``, ``45 s``."""
    if duration < timedelta(0):
        raise ValueError(f"a duration is not negative: {duration}")
    seconds = duration // timedelta(seconds=1)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return _two(f"{days} day{'s' if days > 1 else ''}", hours % 24, "h")
    if hours:
        return _two(f"{hours} h", minutes % 60, "min")
    if minutes:
        return _two(f"{minutes} min", seconds % 60 if minutes < 5 else 0, "s")
    return f"{seconds} s" if seconds else "under a second"


def parse_duration(text: str) -> timedelta:
    """Read ``72h``, ``3d``, ``90m``, ``1d12h``: weeks, days, hours, minutes, seconds, the largest first."""
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise ValueError(f"expected a duration such as 90m, 72h or 3d, got {text[:40]!a}")
    duration = sum(
        (int(number) * _UNITS[unit] for unit, number in written.groupdict(default="0").items()), timedelta()
    )
    if not duration:
        raise ValueError(f"expected a duration of at least 1s, got {text[:40]!a}")
    return duration


def written_duration(duration: timedelta) -> str:
    """Write whole seconds exactly, as ``parse_duration`` reads them: ``3d``, ``1d12h``."""
    left, parts = duration, []
    for unit, length in _UNITS.items():
        count, left = divmod(left, length)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"


def _two(first: str, second: int, unit: str) -> str:
    return f"{first} {second} {unit}" if second else first
