# SPDX-License-Identifier: Apache-2.0
"""Style, script and icon: read once, named by what is in them, so that a browser may keep them for ever."""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Static:
    """One file: where a page finds it, and what it must be."""

    name: str
    data: bytes
    media_type: str

    @property
    def path(self) -> str:
        """Its address."""
        return f"/static/{self.name}"

    @property
    def integrity(self) -> str:
        """What a browser compares it with before it uses it."""
        return "sha384-" + base64.b64encode(hashlib.sha384(self.data).digest()).decode()


@cache
def statics() -> dict[str, Static]:
    """Return the files by the names that templates use."""
    return {path.name: _static(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}


def _static(path: Path) -> Static:
    data = path.read_bytes()
    fingerprint = hashlib.sha256(data).hexdigest()[:16]
    return Static(f"{path.stem}.{fingerprint}{path.suffix}", data, _TYPES[path.suffix])
