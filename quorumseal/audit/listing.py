# SPDX-License-Identifier: Apache-2.0
"""What is out in the world, as a registry lists it: names and digests, from a file of any usual form.

Lines are ``NAME DIGEST`` or, as ``sha256sum`` writes, ``DIGEST  NAME``; a digest with or without ``sha256:``.
An OCI listing is the JSON of an image index, of a manifest, or of several, one a line.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from quorumseal.audit.asking_errors import ListingError

_HEX = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_MOST = 1_000_000
_TITLE = "org.opencontainers.image.title"
_REFERENCE = "org.opencontainers.image.ref.name"


@dataclass(frozen=True, slots=True, order=True)
class Listed:
    """One artifact as it is listed."""

    name: str
    digest: str


def read_listing(text: str) -> tuple[Listed, ...]:
    """Return everything that a listing names; refuse a line that is not understood, never skip one."""
    listed = tuple(_of_json(text) if text.lstrip()[:1] in ("{", "[") else _of_lines(text))
    if not listed:
        raise ListingError(
            "expected a listing with at least one artifact, got an empty one",
            hint="one a line: its name and its digest; `sha256sum *` makes such a file",
        )
    if len(listed) > _MOST:
        raise ListingError(f"expected a listing of at most {_MOST} artifacts, got {len(listed)}")
    return tuple(sorted({*listed}))


def _of_lines(text: str) -> Iterator[Listed]:
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.replace("\t", " ").strip()
        if not words or words.startswith("#"):
            continue
        first, _, rest = words.partition(" ")
        before, _, last = words.rpartition(" ")
        if (match := _HEX.fullmatch(first)) and rest.strip():
            yield Listed(rest.strip().removeprefix("*"), f"sha256:{match[1]}")
        elif (match := _HEX.fullmatch(last)) and before.strip():
            yield Listed(before.strip(), f"sha256:{match[1]}")
        else:
            raise ListingError(
                f"expected a name and a SHA-256 digest in line {number} of the listing, got {line[:80]!a}",
                hint="one artifact a line, such as: widget.tar.gz sha256:<64 hexadecimal digits>",
            )


def _of_json(text: str) -> Iterator[Listed]:
    decoder, position = json.JSONDecoder(), 0
    while position < len(text):
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            raise ListingError(
                f"expected JSON in the listing, got {text[position : position + 80]!a}",
                hint="save the registry's answer as it is, such as: oras manifest fetch REPOSITORY:TAG",
            ) from None
        yield from _descriptors(value)
        position += len(text[position:]) - len(text[position:].lstrip())


def _descriptors(value: object) -> Iterator[Listed]:
    """Yield the artifacts of an index, of a manifest, or of a list of either; configurations are none."""
    match value:
        case list():
            for each in value:
                yield from _descriptors(each)
        case {"manifests": list() as inside} | {"layers": list() as inside}:
            for each in inside:
                yield from _descriptors(each)
        case {"digest": str() as digest, **more} if found := _HEX.fullmatch(digest):
            notes = more.get("annotations")
            named = [notes.get(_TITLE), notes.get(_REFERENCE)] if isinstance(notes, dict) else []
            names = [each for each in (*named, more.get("name"), more.get("tag")) if isinstance(each, str)]
            yield Listed((names or [digest])[0], f"sha256:{found[1]}")
        case _:
            raise ListingError(
                f"expected descriptors with a sha256 digest in the listing, got {json.dumps(value)[:80]}",
                hint="an OCI image index, a manifest, or a list of {name, digest}",
            )
