# SPDX-License-Identifier: Apache-2.0
"""Export a year with 2,000 ceremonies, and verify it on a machine that has Python and cryptography alone.

    python -m scripts.pack_year [--ceremonies 2000] [--keep FOLDER]

A coordinator writes the log, a ceremony every four hours; a fresh environment gets cryptography alone.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

from coordinator.commands import Act
from coordinator.founding import found
from quorumseal.audit.examining import populate
from quorumseal.audit.pack.making import make_pack
from quorumseal.audit.population import Period
from quorumseal.ceremony.commands import Cancel
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import Choice
from quorumseal.cli.audit.pack_writing import write_folder
from quorumseal.cli.audit.single_file import single_file
from quorumseal.cli.program import program_version
from tests.audit.copying import copy_of, trust_in
from tests.coordinator.workshop import Desk, Workshop
from tests.organisation import NOW, Organisation

ROOT = Path(__file__).parent.parent
APPROVING = ("alice", "erin", "carol", "dan")
_STEP = timedelta(hours=4)
_MEASURED = (
    "import json, resource, subprocess, sys; "
    "ran = subprocess.run(sys.argv[1:], capture_output=True, text=True); "
    "print(json.dumps([ran.returncode, ran.stdout, ran.stderr, "
    "resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024]))"
)


def main() -> int:
    """Make it, show it, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--ceremonies", type=int, default=2000)
    parser.add_argument("--keep", type=Path, help="where the pack stays (default: nowhere)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        policy = _export(folder, arguments.ceremonies)
        return _verify(folder, policy)


def _export(folder: Path, ceremonies: int) -> str:
    organisation = Organisation()
    database = f"sqlite:///{folder / 'log.sqlite'}"
    found(database, organisation.log_key, organisation.policy, at=NOW)
    workshop = Workshop(database, organisation, folder / "published")
    began = time.monotonic()
    desk = workshop.desk()
    try:
        for number in range(1, ceremonies + 1):
            _hold(workshop, desk, number)
            workshop.time.pass_by(_STEP)
        _say(f"a log with {ceremonies:,} ceremonies written", began)
        _pack(folder, desk, organisation, workshop.time.now)
    finally:
        workshop.close()
    return organisation.policy.digest


def _hold(workshop: Workshop, desk: Desk, number: int) -> None:
    """Ask for a release; of ten, one is rejected and one cancelled by its requester."""
    at = workshop.time.now
    organisation = workshop.organisation
    start = workshop.start(organisation.request(number=number, version=f"{number}.0", at=at))
    desk.written(start)
    if number % 10 == 3:
        desk.written(workshop.decide("alice", start, Choice.REJECTION))
        return
    if number % 10 == 7:
        chain = desk.chain(start.request.statement.ceremony)
        signed = organisation.sign_cancellation(organisation.cancellation("mallory", chain, at=at))
        desk.written(Act(ceremony=chain.id, command=Cancel(signed)))
        return
    for person in APPROVING:
        desk.written(workshop.decide(person, start))


def _pack(folder: Path, desk: Desk, organisation: Organisation, end: datetime) -> None:
    began = time.monotonic()
    trust, copy = trust_in(organisation), copy_of(desk.storage)
    population = populate(copy, trust)
    concluded = {each.id for each in population.ceremonies if each.state is State.APPROVED}
    files = make_pack(
        copy,
        population,
        trust,
        Period(begin=NOW, end=end),
        bundles=lambda ceremony: desk.reader.bundle(ceremony) if ceremony in concluded else None,
        verifier=single_file(program_version()),
        program=program_version(),
    )
    write_folder(folder / "pack", files)
    sizes = [path.stat().st_size for path in (folder / "pack").rglob("*") if path.is_file()]
    _say(f"a pack of {len(sizes):,} files and {sum(sizes) >> 20} MiB written ({copy.size:,} entries)", began)


def _verify(folder: Path, policy: str) -> int:
    python = _bare_environment(folder / "bare")
    pack = folder / "pack"
    command = [str(python), "-I", str(pack / "verify.pyz"), str(pack), "--policy", policy]
    began = time.monotonic()
    measured = subprocess.run(
        [sys.executable, "-c", _MEASURED, *command], capture_output=True, text=True, check=True
    )
    code, said, talk, mebibytes = json.loads(measured.stdout)
    _say(f"verify.pyz ended with {code}, {mebibytes} MiB at most", began)
    print(said, talk, sep="", end="", flush=True)
    return int(code)


def _bare_environment(folder: Path) -> Path:
    """Make an environment with nothing but cryptography and what it needs; return its Python."""
    pins = re.split(r"\n(?=\S)", (ROOT / "requirements" / "verifier.txt").read_text())
    wanted = [pin for pin in pins if re.match(r"(?:cryptography|cffi|pycparser)==", pin)]
    requirements = folder.with_suffix(".txt")
    requirements.write_text("\n".join(wanted) + "\n")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    install = ["-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", str(requirements)]
    subprocess.run([str(python), *install], check=True)
    return python


def _say(what: str, began: float) -> None:
    print(f"{what}, in {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
