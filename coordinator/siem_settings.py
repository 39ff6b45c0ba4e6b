# SPDX-License-Identifier: Apache-2.0
"""``[siem]`` of ``coordinator.toml``: where every entry of the log goes as it comes; one of the two.

[siem]                                    # without it: nowhere
file = "/var/log/quorumseal/log.jsonl"    # a file or a named pipe; opened again when it was moved away
url = "https://siem.acme.example/ingest"  # or a receiver of lines by HTTP POST
authorization_file = "siem.authorization" # what its Authorization header says; left out where it wants none
authorities = "siem-ca.pem"               # where the machine's own do not know the receiver's certificate
cursor = "siem.cursor"                    # how far it is; this is the default, in the folder of the settings
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from coordinator.errors import CoordinatorError
from coordinator.notifying.posting import HttpAddress, http_address
from coordinator.notifying.settings import Take
from quorumseal.refusal import Refusal
from quorumseal.strict_json import Fields

DEFAULT_CURSOR = "siem.cursor"
_HERE = ("localhost", "127.0.0.1", "::1")


class SiemSettingsError(CoordinatorError):
    """The settings cannot be used as they are; every wrong field is named."""

    code = "settings.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiemSettings:
    """Where entries go; exactly one of ``file`` and ``address`` is there."""

    file: Path | None
    address: HttpAddress | None
    authorization_file: Path | None
    authorities: Path | None
    cursor: Path


class SiemReader:
    """Reads the section in the manner of ``coordinator.settings``."""

    def __init__(self, take: Take, file: Callable[[Fields, str], Path], path: Callable[[str], Path]) -> None:
        self._take, self._file, self._path = take, file, path

    def read(self, section: Fields) -> SiemSettings:
        """Read what is there."""
        to_file = "file" in section
        if to_file == ("url" in section):
            self._note(
                f"{section.path('file')}: expected this or url, got {'both' if to_file else 'neither'}"
            )
        file = self._take(lambda: self._path(section.text("file")), None) if to_file else None
        address = self._take(partial(_address, section), None) if "url" in section else None
        secret = self._file(section, "authorization_file") if "authorization_file" in section else None
        cursor = DEFAULT_CURSOR
        if "cursor" in section:
            cursor = self._take(partial(section.text, "cursor"), cursor)
        return SiemSettings(
            file=file,
            address=address,
            authorization_file=secret,
            authorities=self._file(section, "authorities") if "authorities" in section else None,
            cursor=self._path(cursor),
        )

    def _note(self, problem: str) -> None:
        def refuse() -> None:
            raise SiemSettingsError(problem)

        self._take(refuse, None)


def _address(section: Fields) -> HttpAddress:
    try:
        address = http_address(section.text("url"))
    except Refusal as refusal:  # it does not repeat the address, which may hold a secret
        raise SiemSettingsError(f"{section.path('url')}: {refusal}") from None
    if not address.secure and address.host not in _HERE:
        raise SiemSettingsError(
            f"{section.path('url')}: expected https:// for another machine, got http://",
            hint="what leaves this machine is encrypted; run a collector here, or give the receiver TLS",
        )
    return address
