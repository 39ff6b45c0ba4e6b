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
    telling.chapter(f"A coordinator and {len(running) - 1} agents still run, and write to output/. Try:")
    telling.lines(
        [
            paste(["cd", str(folder)]),
            f"PATH={paste([str(Path(sys.executable).parent)])}:$PATH",
            *(
                paste(["quorumseal", *words])
                for words in (
                    ["why", "widget@1.1", "--home", stage.home("mallory")],
                    stage.approval("bob", "widget", "1.1"),
                    ["show", "gadget@2.0", "--home", stage.home("alice")],
                    ["inbox", "--home", stage.home("dan")],
                    ["list", "--home", stage.home("rita")],
                )
            ),
        ]
    )
    telling.line()
    telling.line("To stop them and remove the directory:")
    telling.lines([paste([str(Path.cwd() / "scripts" / "demo"), "--stop", str(folder)])])


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
