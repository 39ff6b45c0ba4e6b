# SPDX-License-Identifier: Apache-2.0
"""Two forges as their runners see them: what a job has at hand, what its shell steps do, what is kept.

The steps are those of the example files, run by the shell that the forge runs them with.  Every job gets a
machine of its own: nothing of a home outlives it.
"""

import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "docs" / "examples" / "ci"
PATIENCE = 120
_EXPRESSION = re.compile(r"\$\{\{ *([a-z_A-Z.]+) *\}\}")
_BARE_PYTHON = Path(sys.base_prefix) / "bin" / "python3"
_VARIABLE = re.compile(r"\$(\w+)")


def _worked() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def read_example(name: str) -> dict[str, Any]:
    """Parse an example; YAML 1.1 reads the key ``on`` as true."""
    document: dict[Any, Any] = yaml.safe_load((EXAMPLES / name).read_text())
    return {"on" if key is True else str(key): value for key, value in document.items()}


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a job did."""

    code: int
    output: str
    seconds: float
    """Of work, not of waiting for a processor that others use, too."""


@dataclass
class Forge:
    """What both forges have: a repository, and machines that are made for each job."""

    folder: Path
    repository: Path
    secrets: dict[str, str]
    cached: Path | None = Path(sys.executable).parent
    """The programs that an earlier job installed."""
    _machines: Any = field(default_factory=count)

    def machine(self) -> Path:
        """Return the folder of a new machine, with the repository checked out in ``work``."""
        machine = self.folder / f"machine-{next(self._machines)}"
        shutil.copytree(self.repository, machine / "work")
        if self.cached is not None:
            (machine / "work" / ".quorumseal").mkdir()
            (machine / "work" / ".quorumseal" / "bin").symlink_to(self.cached)
        (machine / "temp").mkdir()
        return machine

    def shell(
        self, machine: Path, script: str, environment: dict[str, str], first: Sequence[str] = ()
    ) -> Ran:
        """Run a script as a runner does, with nothing of this process's environment but the programs."""
        theirs = [path for path in os.environ["PATH"].split(":") if not Path(path, "quorumseal").exists()]
        programs = [str(self.folder / "programs"), str(_BARE_PYTHON.parent), *theirs]
        own = {"PATH": ":".join([*first, *programs]), "HOME": str(machine), "TMPDIR": str(machine / "temp")}
        own["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        before = _worked()
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=machine / "work",
            env=own | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        return Ran(code=done.returncode, output=done.stdout, seconds=_worked() - before)


class GitHub(Forge):
    """Actions: steps of a job share files and what they write to ``GITHUB_ENV``."""

    def run(self, job: str, **given: str) -> Ran:
        """Run a job; the first step that fails ends it."""
        workflow, machine = read_example("github-release.yml"), self.machine()
        shared = machine / "temp" / "environment"
        shared.touch()
        paths = machine / "temp" / "paths"
        paths.touch()
        runner = {"RUNNER_TEMP": str(machine / "temp"), "GITHUB_ENV": str(shared), "GITHUB_PATH": str(paths)}
        said, seconds, code = "", 0.0, 0
        for step in workflow["jobs"][job]["steps"]:
            if "run" not in step:
                assert step["uses"] in ("actions/checkout@v4", "actions/cache@v4")
                continue
            own = {
                name: self._evaluated(str(value))
                for name, value in (workflow["env"] | step.get("env", {})).items()
            }
            written = dict(line.split("=", 1) for line in shared.read_text().splitlines())
            found = paths.read_text().splitlines()
            ran = self.shell(machine, step["run"], runner | given | own | written, found)
            said, seconds, code = said + ran.output, seconds + ran.seconds, ran.code
            if code:
                break
        return Ran(code=code, output=said, seconds=seconds)

    def _evaluated(self, text: str) -> str:
        known = {"github.token": "token", "github.repository": "acme/widget"}
        known |= {f"secrets.{name}": value for name, value in self.secrets.items()}
        return _EXPRESSION.sub(lambda match: known[match[1]], text)


class GitLab(Forge):
    """GitLab CI/CD: a job is one shell; secrets are files."""

    def run(self, job: str, **given: str) -> Ran:
        """Run a job."""
        document, machine = read_example("gitlab-ci.yml"), self.machine()
        described = document[document[job]["extends"]] | document[job]
        files = {}
        for name, value in self.secrets.items():
            file = machine / "temp" / name
            file.write_text(value)
            files[name] = str(file)
        environment = files | given
        for name, value in document["variables"].items():
            environment[name] = _VARIABLE.sub(lambda match: environment[match[1]], str(value))
        return self.shell(
            machine, "\n".join([*described["before_script"], *described["script"]]), environment
        )
