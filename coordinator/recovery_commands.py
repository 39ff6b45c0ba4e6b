# SPDX-License-Identifier: Apache-2.0
"""``quorumseal coordinator backup``, ``restore`` and ``recover``: on the coordinator's own machine."""

import json
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from coordinator.errors import NothingLostError
from coordinator.next_command import next_command
from coordinator.settings import Settings, read_settings
from quorumseal.terminal import Mark, Screen

if TYPE_CHECKING:
    from coordinator.recovering import Recovered


def add_backup_arguments(parser: ArgumentParser) -> None:
    """Describe what ``backup`` takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="where the copy goes; a new file")


def add_restore_arguments(parser: ArgumentParser) -> None:
    """Describe what ``restore`` takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a copy that `backup` made")


def add_recover_arguments(parser: ArgumentParser) -> None:
    """Describe what ``recover`` takes."""
    parser.add_argument(
        "--without-unheard",
        action="store_true",
        help="go on although somebody's agent, which may have seen more, was not heard",
    )
    parser.add_argument("--rehearse", action="store_true", help="do it on a copy, and touch nothing")
    parser.add_argument(
        "--backup", type=Path, metavar="FILE", help="with --rehearse: as if this were restored today"
    )


def backup(arguments: Namespace) -> int:
    """Copy the database as it stands at this moment, also while the coordinator runs.

    The copy is looked through before it gets its name.  Not in it, and to be kept apart: the settings, the
    keys, the anchor.
    """
    from coordinator.backing_up import back_up

    head = back_up(read_settings(arguments.settings).database, arguments.file)
    if arguments.json:
        return _json({"file": str(arguments.file), "entries": head.size})
    drawn = _screen()
    drawn.answer(Mark.DONE, f"the database is copied, with a log of {head.size} entries")
    drawn.facts([("  file", str(arguments.file))])
    words = _command(arguments, "recover", "--rehearse", "--backup", str(arguments.file))
    drawn.next("See that it would bring everything back", words)
    return 0


def restore(arguments: Namespace) -> int:
    """Put a copy in the place of the database; stop every coordinator first.

    The former database is put aside, not deleted.  What the log had beyond the copy is not lost: the
    coordinator notices, writes nothing, and has the agents hand it back.
    """
    from coordinator.backing_up import put_back

    head, aside = put_back(read_settings(arguments.settings).database, arguments.file)
    if arguments.json:
        return _json({"entries": head.size, "aside": None if aside is None else str(aside)})
    drawn = _screen()
    drawn.answer(Mark.DONE, f"the database is restored, with a log of {head.size} entries")
    if aside is not None:
        drawn.facts([("  before", str(aside))])
    drawn.item(Mark.WAITING, "start the coordinator; if the log had more, it writes nothing and says so")
    drawn.next("Then bring back what is missing", _command(arguments, "recover"))
    return 0


def recover(arguments: Namespace) -> int:
    """Bring back the entries that the log has lost, from what the agents handed back.

    Leave the coordinator running meanwhile: the agents hand back by themselves, within a minute.  Written is
    everything byte for byte, or nothing; which entries nobody holds is said.
    """
    settings = read_settings(arguments.settings)
    began = time.monotonic()
    try:
        if arguments.rehearse:
            recovered = _rehearse(settings, arguments.backup)
        else:
            recovered = _recover(settings, without_unheard=arguments.without_unheard)
    except NothingLostError as nothing:
        doctor = next_command(arguments.settings, "doctor")
        hint = f"rehearse instead, with --rehearse --backup FILE; how the coordinator is: `{doctor}`"
        raise NothingLostError(str(nothing), hint=hint) from None
    return _say(arguments, recovered, time.monotonic() - began)


def _recover(settings: Settings, *, without_unheard: bool) -> "Recovered":
    from coordinator.anchor import Anchor
    from coordinator.destinations import Directory
    from coordinator.log_keys import LogKeys
    from coordinator.recovering import anchored_size, recover_log
    from coordinator.server import read_log_key
    from coordinator.storage import existing_storage

    keys = LogKeys(*(read_log_key(file) for file in settings.log_keys))
    anchor = None if settings.anchor is None else Anchor(settings.anchor)
    with existing_storage(settings.database) as storage:
        recovered = recover_log(
            storage,
            keys,
            at=datetime.now(UTC),
            certain=anchored_size(storage, keys, anchor),
            without_unheard=without_unheard,
            destinations=[Directory(path).name for path in settings.publish_to],
        )
    if anchor is not None:
        anchor.write(recovered.append.checkpoints[-1].note)
    return recovered


def _rehearse(settings: Settings, backup: Path | None) -> "Recovered":
    from coordinator.recovery_rehearsal import rehearse

    with TemporaryDirectory(prefix="quorumseal-rehearsal-") as folder:
        return rehearse(settings.database, backup, Path(folder), at=datetime.now(UTC))


def _say(arguments: Namespace, recovered: "Recovered", seconds: float) -> int:
    recovery = recovered.recovery
    if arguments.json:
        return _json(
            {
                "rehearsed": arguments.rehearse,
                "before": recovery.before.size,
                "after": recovery.after.size,
                "handed_back": [*recovery.handed_back],
                "left_out": [*recovered.left_out],
                "unheard": [*recovery.unheard],
                "texts_missing": recovered.texts_missing,
                "evidence_missing": [*recovered.evidence_missing],
                "checkpoints_missing": recovered.unsigned,
                "seconds": round(seconds, 3),
            }
        )
    drawn, count = _screen(), recovery.after.size - recovery.before.size
    said = f"{count} entries are back, byte for byte, in {seconds:.1f} s"
    drawn.answer(
        Mark.DONE, f"rehearsed on a copy: {said}; nothing was touched" if arguments.rehearse else said
    )
    drawn.facts(
        [
            ("  before", f"{recovery.before.size} entries"),
            ("  after", f"{recovery.after.size} entries"),
            ("  from", ", ".join(recovery.handed_back)),
        ]
    )
    if recovered.left_out:
        drawn.item(Mark.WARNING, f"handed back what the log never had: {', '.join(recovered.left_out)}")
    if recovery.unheard:
        drawn.item(Mark.WARNING, f"not heard, and on record as such: {', '.join(recovery.unheard)}")
    if recovered.texts_missing:
        drawn.item(Mark.WARNING, f"texts that nobody holds: {recovered.texts_missing}")
    for each in recovered.evidence_missing:
        drawn.item(Mark.WARNING, f"evidence to be sent again: {each}")
    if recovered.unsigned:
        drawn.item(Mark.WARNING, f"checkpoints of a key that is gone: {recovered.unsigned}")
    if arguments.rehearse:
        drawn.next("In earnest, after a restore", _command(arguments, "recover"))
    else:
        drawn.next("See that all is well", _command(arguments, "doctor"))
    return 0


def _command(arguments: Namespace, *words: str) -> list[str]:
    return ["quorumseal", "coordinator", *words, "--settings", str(arguments.settings)]


def _screen() -> Screen:
    return Screen.on(sys.stdout, sys.stderr, os.environ)


def _json(value: object) -> int:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
    return 0
