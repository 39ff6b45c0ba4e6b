# SPDX-License-Identifier: Apache-2.0
"""Where witnesses elsewhere are reached; who they are, and that they count, is in the policy.

::

    [witnesses."witness.example/w1"]          # a name of [log.witnesses] in the policy
    url = "https://witness.example/w1"        # its submission prefix (C2SP tlog-witness)
    authorities = "witness-authority.pem"     # who vouches for its certificate; left out: this machine's
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from coordinator.errors import NoticeRefusedError
from coordinator.notifying.connecting import tls_context
from coordinator.notifying.posting import HttpAddress, http_address
from quorumseal.ceremony.values import log_origin
from quorumseal.strict_json import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessAddress:
    """Where one witness takes submissions."""

    name: str
    address: HttpAddress
    authorities: Path | None = None

    def tls(self) -> ssl.SSLContext:
        """Return what verifies it."""
        return tls_context(self.authorities)


def read_witnesses(
    section: Fields, file: Callable[[Fields, str], Path], invalid: Callable[[str], Exception]
) -> tuple[WitnessAddress, ...]:
    """Read the section; ``invalid`` makes the refusal of what cannot be used."""
    return tuple(_read(name, section.object(name), file, invalid) for name in section.names())


def _read(
    name: str,
    fields: Fields,
    file: Callable[[Fields, str], Path],
    invalid: Callable[[str], Exception],
) -> WitnessAddress:
    authorities = file(fields, "authorities") if "authorities" in fields else None
    url = fields.text("url").rstrip("/") + "/add-checkpoint"
    try:
        address = http_address(url)
    except NoticeRefusedError:
        raise invalid(
            f"{fields.path('url')}: expected http:// or https://, a host and a path, without a user"
        ) from None
    if "?" in address.target:
        raise invalid(f"{fields.path('url')}: expected a prefix of paths, got one with a question mark")
    return WitnessAddress(name=log_origin(name), address=address, authorities=authorities)
