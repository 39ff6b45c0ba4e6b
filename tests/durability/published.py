# SPDX-License-Identifier: Apache-2.0
"""The folder in which bundles are published, and the wait until they are."""

import time
from pathlib import Path

from quorumseal.client.connection import Connection
from quorumseal.verifier.status import STATUS_NAME

PATIENCE = 300.0


class Published:
    """The folder of bundles: what is in it once is never touched again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[int, int, bytes]] = {}

    def look(self) -> None:
        """Compare the folder with what was in it before."""
        found = {
            path.name: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
            for path in self._folder.glob("[!.]*")
            if path.name != STATUS_NAME  # of which each is dated, and takes the place of the one before
        }
        for name, before in self._known.items():
            assert found.get(name) == before, f"{name} was published a second time, or taken back"
        self._known = found


def wait_for_publication(connection: Connection) -> None:
    """Wait until every approved ceremony is published, which nobody has to ask for."""
    token = ""
    while True:
        page = connection.list_ceremonies(states=["approved"], page_token=token)
        for each in page.ceremonies:
            end = time.monotonic() + PATIENCE
            while {p.state for p in connection.ceremony(each.ceremony).publications} != {"published"}:
                assert time.monotonic() < end, f"{each.ceremony} was never published"
                time.sleep(0.02)
        token = page.next_token
        if not token:
            return
