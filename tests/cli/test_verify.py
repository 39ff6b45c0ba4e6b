# SPDX-License-Identifier: Apache-2.0
import errno
import hashlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quorumseal.cli.main import main
from tests.cli.published import Published, flat, publish, quorumseal, said


@pytest.fixture
def published(tmp_path: Path) -> Published:
    return publish(tmp_path)


def test_an_approved_artifact_is_accepted_with_who_approved_it(
    published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(published.artifact), *published.verifying]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == "✓ widget.tar.gz belongs to widget 1.0, which its quorum approved"
    assert "  engineering   alice, erin (2 needed)" in rest
    assert rest[-1].startswith("quorumseal verify ")
    assert rest[-1].endswith("--explain")


def test_the_last_line_can_be_pasted_and_draws_the_tree(published: Published) -> None:
    first = quorumseal("verify", published.artifact, *published.verifying)
    second = quorumseal(*shlex.split(first.stdout.splitlines()[-1])[1:])
    assert second.returncode == 0
    kinds = [line.lstrip("├└│ ").partition(" ")[0] for line in second.stdout.splitlines()]
    assert [k for k in kinds if k in {"artifact", "bundle", "role", "person", "key", "policy", "log"}] == [
        *("artifact", "bundle", "role", "person", "key", "person", "key"),
        *("role", "person", "key", "role", "person", "key", "policy", "log"),
    ]


def test_a_changed_byte_is_exit_3_and_nothing_on_standard_output(
    published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    published.artifact.write_bytes(b"another widget\n")
    assert main(["verify", str(published.artifact), *published.verifying]) == 3
    output = capsys.readouterr()
    assert output.out == ""
    assert flat(output.err).startswith("✗ expected widget.tar.gz to be sha256:")
    assert "[artifact.other_bytes]" in output.err


@pytest.mark.parametrize(
    ("spoil", "words", "exit_code", "code"),
    [
        ("bundle", [], 6, "bundle.missing"),
        ("trust", [], 2, "usage.file"),
        ("artifact", [], 2, "usage.file"),
        ("", ["--product", "gadget"], 4, "bundle.product"),
        ("", ["--prod", "widget"], 2, "usage.arguments"),
    ],
)
def test_each_failure_has_its_exit_code(
    published: Published,
    capsys: pytest.CaptureFixture[str],
    spoil: str,
    words: list[str],
    exit_code: int,
    code: str,
) -> None:
    if spoil:
        path: Path = getattr(published, spoil)
        path.unlink()
    assert main(["verify", str(published.artifact), *published.verifying, *words, "--json"]) == exit_code
    output = capsys.readouterr()
    assert said(output.out)["refused"]["code"] == code
    assert said(output.out)["refused"]["exit"] == exit_code
    assert f"[{code}]" in output.err


def test_one_approval_short_is_exit_5(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    published = publish(tmp_path, approving=("alice", "carol", "dan"))
    assert main(["verify", str(published.artifact), *published.verifying]) == 5
    assert "engineering needs one more: bob or erin" in flat(capsys.readouterr().err)


def test_no_artifact_is_a_usage_error_and_never_verified(
    published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", *published.verifying]) == 2
    assert "[artifact.none]" in capsys.readouterr().err


def test_json_says_who_sat_where(published: Published, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(published.artifact), *published.verifying, "--json", "--explain"]) == 0
    answer = said(capsys.readouterr().out)
    assert answer["verified"] is True
    assert answer["seats"] == {"engineering": ["alice", "erin"], "security": ["carol"], "release": ["dan"]}
    assert answer["why"][0]["children"][0]["kind"] == "bundle"


def sums(published: Published) -> Path:
    manifest = published.folder / "SHA256SUMS"
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in published.artifacts.items()]
    manifest.write_text("".join(lines))
    return manifest


def test_a_manifest_verifies_every_file_that_it_lists(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published = publish(tmp_path, {f"part/{n}.bin": bytes([n]) * 4096 for n in range(40)})
    assert main(["verify", "--manifest", str(sums(published)), *published.verifying, "--json"]) == 0
    assert [a["name"] for a in said(capsys.readouterr().out)["artifacts"]] == [*published.artifacts]
    (tmp_path / "part/39.bin").write_bytes(b"?")
    assert main(["verify", "--manifest", str(tmp_path / "SHA256SUMS"), *published.verifying]) == 3
    assert "[artifact.manifest]" in capsys.readouterr().err
    (tmp_path / "part/39.bin").unlink()
    assert main(["verify", "--manifest", str(tmp_path / "SHA256SUMS"), *published.verifying]) == 2


@pytest.mark.parametrize(
    "line",
    [
        "",
        "# a comment",
        "0" * 64 + " widget.tar.gz",
        "0" * 63 + "  widget.tar.gz",
        "A" * 64 + "  widget.tar.gz",
        "0" * 64 + "  ../widget.tar.gz",
        "0" * 64 + "  /etc/passwd",
        "\\" + "0" * 64 + "  a\\nb",
        "0" * 64 + "  a\n" + "0" * 64 + "  a",
        "\udcff",
    ],
)
def test_what_is_no_manifest_is_refused(
    published: Published, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    manifest = published.folder / "SHA256SUMS"
    manifest.write_bytes(line.encode(errors="surrogateescape") + b"\n")
    assert main(["verify", "--manifest", str(manifest), *published.verifying]) == 2
    assert "[usage.manifest]" in capsys.readouterr().err


def test_a_folder_is_all_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    published = publish(tmp_path, {f"dist/{n}.bin": bytes([n]) for n in range(3)})
    dist = tmp_path / "renamed"
    (tmp_path / "dist").rename(dist)
    assert main(["verify", str(dist), *published.verifying, "--json"]) == 0
    assert len(said(capsys.readouterr().out)["artifacts"]) == 3
    (dist / "one.more").write_bytes(b"not approved")
    assert main(["verify", str(dist), *published.verifying]) == 3
    assert "one.more" in capsys.readouterr().err


def test_a_file_is_recognised_by_its_bytes_whatever_it_is_called(
    published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    renamed = published.folder / "my download (1).tar.gz"
    published.artifact.rename(renamed)
    assert main(["verify", str(renamed), *published.verifying]) == 0
    assert capsys.readouterr().out.startswith(
        "✓ my download (1).tar.gz is widget.tar.gz and belongs to widget"
    )


def test_of_several_files_those_with_other_names_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published = publish(tmp_path, {"linux": b"linux", "windows": b"windows", "notes": b"notes"})
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for name, data in (("linux.bin", b"windows"), ("windows.bin", b"linux"), ("notes", b"notes")):
        (mixed / name).write_bytes(data)
    assert main(["verify", str(mixed), *published.verifying]) == 0
    assert capsys.readouterr().out.splitlines()[:4] == [
        "✓ 3 artifacts belong to widget 1.0, which its quorum approved",
        "  ! linux.bin is windows",
        "  ! windows.bin is linux",
        "  engineering   alice, erin (2 needed)",
    ]


@pytest.mark.parametrize("which", ["artifact", "--manifest", "--bundle", "--trust", "--status"])
@pytest.mark.parametrize(("make", "what"), [(os.mkfifo, "a pipe"), (os.mkdir, "a folder")])
def test_what_is_no_plain_file_is_refused_and_not_waited_for(
    published: Published,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    which: str,
    make: Callable[[Path], None],
    what: str,
) -> None:
    odd = tmp_path / "odd"
    make(odd)
    if which == "artifact" and what == "a folder":
        (odd / "inside").mkdir()
        what = "an empty folder"
    words = [str(odd) if which == "artifact" else str(published.artifact), *published.verifying]
    words = words if which == "artifact" else [*words, which, str(odd)]
    assert main(["verify", *words]) == 2
    said = flat(capsys.readouterr().err)
    assert f"got {what}" in said
    assert "[usage.file]" in said


def _nothing(folder: Path) -> None:
    (folder / "empty").mkdir()


def _link(folder: Path) -> None:
    (folder / "link").symlink_to(folder)


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


@pytest.mark.parametrize(
    ("add", "folder", "why"),
    [
        (_nothing, "dist/empty", "got an empty folder"),
        (_link, "dist", "got a symbolic link"),
        (_pipe, "dist", "got what is no file"),
    ],
)
def test_what_cannot_be_checked_in_a_folder_is_never_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], add: Callable[[Path], None], folder: str, why: str
) -> None:
    published = publish(tmp_path, {"dist/widget": b"widget", "gadget": b"gadget"})
    add(tmp_path / "dist")
    words = [str(tmp_path / "gadget"), str(tmp_path / folder)]
    assert main(["verify", *words, *published.verifying]) == 2
    assert why in flat(capsys.readouterr().err)


def test_a_folder_that_cannot_be_listed_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    published = publish(tmp_path, {"dist/widget": b"widget", "dist/secret/gadget": b"gadget"})
    scandir = os.scandir

    def closed(path: Path) -> Any:  # root may list everything, so a mode of 0 would prove nothing
        if path.name == "secret":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert main(["verify", str(tmp_path / "dist"), *published.verifying]) == 2
    assert "expected to list the folder" in flat(capsys.readouterr().err)


def test_a_file_of_the_manifest_is_not_named_again(
    published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--manifest", str(sums(published)), str(published.artifact)]
    assert main(["verify", *words, *published.verifying]) == 2
    assert "from the manifest, too" in capsys.readouterr().err


def test_two_artifacts_of_one_name_are_asked_for_apart(
    published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    other = published.folder / "other" / published.artifact.name
    other.parent.mkdir()
    other.write_bytes(b"other")
    assert main(["verify", str(published.artifact), str(other), *published.verifying]) == 2
    assert "different names" in capsys.readouterr().err


def test_the_verifier_imports_nothing_of_servers_databases_and_screens(published: Published) -> None:
    program = (
        "import sys, json\n"
        "before = set(sys.modules)\n"
        "from quorumseal.cli.main import main\n"
        f"assert main({['verify', str(published.artifact), *published.verifying]!r}) == 0\n"
        "sys.stderr.write(json.dumps(sorted(set(sys.modules) - before)))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = set(json.loads(ran.stderr))
    assert "quorumseal.verifier.verify" in modules
    for heavy in ("grpc", "google.protobuf", "sqlalchemy", "rich", "tomllib", "asyncio", "logging"):
        assert heavy not in modules
    for ours in ("coordinator", "signer_agent", "quorumseal.v1", "quorumseal.client"):
        assert ours not in modules
