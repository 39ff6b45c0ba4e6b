# SPDX-License-Identifier: Apache-2.0
"""``manifest.json``: what a pack is about, and each of its files with length and digest.

Nobody signs it.  Everything in it but the version of the program follows from the log or from the files, and
whoever verifies compares both.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from quorumseal.audit.pack.errors import PackFormatError
from quorumseal.audit.population import Period
from quorumseal.ceremony.policy_fields import require_format
from quorumseal.ceremony.values import ceremony_id, digest, digest_of, instant, log_origin, name
from quorumseal.refusal import Refusal
from quorumseal.strict_json import Fields, JsonValue, StrictJsonError, read, write

FORMAT: Final = 0
PACK_TYPE: Final = "https://quorumseal.dev/audit-pack/v1"
MANIFEST: Final = "manifest.json"
MAX_MANIFEST_BYTES: Final = 64 << 20
_FILE: Final = re.compile(r"(?:[a-z]+/)?[a-z0-9][a-z0-9-]*(?:\.[a-z]+){1,2}|README\.txt")
_PROGRAM: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,31}")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a pack."""

    name: str
    size: int
    digest: str

    @classmethod
    def of(cls, name: str, data: bytes) -> "FileEntry":
        """Describe a file."""
        return cls(name, len(data), digest_of(data))


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a pack is about."""

    organisation: str
    log: str
    policy: str
    """The digest of version 1, at which everything begins."""
    period: Period
    size: int
    """How many entries the log had."""
    root: str
    annexes: bool
    """Whether the texts were asked for."""
    program: str
    """The version of quorumseal that made it."""
    unpublished: tuple[str, ...] = ()
    """Approved ceremonies of the period that came without a bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a pack says of itself."""

    about: About
    files: Mapping[str, FileEntry]


def write_manifest(about: About, files: Iterable[FileEntry]) -> bytes:
    """Make the bytes of a manifest."""
    listed: list[JsonValue] = [
        {"name": each.name, "size": each.size, "digest": each.digest}
        for each in sorted(files, key=lambda each: each.name)
    ]
    return (
        write(
            {
                "type": PACK_TYPE,
                "format": FORMAT,
                "organisation": about.organisation,
                "log": about.log,
                "policy": about.policy,
                "period": about.period.to_json(),
                "checkpoint": {"size": about.size, "root": about.root},
                "annexes": about.annexes,
                "unpublished": [*about.unpublished],
                "program": about.program,
                "files": listed,
            }
        )
        + b"\n"
    )


def read_manifest(data: bytes) -> Manifest:
    """Return the manifest that the bytes are, or refuse them."""
    try:
        manifest = _read(data)
    except PackFormatError:
        raise
    except (StrictJsonError, Refusal) as reason:
        raise PackFormatError(f"{MANIFEST}: {reason}", hint=reason.hint) from reason
    if write_manifest(manifest.about, manifest.files.values()) != data:
        raise PackFormatError(f"expected {MANIFEST} as it is written, got another spelling of it")
    return manifest


def _read(data: bytes) -> Manifest:
    fields = Fields(read(data, max_bytes=MAX_MANIFEST_BYTES), "manifest")
    fields.constant("type", PACK_TYPE)
    require_format(fields, FORMAT)
    period, checkpoint = fields.object("period"), fields.object("checkpoint")
    about = About(
        organisation=name(fields.text("organisation")),
        log=log_origin(fields.text("log")),
        policy=digest(fields.text("policy")),
        period=_read_period(period),
        size=checkpoint.integer("size", at_least=1),
        root=digest(checkpoint.text("root")),
        annexes=fields.flag("annexes"),
        unpublished=tuple(ceremony_id(each) for each in fields.texts("unpublished")),
        program=_read_program(fields),
    )
    rows = fields.objects("files")
    files = {each.name: each for each in map(_read_file, rows)}
    if len(files) != len(rows):
        raise PackFormatError("expected each file once in the manifest, got one twice")
    for each in (period, checkpoint, fields):
        each.done()
    return Manifest(about=about, files=files)


def _read_period(fields: Fields) -> Period:
    begin, end = instant(fields.text("from")), instant(fields.text("to"))
    if begin >= end:
        raise fields.invalid("to", "an instant after the first")
    return Period(begin=begin, end=end)


def _read_program(fields: Fields) -> str:
    text = fields.text("program")
    if not _PROGRAM.fullmatch(text):
        raise fields.invalid("program", "a version")
    return text


def _read_file(fields: Fields) -> FileEntry:
    entry = FileEntry(fields.text("name"), fields.integer("size"), digest(fields.text("digest")))
    fields.done()
    if not _FILE.fullmatch(entry.name):
        raise PackFormatError(
            f"expected names of files as a pack has them, got {entry.name[:80]!a}",
            hint="no file of a pack lies outside it; do not unpack this one",
        )
    return entry
