# SPDX-License-Identifier: Apache-2.0
"""An auditor's commands: export, verify, and the single file that verifies without the project."""

import json
import subprocess
import sys
import zipfile
from importlib.metadata import files as installed
from pathlib import Path

import pytest

from quorumseal.audit.pack.texts import named_in_verifier
from quorumseal.cli.audit import single_file as building
from quorumseal.cli.audit.pack_reading import LARGE, open_pack
from quorumseal.cli.audit.pack_writing import write_folder, write_zip
from quorumseal.cli.audit.single_file import single_file
from quorumseal.cli.errors import FileError
from quorumseal.cli.main import main
from quorumseal.cli.program import program_version
from quorumseal.verifier.trust import write_trust
from tests.audit import packing
from tests.audit.packing import write_log
from tests.cli.office import coordinator_of, found_office
from tests.cli.published import quorumseal


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a pack of a whole log in it, and the trust file of whoever audits."""
    folder = tmp_path_factory.mktemp("audited")
    written = write_log(folder, entries=14)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "VERIFIER", single_file(program_version()))
        patch.setattr(packing, "PROGRAM", program_version())
        write_folder(folder / "pack", written.pack().items())
    (folder / "trust.json").write_bytes(write_trust(written.trust))
    return folder


def test_a_live_coordinator_is_exported_with_its_bundles_and_verified_offline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = found_office(tmp_path / "acme")
    with coordinator_of(office):
        assert main(["start", "widget", "1.0", str(office.artifact), *office.home("rita")]) == 0
        assert main(["start", "widget", "2.0", str(office.artifact), *office.home("rita")]) == 0
        office.approve("alice", "carol", "erin", "dan")
        capsys.readouterr()
        given = ["--annexes", "--out", str(tmp_path / "pack"), *office.home("rita"), "--json"]
        assert main(["audit", "export", *given]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["ceremonies"], said["bundles"], said["unpublished"]) == (2, 1, [])
    trust = ["--trust", str(office.folder / "trust.json")]
    assert main(["audit", "verify", str(tmp_path / "pack"), *trust]) == 0
    assert "1 approved, 1 open" in capsys.readouterr().out


def words(place: Path, *more: str) -> list[str]:
    return ["audit", "verify", str(place / "pack"), "--trust", str(place / "trust.json"), *more]


def test_a_pack_is_verified_from_its_folder(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(place)) == 0
    screen = capsys.readouterr().out
    assert screen.startswith("✓ everything in this pack holds: acme.example\n")
    assert "3, each replayed by the rules: 3 approved" in screen
    assert main(words(place, "--json")) == 0
    assert json.loads(capsys.readouterr().out)["verified"] is True


def test_without_a_digest_from_elsewhere_the_answer_is_no_plain_yes(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "verify", str(place / "pack"), "--json"]) == 12
    said = json.loads(capsys.readouterr().out)
    assert (said["verified"], said["pinned"], said["defects"]) == (False, False, [])
    assert main(["audit", "verify", str(place / "pack"), "--policy", said["policy"]]) == 0
    assert main(["audit", "verify", str(place / "pack"), "--policy", "sha256:" + "0" * 64]) == 15
    assert main(["audit", "verify", str(place / "pack"), "--policy", "none"]) == 2
    assert main(words(place, "--policy", said["policy"])) == 2


def test_what_is_wrong_is_named_and_gives_its_exit_code(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exported = [*_export(place, tmp_path / "mine")]
    assert main(exported) == 0
    with (tmp_path / "mine" / "decisions.csv").open("ab") as file:
        file.write(b"x")
    (tmp_path / "mine" / "policies" / "more").symlink_to(tmp_path)
    (tmp_path / "mine" / "empty").mkdir()
    capsys.readouterr()
    trust = ["--trust", str(place / "trust.json")]
    assert main(["audit", "verify", str(tmp_path / "mine"), *trust]) == 14
    screen = capsys.readouterr().out
    assert screen.startswith("✗ 3 things are wrong with this pack")
    for name in ("decisions.csv", "policies/more/", "empty/"):
        assert name in screen


def test_an_export_of_an_export_is_a_pack_with_the_same_log(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(_export(place, tmp_path / "again")) == 0
    screen = capsys.readouterr().out
    assert screen.startswith("✓ wrote 3 ceremonies with their proofs to")
    assert screen.splitlines()[-1].startswith("quorumseal audit verify ")
    for name in ("log/entries.jsonl", "log/log.json", "verify.pyz", "policies/1.json"):
        assert (tmp_path / "again" / name).read_bytes() == (place / "pack" / name).read_bytes()


def test_a_zip_holds_the_same_files(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(_export(place, tmp_path / "pack", "--zip", "--json")) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["pack"] == str(tmp_path / "pack.zip")
    trust = ["--trust", str(place / "trust.json")]
    assert main(["audit", "verify", said["pack"], *trust]) == 0
    with zipfile.ZipFile(said["pack"]) as archive:
        assert len(archive.namelist()) == said["files"] + 1


def test_what_deflates_to_nearly_nothing_is_written_as_it_is_and_read_no_other_way(tmp_path: Path) -> None:
    """A small zip cannot make its reader take gigabytes, and no text handed in makes a pack unreadable."""
    texts = bytes(LARGE + 1)
    write_zip(tmp_path / "pack.zip", [("log/annexes.jsonl", texts), ("log/log.json", b"{}")])
    assert open_pack(tmp_path / "pack.zip")["log/annexes.jsonl"] == texts
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", texts)
    for claimed in (None, 1 << 31):
        whole = bytearray((tmp_path / "bomb.zip").read_bytes())
        if claimed is not None:  # a directory that says that the file takes more than the whole zip has
            place = whole.rindex(b"PK\x01\x02") + 20
            whole[place : place + 4] = claimed.to_bytes(4, "little")
        (tmp_path / "bomb.zip").write_bytes(whole)
        with pytest.raises(FileError, match="unpack to at most 100 times its size"):
            open_pack(tmp_path / "bomb.zip")["manifest.json"]
        assert main(["audit", "verify", str(tmp_path / "bomb.zip")]) == 2


def test_nothing_is_overwritten(place: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine")
    (tmp_path / "taken.zip").write_text("mine")
    assert main(_export(place, tmp_path / "taken")) == 2
    assert main(_export(place, tmp_path / "taken", "--zip")) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken", "taken.zip"]
    assert (tmp_path / "taken.zip").read_text() == "mine"


@pytest.mark.parametrize("what", ["nothing", "text", "twice", "damaged", "lzma", "bzip2", "later"])
def test_what_is_no_pack_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "given"
    if what == "text":
        path.write_text("no zip")
    elif what == "twice":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("manifest.json", "{}")
            with pytest.warns(UserWarning, match="Duplicate name"):
                archive.writestr("manifest.json", "[]")
    elif what == "damaged":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("manifest.json", "{}")
        path.write_bytes(path.read_bytes().replace(b"{}", b"[]", 1))
    elif what in ("lzma", "bzip2"):
        method = zipfile.ZIP_LZMA if what == "lzma" else zipfile.ZIP_BZIP2
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("manifest.json", bytes(range(256)) * 20)
        data = bytearray(path.read_bytes())
        data[60:90] = bytes(30)
        path.write_bytes(data)
    elif what == "later":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("manifest.json", "{}")
        data = bytearray(path.read_bytes())
        data[data.rindex(b"PK\x01\x02") + 6] = 99  # the version of the format that reading it needs
        path.write_bytes(data)
    assert main(["audit", "verify", str(path)]) == 2


def test_a_pack_whose_program_is_another_does_not_hold(place: Path, tmp_path: Path) -> None:
    """One that says which version it is, and does something else: by the installed verifier and the file."""
    good = {
        file.relative_to(place / "pack").as_posix(): file.read_bytes()
        for file in (place / "pack").rglob("*")
        if file.is_file()
    }
    other = b"print('everything in this pack holds')\n#" + named_in_verifier(program_version())
    write_folder(tmp_path / "bad", packing.refitted(good, {"verify.pyz": other}).items())
    given = [str(tmp_path / "bad"), "--trust", str(place / "trust.json")]
    assert main(["audit", "verify", *given]) == 1
    command = [sys.executable, "-I", str(place / "pack" / "verify.pyz"), *given]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert "expected verify.pyz of quorumseal" in ran.stdout


def test_a_checkpoint_that_somebody_holds_shows_what_the_pack_leaves_out(place: Path, tmp_path: Path) -> None:
    note = json.loads((place / "pack" / "log" / "log.json").read_text())["checkpoint"]
    held = tmp_path / "held"
    held.write_text(note)
    assert main(words(place, "--held", str(held))) == 0
    held.write_text(note.replace("\n22\n", "\n23\n"))
    assert main(words(place, "--held", str(held))) == 14


# The single file


def bare(tmp_path: Path) -> Path:
    """Return a folder of modules with cryptography and what it needs, and nothing else."""
    modules = tmp_path / "modules"
    modules.mkdir()
    for package in ("cryptography", "cffi", "pycparser"):
        given = [file for file in installed(package) or () if file.suffix in (".py", ".so")]
        for top in {file.parts[0] for file in given} - {".."}:
            site = Path(str(given[0].locate())).parents[len(given[0].parts) - 1]
            (modules / top).symlink_to(site / top)
    return modules


def run_alone(tmp_path: Path, *given: str) -> "subprocess.CompletedProcess[str]":
    """Run the single file in a Python that has cryptography alone."""
    program = (
        "import runpy, sys; sys.path.append(sys.argv.pop(1)); sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-I", "-S", "-c", program, str(bare(tmp_path)), *given]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_single_file_verifies_a_pack_without_the_project(place: Path, tmp_path: Path) -> None:
    pack = str(place / "pack")
    ran = run_alone(tmp_path, f"{pack}/verify.pyz", pack, "--trust", str(place / "trust.json"))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("✓ everything in this pack holds")


def test_the_single_file_says_how_to_run_itself_again(place: Path) -> None:
    pack = str(place / "pack")
    command = [sys.executable, "-I", f"{pack}/verify.pyz", pack]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 12
    assert ran.stdout.splitlines()[-1].startswith("python -I ")


def test_the_verifier_is_the_same_bytes_each_time_and_holds_no_other_library(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "verifier", "--out", str(tmp_path / "one.pyz")]) == 0
    assert main(["audit", "verifier", "--out", str(tmp_path / "other.pyz"), "--json"]) == 0
    assert (tmp_path / "one.pyz").read_bytes() == (tmp_path / "other.pyz").read_bytes()
    capsys.readouterr()
    with zipfile.ZipFile(tmp_path / "one.pyz") as archive:
        names = set(archive.namelist())
        sources = b"".join(archive.read(name) for name in names)
    assert "quorumseal/signatures/sodium.py" not in names
    assert b"import nacl" not in sources
    assert b"import rfc8785" not in sources
    assert not [name for name in names if "grpc" in name or name.startswith(("coordinator", "signer_agent"))]


def test_every_command_of_the_single_file_is_one_of_the_project() -> None:
    folder = Path(building.__file__).parent.parent
    assert all((folder / f"{name}.py").is_file() for name in building._COMMANDS)


def test_the_command_runs_as_a_process_of_its_own(place: Path) -> None:
    ran = quorumseal(*words(place))
    assert (ran.returncode, ran.stderr) == (0, "")


def _export(place: Path, out: Path, *more: str) -> list[str]:
    source = ["--copy", str(place / "pack"), "--trust", str(place / "trust.json")]
    period = ["--from", "2026-11-01", "--to", "2026-12-01"]
    return ["audit", "export", *period, "--out", str(out), *source, *more]
