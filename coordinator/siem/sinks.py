# SPDX-License-Identifier: Apache-2.0
"""Where lines go: a file that others move away and read, or a receiver by HTTP.  Neither waits for long."""

import os
import select
import ssl
import stat
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from coordinator.named_files import read_authorization
from coordinator.notifying.connecting import OwnPorts, tls_context
from coordinator.notifying.posting import HttpAddress, post
from coordinator.siem.errors import SinkError
from coordinator.siem_settings import SiemSettings
from quorumseal.refusal import Refusal

SECONDS: Final = 5.0
_MODE: Final = 0o640
_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
_TYPE: Final = {"Content-Type": "application/x-ndjson"}


class Sink(Protocol):
    """Takes lines, all of them or none that counts."""

    def take(self, lines: Sequence[bytes]) -> None:
        """Return once they are where they belong; raise ``SinkError`` where they are not."""

    def close(self) -> None:
        """Take no more."""


class FileSink:
    """A file or a named pipe.  A line that an error cut off is ended before anything else is written."""

    def __init__(self, path: Path, *, seconds: float = SECONDS) -> None:
        self._path = path
        self._seconds = seconds
        self._open: int | None = None
        self._torn = False

    def take(self, lines: Sequence[bytes]) -> None:
        """Append the lines, and have them kept."""
        try:
            descriptor = self._opened()
            before = b"\n" if self._torn else b""
            self._write(descriptor, before + b"".join(line + b"\n" for line in lines))
            with suppress(OSError):  # a pipe has nothing to be kept
                os.fsync(descriptor)
        except OSError as error:
            self.close()
            raise SinkError(f"expected to write {self._path}, got {error.strerror}") from None

    def close(self) -> None:
        """Close it."""
        if self._open is not None:
            os.close(self._open)
            self._open = None

    def _opened(self) -> int:
        """Return the descriptor of what now has this name: what had it before may have been moved away."""
        if self._open is not None and not self._is_there(self._open):
            self.close()
        if self._open is None:
            self._open = os.open(self._path, _FLAGS, _MODE)
            if stat.S_ISREG(os.fstat(self._open).st_mode):
                self._torn = _ends_in_a_line_that_was_cut_off(self._path, self._open)
        return self._open

    def _is_there(self, descriptor: int) -> bool:
        try:
            named, held = self._path.stat(), os.fstat(descriptor)
        except FileNotFoundError:
            return False
        return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)

    def _write(self, descriptor: int, data: bytes) -> None:
        end = time.monotonic() + self._seconds
        left = memoryview(data)
        while left:
            try:
                written = os.write(descriptor, left)
            except BlockingIOError:
                if not select.select([], [descriptor], [], max(0.0, end - time.monotonic()))[1]:
                    raise TimeoutError(0, f"no reader that takes it within {self._seconds:g} s") from None
                continue
            left = left[written:]
            self._torn = bool(left) and data[len(data) - len(left) - 1 :][:1] != b"\n"


class HttpSink:
    """A receiver that takes lines by POST; any status from 200 to 299 says that it has them."""

    def __init__(
        self,
        address: HttpAddress,
        headers: Mapping[str, str],
        *,
        tls: ssl.SSLContext,
        own_ports: OwnPorts,
        seconds: float = SECONDS,
    ) -> None:
        self._address = address
        self._headers = {**_TYPE, **headers}
        self._tls = tls
        self._own_ports = own_ports
        self._seconds = seconds

    def take(self, lines: Sequence[bytes]) -> None:
        """Post the lines."""
        body = b"".join(line + b"\n" for line in lines)
        try:
            post(
                self._address,
                body,
                self._headers,
                seconds=self._seconds,
                own_ports=self._own_ports,
                tls=self._tls,
            )
        except Refusal as refusal:
            raise SinkError(str(refusal), hint=refusal.hint) from None

    def close(self) -> None:
        """Nothing is open between two posts."""


def open_sink(settings: SiemSettings, own_ports: OwnPorts) -> Sink:
    """Return where the settings have lines go; nothing is opened or sent yet."""
    if settings.address is None:
        assert settings.file is not None  # noqa: S101 - one of the two is there
        return FileSink(settings.file)
    headers = {}
    if settings.authorization_file is not None:
        headers["Authorization"] = read_authorization(settings.authorization_file)
    return HttpSink(settings.address, headers, tls=tls_context(settings.authorities), own_ports=own_ports)


def _ends_in_a_line_that_was_cut_off(path: Path, descriptor: int) -> bool:
    """Tell whether a file ends in the middle of a line: whoever wrote it was stopped there."""
    size = os.fstat(descriptor).st_size
    if size == 0:
        return False
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) != b"\n"
