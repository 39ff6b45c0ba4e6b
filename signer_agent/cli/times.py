# SPDX-License-Identifier: Apache-2.0
"""Times as arguments: how long, until when, on which day."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

from quorumseal.ceremony.errors import ValueFormatError
from quorumseal.ceremony.spans import Span, Until, read_span, read_until
from quorumseal.ceremony.values import day

_Read = TypeVar("_Read")
_DATE_LENGTH = len("2026-12-24")


def span_argument(text: str) -> Span:
    """Read how long."""
    return _read(read_span, text)


def until_argument(text: str) -> Until:
    """Read until when: how long, or an instant."""
    return _read(read_until, text)


def instant_argument(text: str) -> datetime:
    """Read an instant."""
    until = _read(read_until, text)
    if not isinstance(until, datetime):
        raise ArgumentTypeError(f"expected an instant such as 2026-11-25T17:00+01:00, got {text[:40]!a}")
    return until


def moment_argument(text: str) -> Until | date:
    """Read until when, or a day."""
    if len(text) == _DATE_LENGTH and text.count("-") == 2:
        return _read(day, text)
    return until_argument(text)


def _read(reader: Callable[[str], _Read], text: str) -> _Read:
    try:
        return reader(text)
    except ValueFormatError as error:
        raise ArgumentTypeError(str(error)) from None
