# SPDX-License-Identifier: Apache-2.0
"""The settings of the export to a SIEM: where it goes, and where it keeps its place."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from coordinator.examining.enrolment import Place
from coordinator.examining.files import secret_line, writable
from coordinator.named_files import read_authorization
from coordinator.notifying.connecting import tls_context
from coordinator.siem.cursor import Cursor
from coordinator.siem_settings import SiemSettings
from quorumseal.refusal import Refusal
from quorumseal.terminal.findings import Finding, fine, wrong


def look(place: Place, settings: SiemSettings) -> Iterator[Finding]:
    """Look at everything that the section names; nothing is sent."""
    if settings.file is not None:
        yield _file(place("siem.file"), settings.file)
    if settings.authorization_file is not None:
        about = place("siem.authorization_file")
        findings, _ = secret_line(about, settings.authorization_file, read_authorization)
        yield from findings
    if settings.authorities is not None:
        try:
            tls_context(settings.authorities)
        except OSError as error:
            text = f"expected certificates of the receiver's authorities, got {error}"
            yield wrong(place("siem.authorities"), text, "name a file of certificates, in PEM")
    yield writable(place("siem.cursor"), settings.cursor.parent)
    try:
        cursor = Cursor.load(settings.cursor)
    except Refusal as refusal:
        yield wrong(place("siem.cursor"), str(refusal), refusal.hint)
    else:
        yield fine(place("siem.cursor"), f"{cursor.next} entries were handed on")


def _file(about: str, path: Path) -> Finding:
    if not path.exists():
        return writable(about, path.parent)
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
        return wrong(about, f"expected a file or a named pipe in {path}, got another kind", "name another")
    if not os.access(path, os.W_OK):
        return wrong(
            about,
            f"expected to be able to write {path}, but this user is not",
            "give the coordinator's user the right to write it",
        )
    return fine(about, f"{path} can be written")
