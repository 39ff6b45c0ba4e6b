# SPDX-License-Identifier: Apache-2.0
"""``--keep``: leave the organisation running, say what to try, and stop it later by its own process ids."""

import json
import shutil
import sys
from pathlib import Path
from typing import Final

from demo.processes import stop_by_id
from demo.stage import Stage
from demo.telling import Telling
from quorumseal.terminal import Mark, paste

RECORD: Final = "running.json"


def keep(stage: Stage) -> None:
    """Write down what runs, and say what to try and how to stop it."""
    folder, telling = stage.folder, stage.telling
    running = {program.name: program.pid for program in stage.running}
    stage.write(RECORD, json.dumps(running, indent=2).encode())
    stage.let_go()
    telling.chapter(f"It is still running in {folder}: a coordinator and {len(running) - 1} agents")
    telling.line(paste(["cd", str(folder)]))
    telling.line(f"PATH={paste([str(Path(sys.executable).parent)])}:$PATH")
    for words in (
        ["why", "widget@1.1", "--home", stage.home("mallory")],
        ["review", "widget@1.1", "--artifacts", stage.artifact("widget", "1.1"), "--home", stage.home("bob")],
        stage.approval("bob", "widget", "1.1"),
        ["bundle", "show", stage.published("gadget", "2.0")],
        ["list", "--home", stage.home("alice")],
    ):
        telling.line(paste(["quorumseal", *words]))
    telling.line()
    telling.line("What they say is in output/. To stop them and remove the directory:")
    telling.line(paste([str(Path.cwd() / "scripts" / "demo"), "--stop", str(folder)]))


def stop(folder: Path, telling: Telling) -> int:
    """Stop what an earlier demo left running in ``folder``, and remove it."""
    record = folder / RECORD
    if not record.is_file():
        telling.answer(Mark.FAILED, f"expected the folder of a demo that was kept, got {folder}")
        return 2
    running: dict[str, int] = json.loads(record.read_text())
    for pid in reversed(running.values()):
        stop_by_id(pid, mentions=str(folder.resolve()))
    shutil.rmtree(folder)
    telling.answer(Mark.DONE, f"stopped {', '.join(running)}; {folder} is removed")
    return 0
