# SPDX-License-Identifier: Apache-2.0
"""Where an auditor's copy of the log comes from: a live coordinator, or files that somebody handed over.

Neither is believed.  A live coordinator must prove that its log extends the newest checkpoint that the home
remembers, which from then on is this one; files are held against the checkpoints that are named.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from quorumseal.audit.folder import FILES, read_copy
from quorumseal.audit.log_copy import LogCopy
from quorumseal.ceremony.annex import Annex
from quorumseal.ceremony.entries import EntryType, read_entry
from quorumseal.cli.desk import Desk, add_home, open_desk
from quorumseal.cli.errors import UsageError
from quorumseal.cli.files import read_file, read_trust_file
from quorumseal.cli.progress import reporter
from quorumseal.client.connection import Connection
from quorumseal.client.values import LoggedEntry
from quorumseal.tlog.note import MAX_NOTE_BYTES
from quorumseal.verifier.trust import Trust
from signer_agent.checkpoints import Signature
from signer_agent.cli.opening import trust_file
from signer_agent.observing import observe_head, observe_policy

_MOST_BYTES = 4 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is audited, and by whose word an audit begins."""

    copy: LogCopy
    trust: Trust
    desk: Desk | None = None
    """The live coordinator, where it is one."""


def add_source(parser: ArgumentParser) -> None:
    """Let a verb be told what to audit."""
    parser.add_argument(
        "--copy",
        dest="folder",
        type=Path,
        metavar="FOLDER",
        help="audit files that `audit export` made, without a coordinator",
    )
    parser.add_argument(
        "--trust", type=Path, metavar="FILE", help="the trust file (default: that of the home)"
    )
    parser.add_argument(
        "--held",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a checkpoint that somebody holds, to be compared; repeatable",
    )
    add_home(parser)


def source_words(arguments: Namespace) -> list[str]:
    """Return what to audit as it was asked for, for the next command."""
    given = [("--copy", arguments.folder), ("--trust", arguments.trust)]
    given += [("--held", path) for path in arguments.held]
    return [word for option, value in given if value for word in (option, str(value))]


@contextmanager
def open_source(arguments: Namespace, *, annexes: bool = False) -> Iterator[Source]:
    """Give what is to be audited; the texts that statements commit to only where they are asked for."""
    held = tuple(read_file(path, "a checkpoint", MAX_NOTE_BYTES) for path in arguments.held)
    if arguments.folder is not None:
        if arguments.trust is None:
            raise UsageError(
                "expected a trust file beside the folder, got none",
                hint="add --trust FILE: one that you got from the organisation, not from the folder",
            )
        copy = read_folder(arguments.folder)
        yield Source(copy=replace(copy, held=(*copy.held, *held)), trust=read_trust_file(arguments.trust))
        return
    with open_desk(arguments) as desk:
        trust = trust_file(arguments.trust) if arguments.trust else desk.agent.trust
        head = observe_head(desk.agent, observe_policy(desk.agent))  # it extends what this home has seen
        copy = fetch_copy(desk.connection, head, annexes=annexes, report=reporter("fetched"))
        yield Source(copy=replace(copy, held=held), trust=trust, desk=desk)


def read_folder(folder: Path) -> LogCopy:
    """Read the copy in a folder, or in its folder ``log``."""
    place = folder / "log" if (folder / "log").is_dir() else folder
    return read_copy(
        {name: read_file(place / name, "a copy of a log", _MOST_BYTES, CopyMissingError) for name in FILES}
    )


class CopyMissingError(UsageError):
    """There is no copy of a log in a folder."""

    code = "usage.copy"
    usual_hint = "name the folder that `quorumseal audit export` made"


def fetch_copy(
    connection: Connection, head: Signature, *, annexes: bool = False, report: Callable[[int, int], None]
) -> LogCopy:
    """Fetch every entry up to a checkpoint that the log signed, and all texts where they are wanted."""
    size = head.checkpoint.size
    entries: list[bytes] = []
    with connection.follow(0) as events:
        while len(entries) < size:
            event = next(events)
            if isinstance(event, LoggedEntry) and event.index == len(entries):
                entries.append(event.entry)
                report(len(entries), size)
    texts = _fetch_texts(connection, entries) if annexes else {}
    return LogCopy(entries=entries, checkpoint=head.note, annexes=texts)


def _fetch_texts(connection: Connection, entries: list[bytes]) -> dict[str, tuple[Annex, ...]]:
    opened = (read_entry(payload) for payload in entries)
    ceremonies = [each.ceremony for each in opened if each.type is EntryType.OPENED and each.ceremony]
    texts = {ceremony: connection.ceremony(ceremony).annexes for ceremony in ceremonies}
    return {ceremony: found for ceremony, found in texts.items() if found}
