# SPDX-License-Identifier: Apache-2.0
"""A directory of published bundles: whole, durable, and never over other bytes."""

import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from coordinator.destinations import Directory
from coordinator.errors import DestinationError

NAME, DATA = "widget@1.0.quorumseal.json", b'{"bundle":1}'


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path / "published")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "published").mkdir()
    return tmp_path / "published" / NAME


def test_a_bundle_is_published_and_again_without_effect(directory: Directory, path: Path) -> None:
    assert directory.publish(NAME, DATA) == str(path)
    before = path.stat()
    assert directory.publish(NAME, DATA) == str(path)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert path.read_bytes() == DATA
    assert [each.name for each in path.parent.iterdir()] == [NAME], "no draft is left"


def test_the_directory_is_made_where_it_is_missing(directory: Directory, tmp_path: Path) -> None:
    directory.publish(NAME, DATA)
    assert (tmp_path / "published" / NAME).read_bytes() == DATA


@pytest.mark.parametrize("other", [b"", b"other bytes", DATA + b"\n", DATA[:-1]])
def test_other_bytes_under_the_name_are_never_overwritten(
    directory: Directory, path: Path, other: bytes
) -> None:
    path.write_bytes(other)
    with pytest.raises(DestinationError, match="other bytes"):
        directory.publish(NAME, DATA)
    assert path.read_bytes() == other


@pytest.mark.usefixtures("case_ignored")
def test_two_versions_that_differ_in_case_alone_never_replace_each_other(
    directory: Directory, path: Path
) -> None:
    first, second = (f"widget@1.0-{tag}.quorumseal.json" for tag in ("rc1", "RC1"))
    directory.publish(first, DATA)
    assert directory.publish(second, DATA) == str(path.parent / second), "the same bytes are no other file"
    for _ in range(2):
        with pytest.raises(DestinationError, match=r"RC1.*other bytes under that name") as refused:
            directory.publish(second, b"other bytes")
        assert "differs in case" in refused.value.hint
    assert [(each.name, each.read_bytes()) for each in path.parent.iterdir()] == [(first, DATA)]


@pytest.fixture
def case_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the system calls on names in a directory ignore case, as far as the file system does not."""
    (tmp_path / "Probe").touch()
    if (tmp_path / "probe").exists():
        return
    opened, linked, removed = os.open, os.link, os.unlink

    def folding_open(name: Any, *arguments: Any, dir_fd: int | None = None) -> int:
        return opened(name if dir_fd is None else name.lower(), *arguments, dir_fd=dir_fd)

    def folding_link(source: str, target: str, **options: Any) -> None:
        linked(source.lower(), target.lower(), **options)

    def folding_unlink(name: str, *, dir_fd: int) -> None:
        removed(name.lower(), dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", folding_open)
    monkeypatch.setattr(os, "link", folding_link)
    monkeypatch.setattr(os, "unlink", folding_unlink)


def test_a_symbolic_link_in_its_place_is_not_followed(directory: Directory, path: Path) -> None:
    target = path.parent.parent / "target"
    path.symlink_to(target)
    with pytest.raises(DestinationError):
        directory.publish(NAME, DATA)
    assert not target.exists()
    target.write_bytes(DATA)
    with pytest.raises(DestinationError):
        directory.publish(NAME, DATA)


def test_a_pipe_in_its_place_is_refused_without_waiting_for_it(directory: Directory, path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(DestinationError, match="to be a file"):
        directory.publish(NAME, DATA)


def test_a_link_put_there_at_the_last_moment_is_not_followed(
    directory: Directory, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = path.parent.parent / "target"
    link = os.link

    def racing(*arguments: object, **options: object) -> None:
        path.symlink_to(target)
        link(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", racing)
    with pytest.raises(DestinationError):
        directory.publish(NAME, DATA)
    assert not target.exists()


def test_nothing_is_left_where_the_disk_is_full(
    directory: Directory, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DestinationError, match="No space left"):
        directory.publish(NAME, DATA)
    assert list(path.parent.iterdir()) == []


def test_a_file_is_whole_and_durable_before_it_has_its_name(
    directory: Directory, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    did: list[str] = []
    fsync, link = os.fsync, os.link

    def note_fsync(file: int) -> None:
        did.append("fsync directory" if Path(f"/proc/self/fd/{file}").is_dir() else "fsync file")
        fsync(file)

    def note_link(*arguments: object, **options: object) -> None:
        did.append("link")
        link(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "link", note_link)
    directory.publish(NAME, DATA)
    assert did == ["fsync file", "link", "fsync directory"]
    assert path.read_bytes() == DATA


def test_many_at_once_publish_one_whole_file(directory: Directory, path: Path) -> None:
    data = os.urandom(1 << 20)
    failures: list[Exception] = []

    def publish() -> None:
        try:
            directory.publish(NAME, data)
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=publish) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert path.read_bytes() == data
    assert [each.name for each in path.parent.iterdir()] == [NAME]


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "/etc/passwd"])
def test_only_plain_names_are_published(directory: Directory, name: str) -> None:
    with pytest.raises(ValueError, match="no plain file name"):
        directory.publish(name, DATA)
