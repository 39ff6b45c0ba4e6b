# SPDX-License-Identifier: Apache-2.0
"""What somebody hostile does to honest bytes: edit a field, chain entries anew, and see what comes of it."""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from quorumseal.ceremony.entries import Entry, write_entry
from quorumseal.refusal import Refusal
from quorumseal.strict_json import JsonValue, read, write

Path: TypeAlias = tuple[str | int, ...]
LARGEST = 128 << 20


def value_at(value: JsonValue, path: Path) -> JsonValue:
    """Return what stands at a path of objects and lists."""
    for step in path:
        match value, step:
            case dict(), str():
                value = value[step]
            case list(), int():
                value = value[step]
            case _:
                raise AssertionError(f"nothing stands at {path}")
    return value


def edited(document: bytes, path: Path, value: JsonValue) -> bytes:
    """Return the document with another value at a path; the canonical bytes of it."""
    whole = copy.deepcopy(read(document, max_bytes=LARGEST))
    match value_at(whole, path[:-1]), path[-1]:
        case dict() as parent, str() as step:
            parent[step] = value
        case list() as items, int() as index:
            items[index] = value
        case _:
            raise AssertionError(f"nothing stands at {path}")
    return write(whole)


def without(document: bytes, path: Path) -> bytes:
    """Return the document without what stands at a path."""
    whole = copy.deepcopy(read(document, max_bytes=LARGEST))
    match value_at(whole, path[:-1]), path[-1]:
        case dict() as parent, str() as step:
            del parent[step]
        case list() as items, int() as index:
            del items[index]
        case _:
            raise AssertionError(f"nothing stands at {path}")
    return write(whole)


def paths(document: bytes) -> Iterator[Path]:
    """Name every place of a document, the root first."""

    def walk(value: JsonValue, path: Path) -> Iterator[Path]:
        yield path
        match value:
            case dict():
                for name, item in value.items():
                    yield from walk(item, (*path, name))
            case list():
                for index, item in enumerate(value):
                    yield from walk(item, (*path, index))

    yield from walk(read(document, max_bytes=LARGEST), ())


def objects(document: bytes) -> list[Path]:
    """Name every object of a document."""
    value = read(document, max_bytes=LARGEST)
    return [path for path in paths(document) if isinstance(value_at(value, path), dict)]


def fields(document: bytes) -> list[Path]:
    """Name every field of every object of a document."""
    return [path for path in paths(document) if path and isinstance(path[-1], str)]


def relinked(entries: Iterable[Entry]) -> list[Entry]:
    """Chain entries anew in the order given, as only a coordinator can: types, bodies and times stay."""
    chained: list[Entry] = []
    for entry in entries:
        chained.append(
            write_entry(
                entry.type,
                entry.body,
                at=entry.at,
                ceremony=entry.ceremony,
                seq=len(chained),
                prev=chained[-1].hash if chained else None,
            )
        )
    return chained


def payloads(entries: Iterable[Entry]) -> list[bytes]:
    """Return the bytes of entries."""
    return [entry.payload for entry in entries]


def verdict(judge: Callable[[], object]) -> str:
    """Return the code of the refusal that a judgement ends in, or ``accepted``."""
    try:
        judge()
    except Refusal as refusal:
        return refusal.code
    return "accepted"


def swapped(entries: Sequence[Entry], one: int, other: int) -> list[Entry]:
    """Return entries with two of them exchanged."""
    order = list(entries)
    order[one], order[other] = order[other], order[one]
    return order
