# SPDX-License-Identifier: Apache-2.0
"""What holds for the project as a whole and no linter knows."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from quorumseal.cli.table import Noun, entries

ROOT = Path(__file__).parent.parent
WIRE = ROOT / "quorumseal" / "v1"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())


def sources() -> list[Path]:
    folders = ("quorumseal", "coordinator", "signer_agent", "tests", "scripts")
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py") if path.parent != WIRE]


def test_every_source_file_names_its_licence_first() -> None:
    found = sources()
    assert len(found) > 20
    licence = "# SPDX-License-Identifier: Apache-2.0\n"
    assert [path for path in found if not (path.read_text() or licence).startswith(licence)] == []


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_requirements_are_pinned_with_hashes_and_name_no_registry(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"https?:|--index|--extra-index|--find-links|--trusted-host", text)
    pins = [block for block in re.split(r"\n(?=\S)", text) if not block.startswith("#")]
    assert len(pins) >= 2
    for pin in pins:
        assert re.match(r"[a-z0-9-]+==[0-9]", pin)
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", pin)


def test_verifying_needs_nothing_of_servers_and_databases() -> None:
    text = (ROOT / "requirements" / "verifier.txt").read_text()
    pinned = set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))
    assert {"cryptography", "pynacl"} <= pinned
    assert not pinned & {"grpcio", "protobuf", "rfc8785", "sqlalchemy", "alembic", "rich"}


def texts_of(path: Path) -> Iterator[str]:
    return (
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def test_every_command_that_a_text_of_the_program_names_is_one() -> None:
    named = re.compile(r"(?:`|with: |run: |[(;] ?)quorumseal ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?")
    programs = [path for path in sources() if path.relative_to(ROOT).parts[0] not in ("tests", "scripts")]
    found = {match.groups() for path in programs for text in texts_of(path) for match in named.finditer(text)}
    assert ("policy", "compile") in found
    for verb, below in found:
        item = entries()[verb]
        assert not isinstance(item, Noun) or below in {None, *item.load()}, f"quorumseal {verb} {below}"


def test_generated_code_accepts_the_oldest_libraries_that_are_declared() -> None:
    declared = {
        requirement.name: requirement.specifier
        for requirement in map(Requirement, SETTINGS["project"]["optional-dependencies"]["client"])
    }
    generated = "".join(path.read_text() for path in sorted(WIRE.glob("*_pb2*.py")))
    for library, pattern in (
        ("grpcio", r"GRPC_GENERATED_VERSION = '(.+)'"),
        ("protobuf", r"# Protobuf Python Version: (.+)"),
    ):
        needed = set(re.findall(pattern, generated))
        assert {str(declared[library])} == {f">={version}" for version in needed}
