# SPDX-License-Identifier: Apache-2.0
"""Secrets in files of one line: what is taken, and that no refusal repeats any of it."""

from pathlib import Path

import pytest

from coordinator.named_files import read_authorization, read_client_secret
from coordinator.settings import SettingsError

READERS = pytest.mark.parametrize("read", [read_client_secret, read_authorization])


@READERS
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_secret_is_one_line_without_its_end(tmp_path: Path, read: type, end: bytes) -> None:
    (tmp_path / "secret").write_bytes(b"Bearer hunter2" + end)
    assert read(tmp_path / "secret") == "Bearer hunter2"


@READERS
@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"hunter2\n\n", b"hunter2\nx", b"hunter2\x00", "hünter2".encode(), b"hunter2" * 1200],
)
def test_anything_else_is_refused_by_its_setting_and_not_repeated(
    tmp_path: Path, read: type, content: bytes
) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(SettingsError, match=r"settings\..*_file \(.*secret\): expected one line") as refused:
        read(tmp_path / "secret")
    assert "nter2" not in str(refused.value) + refused.value.hint
