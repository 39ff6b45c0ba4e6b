# SPDX-License-Identifier: Apache-2.0
"""What was measured, by name, told as it comes."""

from collections.abc import Sequence
from statistics import median, quantiles


class Figures:
    """The figures of one run."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def add(self, name: str, value: float, note: str) -> None:
        """Keep a figure, and print it with what it means."""
        self.values[name] = round(value, 4)
        print(f"  {name} = {value:.2f}  ({note})", flush=True)


def spread(values: Sequence[float], unit: str) -> str:
    """Return the least, the middle and the most of several rounds."""
    return f"{min(values):.0f} / {median(values):.0f} / {max(values):.0f} {unit}"


def percentile(values: Sequence[float], rank: int) -> float:
    """Return the value that ``rank`` percent do not exceed."""
    return quantiles(values, n=100, method="inclusive")[rank - 1]
