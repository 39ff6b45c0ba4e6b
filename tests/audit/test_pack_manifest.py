# SPDX-License-Identifier: Apache-2.0
"""What is no manifest, or names what no pack has, is refused."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from quorumseal.audit.pack.errors import PackFormatError
from quorumseal.audit.pack.manifest import About, FileEntry, read_manifest, write_manifest
from quorumseal.audit.population import Period
from quorumseal.strict_json import JsonValue, read, write
from tests.organisation import NOW, ceremony_number

DIGEST = "sha256:" + "ab" * 32
ABOUT = About(
    organisation="acme.example",
    log="log.acme.example/test",
    policy=DIGEST,
    period=Period(begin=NOW, end=NOW + timedelta(days=1)),
    size=7,
    root=DIGEST,
    annexes=False,
    program="0.1.0",
    unpublished=(ceremony_number(1),),
)
FILES = (FileEntry("README.txt", 7, DIGEST), FileEntry("log/log.json", 3, DIGEST))
WRITTEN = write_manifest(ABOUT, FILES)


def changed(change: Callable[[dict[str, JsonValue]], object]) -> bytes:
    value = read(WRITTEN)
    assert isinstance(value, dict)
    change(value)
    return write(value) + b"\n"


def named(name: str) -> Callable[[dict[str, JsonValue]], object]:
    def add(value: dict[str, JsonValue]) -> None:
        value["files"] = [{"name": name, "size": 1, "digest": DIGEST}]

    return add


def test_what_is_written_reads_back() -> None:
    manifest = read_manifest(WRITTEN)
    assert manifest.about == ABOUT
    assert manifest.files == {each.name: each for each in FILES}


REFUSED: list[tuple[str, bytes]] = [
    ("nothing", b""),
    ("no object", b"[]\n"),
    ("without its newline", WRITTEN[:-1]),
    ("with white space", b" " + WRITTEN),
    ("another type", changed(lambda value: value.update(type="https://quorumseal.dev/bundle/v1"))),
    ("another format", changed(lambda value: value.update(format=1))),
    ("a field more", changed(lambda value: value.update(more=1))),
    ("a field less", changed(lambda value: value.pop("log"))),
    (
        "a period that ends before it begins",
        changed(
            lambda value: value.update(
                period={"from": "2026-11-20T14:00:00.000Z", "to": "2026-11-20T13:00:00.000Z"}
            )
        ),
    ),
    ("a program that is no version", changed(lambda value: value.update(program="0.1 <b>"))),
    (
        "a file twice",
        changed(
            lambda value: value.update(
                files=[
                    {"name": "a.txt", "size": 1, "digest": DIGEST},
                    {"name": "a.txt", "size": 1, "digest": DIGEST},
                ]
            )
        ),
    ),
    (
        "files out of order",
        changed(
            lambda value: value.update(
                files=[
                    {"name": "b.txt", "size": 1, "digest": DIGEST},
                    {"name": "a.txt", "size": 1, "digest": DIGEST},
                ]
            )
        ),
    ),
    *(
        (name, changed(named(name)))
        for name in (
            "../outside.txt",
            "/etc/passwd.txt",
            "log/../x.json",
            "log/a/b.json",
            "log\\x.json",
            "C:x.txt",
            ".hidden.txt",
            "a.txt/",
            "",
            "con",
            "log/entries.jsonl\n",
            "bundles/x\u202etxt.json",
        )
    ),
]


@pytest.mark.parametrize("data", [row[1] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(PackFormatError):
        read_manifest(data)
