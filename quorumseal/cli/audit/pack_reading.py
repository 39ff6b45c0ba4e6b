# SPDX-License-Identifier: Apache-2.0
"""A pack on disk, as a folder or as one zip, read file by file; nothing in it is followed or unpacked."""

import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from quorumseal.cli.errors import FileError
from quorumseal.cli.files import read_file

MAX_PACK_FILE: Final = 4 << 30
LARGE: Final = 16 << 20
MOST_GROWTH: Final = 100
"""How many times the bytes that it takes in a zip a large file may unpack to."""
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_WHERE: Final = "name the folder, or the zip, that `quorumseal audit export` made"


class PackFolder(Mapping[str, bytes]):
    """The plain files in a folder and its folders; anything else has a name that no pack lists."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names = sorted(_names(folder))
        self._known = frozenset(self._names)

    def __getitem__(self, name: str) -> bytes:
        if name not in self._known:
            raise KeyError(name)
        return read_file(self._folder / name, "a file of a pack", MAX_PACK_FILE)

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class PackZip(Mapping[str, bytes]):
    """The files in a zip; each is read as far as its entry says, and a small zip asks for no gigabytes."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self._archive = archive
        self._size = size
        self._entries = {each.filename: each for each in archive.infolist()}
        if len(self._entries) != len(archive.infolist()):
            raise FileError("expected each file once in the zip, got one twice", hint=_WHERE)

    def __getitem__(self, name: str) -> bytes:
        entry = self._entries[name]
        if entry.compress_type not in _METHODS:
            raise FileError(
                f"expected {name} in the zip as it is or deflated, got another method", hint=_WHERE
            )
        if not may_grow(min(entry.compress_size, self._size), entry.file_size):
            raise FileError(
                f"expected {name} in the zip to unpack to at most {MOST_GROWTH} times its size, got "
                f"{entry.file_size} bytes of {entry.compress_size}",
                hint=_WHERE,
            )
        try:
            with self._archive.open(entry) as file:
                data = file.read(min(entry.file_size, MAX_PACK_FILE) + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            RuntimeError,
            EOFError,
            ValueError,
        ) as reason:
            raise FileError(f"expected {name} in the zip, got one that is damaged: {reason}") from None
        if len(data) != entry.file_size:
            raise FileError(f"expected {entry.file_size} bytes of {name} in the zip, got others")
        return data

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def may_grow(packed: int, size: int) -> bool:
    """Whether a file that takes so many bytes in a zip may unpack to this size."""
    return size <= max(LARGE, MOST_GROWTH * packed)


def open_pack(path: Path) -> Mapping[str, bytes]:
    """Return the files of a pack by name."""
    if path.is_dir():
        return PackFolder(path)
    try:
        return PackZip(zipfile.ZipFile(path), path.stat().st_size)
    except FileNotFoundError:
        raise FileError(f"expected a pack at {path}, got no such file", hint=_WHERE) from None
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError) as reason:
        raise FileError(
            f"expected a pack at {path}, got a file that is no zip: {reason}", hint=_WHERE
        ) from None


def _names(folder: Path, prefix: str = "", depth: int = 2) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            if entry.is_file(follow_symlinks=False):
                yield name
            elif entry.is_dir(follow_symlinks=False) and depth > 1:
                inside = [*_names(folder / entry.name, f"{name}/", depth - 1)]
                yield from inside or [f"{name}/"]
            else:
                yield f"{name}/"
