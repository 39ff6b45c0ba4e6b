# SPDX-License-Identifier: Apache-2.0
"""Put a pack's files into a folder or a zip that is not there yet: whole, or not at all."""

import os
import shutil
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from quorumseal.cli.audit.pack_reading import LARGE, may_grow
from quorumseal.cli.errors import OverwriteError

_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
_ZLIB_FRAME: Final = 6
"""What stands around deflated bytes, and not in a zip."""
_PLAIN_FILE: Final = 0o100644 << 16


def write_folder(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write the files into a new folder; while they are written it has another name."""
    _require_free(path)
    draft = _draft(path)
    draft.mkdir(parents=True)
    try:
        for name, data in files:
            place = draft / name
            place.parent.mkdir(exist_ok=True)
            with place.open("xb") as file:
                file.write(data)
        _require_free(path)
        draft.rename(path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def write_zip(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write the files into a new zip; the same files at the same version of Python give the same bytes."""
    _require_free(path)
    draft = _draft(path)
    draft.parent.mkdir(parents=True, exist_ok=True)
    try:
        with draft.open("xb") as whole, zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files:
                entry = zipfile.ZipInfo(name, _LONG_AGO)
                entry.create_system, entry.external_attr = 3, _PLAIN_FILE
                entry.compress_type = zipfile.ZIP_DEFLATED if _may_deflate(data) else zipfile.ZIP_STORED
                archive.writestr(entry, data)
        os.link(draft, path)  # refuses where something came there meanwhile
    except FileExistsError:
        raise _taken(path) from None
    finally:
        draft.unlink(missing_ok=True)


def _may_deflate(data: bytes) -> bool:
    """Whether a reader will take it deflated: texts that somebody handed in may be one letter all through."""
    return len(data) <= LARGE or may_grow(len(zlib.compress(data)) - _ZLIB_FRAME, len(data))


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")


def _require_free(path: Path) -> None:
    if path.is_symlink() or (path.exists() and not (path.is_dir() and not any(path.iterdir()))):
        raise _taken(path)


def _taken(path: Path) -> OverwriteError:
    return OverwriteError(
        f"expected nothing at {path}, got something", hint="choose another place, or move it away"
    )
