# SPDX-License-Identifier: Apache-2.0
"""A copy of an SQLite database as it stands at one moment, and its return: whole, or not at all."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

from coordinator.errors import BackupError, LogEmptyError
from coordinator.storage import Storage, existing_storage, file_of
from coordinator.storage.rows import LogHead

_POSTGRESQL = (
    "use pg_dump and pg_restore; the operator's manual has both, in `When the database was restored`"
)
_BESIDE = ("-wal", "-shm")


def back_up(database: str, file: Path) -> LogHead:
    """Copy a database into a new file, also while a coordinator writes; return how far its log reaches."""
    source = _file(database)
    if file.exists():
        raise BackupError(f"expected no {file} yet, got one", hint="name a file that is not there")
    if not source.is_file():
        raise LogEmptyError(f"expected a database {source}, got no such file", hint="see the settings")
    with _draft(file) as draft:
        with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(draft)) as copy:
            original.backup(copy)
        return _examine(draft)


def put_back(database: str, file: Path) -> tuple[LogHead, Path | None]:
    """Put a backup in a database's place; return how far its log reaches, and where the former one is."""
    target = _file(database)
    if not file.is_file():
        raise BackupError(f"expected a backup {file}, got no such file", hint="see the name")
    aside = None
    with _draft(target, replacing=True) as draft:
        # A backup is one file: nothing beside it is looked for, and nothing made.
        how = f"{file.resolve().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(how, uri=True)) as original, closing(sqlite3.connect(draft)) as copy:
            try:
                original.backup(copy)
            except sqlite3.DatabaseError as error:
                raise _no_backup(file, str(error)) from None
        head = _examine(draft)
        if target.exists():
            aside = _put_aside(target)
    return head, aside


def _put_aside(target: Path) -> Path:
    """Move a database away that nobody has open."""
    with closing(sqlite3.connect(target, timeout=0.5)) as former:
        try:
            former.execute("PRAGMA journal_mode = DELETE")  # takes what lies beside it in; only for one alone
        except sqlite3.OperationalError:
            raise BackupError(
                f"expected {target} to be in nobody's use, got it open",
                hint="stop the coordinator first",
            ) from None
        except sqlite3.DatabaseError:
            pass  # damaged: that is perhaps why it is replaced
    names = (target.with_name(f"{target.name}.before-{number}") for number in count(1))
    aside = next(name for name in names if not name.exists())
    target.rename(aside)
    for suffix in _BESIDE:
        beside = target.with_name(target.name + suffix)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + suffix))
    return aside


def _examine(file: Path) -> LogHead:
    """Refuse a copy that is not whole."""
    try:
        with closing(sqlite3.connect(file)) as copy:
            (said,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        raise _no_backup(file, said)
    with existing_storage(f"sqlite:///{file}") as storage:
        head = _head(storage)
    with closing(sqlite3.connect(file)) as copy:
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, and nothing beside it
    return head


def _head(storage: Storage) -> LogHead:
    head = storage.log.head()
    if not head.size:
        raise LogEmptyError("expected a log with a policy, got an empty one", hint="name another file")
    return head


def _no_backup(file: Path, said: str) -> BackupError:
    return BackupError(f"expected a whole database in {file}, got: {said}", hint="name another backup")


def _file(database: str) -> Path:
    file = file_of(database)
    if file is None:
        raise BackupError("expected an SQLite database, got PostgreSQL", hint=_POSTGRESQL)
    return file


@contextmanager
def _draft(file: Path, *, replacing: bool = False) -> Iterator[Path]:
    """Give a file beside another, which takes its name, durably, if all went well."""
    draft = file.with_name(f".{file.name}.new")
    try:
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise BackupError(f"expected to write {draft}, got {error.strerror}", hint="see its folder") from None
    try:
        yield draft
        for suffix in _BESIDE:
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)
        _sync(draft)
        if replacing:
            draft.replace(file)
        else:
            os.link(draft, file)
    finally:
        for suffix in ("", *_BESIDE):
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)
    _sync(file.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
