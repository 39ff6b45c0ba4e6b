# SPDX-License-Identifier: Apache-2.0
"""The second verifier is a second one: sharing nothing with the product, it judges the examples."""

import ast
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.second_verifier import timestamps
from tests.second_verifier.chaining import walk
from tests.second_verifier.refusing import Refused, exits
from tests.second_verifier.values import sha256
from tests.second_verifier.verifying import Terms, read_trust, verify

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "docs" / "examples"
MODULES = sorted(path for path in HERE.glob("*.py") if not path.name.startswith("test_"))


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                found |= {name.name for name in names}
            case ast.ImportFrom(module=str(module), level=0):
                found.add(module)
            case ast.ImportFrom():
                found.add("relative")
            case ast.Call(func=ast.Name(id="__import__") | ast.Attribute(attr="import_module")):
                found.add("by name")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_nothing_of_the_product_is_in_it(path: Path) -> None:
    tops = {name for name in _imports(path) if not name.startswith("tests.second_verifier")}
    assert not {name.partition(".")[0] for name in tops} & {
        "quorumseal",
        "scripts",
        "tests",
        "relative",
        "by name",
    }


def test_the_imports_of_a_module_are_seen() -> None:
    assert "quorumseal.refusal" in _imports(HERE.parent / "differential" / "comparing.py")
    assert len(MODULES) > 10


def _judge(name: str, data: bytes) -> str:
    trust = read_trust((EXAMPLES / "trust.json").read_bytes())
    artifact = sha256(data)
    bundle = (EXAMPLES / f"{name}.quorumseal.json").read_bytes()
    try:
        return verify(bundle, trust, {"widget.tar.gz": artifact}, Terms())
    except Refused as refused:
        return f"{refused.code} {exits()[refused.code]}"


def test_it_judges_the_examples_as_the_specification_says() -> None:
    artifact = (EXAMPLES / "widget.tar.gz").read_bytes()
    assert _judge("widget@1.0", artifact) == "regular"
    assert _judge("one-short", artifact) == "quorum.short 5"
    assert _judge("widget@1.0", b"other bytes") == "artifact.other_bytes 3"


def test_the_document_says_what_exit_each_code_has() -> None:
    codes = exits()
    assert codes["quorum.short"] == 5
    assert codes["json.not_utf8"] == 1
    assert len(codes) > 200


def test_a_timestamp_that_could_be_good_is_not_judged_and_another_is_refused() -> None:
    trust = read_trust((EXAMPLES / "trust.json").read_bytes())
    bundle = json.loads((EXAMPLES / "widget@1.0.quorumseal.json").read_bytes())
    policy = walk(bundle["policies"], trust).policies[0]
    with pytest.raises(Refused, match=r"timestamp\.authority"):
        timestamps.judge(policy, "MAA=")
    with pytest.raises(timestamps.NotJudgedError):
        timestamps.judge(replace(policy, timestamping={"clock.acme.example": "PEM"}), "MAA=")
