# SPDX-License-Identifier: Apache-2.0
"""What a page is made of: an address, a reading of the log, and a template; or a file to keep."""

from collections.abc import Callable
from dataclasses import dataclass

from coordinator.web.asked import Asked
from coordinator.web.context import WebContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One kind of page; ``read`` blocks, and belongs in a thread."""

    path: str
    here: str
    """The part of the pages that it belongs to."""
    template: str
    read: Callable[[WebContext, Asked], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Bytes that a browser keeps and never shows."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Bytes of others that a browser keeps and never shows, a piece at a time."""

    name: str
    size: int
    piece: Callable[[int], bytes | None]
    """Returns one of them by its number, none after the last; it blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One kind of file."""

    path: str
    read: Callable[[WebContext, Asked], File | Pieces]
