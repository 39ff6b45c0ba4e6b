# SPDX-License-Identifier: Apache-2.0
"""Make again whatever in the documents comes from the code; with ``--check``, say what differs.

What stands between ``<!-- made: NAME -->`` and ``<!-- end -->`` is replaced by the block of that name; after
``<!-- run: FOLDER -->``, by the transcript's own commands and what they print in a copy of that folder.
Beyond that: every link leads somewhere, every test that is named exists, every command that is shown is one.
"""

import re
import sys
from collections.abc import Iterator
from difflib import unified_diff
from functools import cache
from pathlib import Path

from quorumseal.ceremony.policy_schema import SCHEMA_NAME, policy_schema
from scripts.documentation import acme, audited, commands, refusals
from scripts.documentation.blocks import BLOCKS
from scripts.documentation.refusals import ROOT

MARK = re.compile(r"(<!-- (made|run): ([\w/-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")
TEST = re.compile(r"`(test_\w+)`")
TEST_DEFINED = re.compile(r"def (test_\w+)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def main(words: list[str]) -> int:
    """Write what differs, or name it; then judge what cannot be made."""
    check = words == ["--check"]
    failed = False
    for path, made in remade():
        before = path.read_bytes() if path.exists() else None
        if made == before:
            continue
        failed = check
        print(f"{path.relative_to(ROOT)} {'differs from' if check else 'was made again from'} the code")
        if check:
            print("\n".join(difference(before or b"", made)))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(made)
    problems = [problem for path in documents() for problem in problems_of(path)]
    print("\n".join(problems), end="\n" if problems else "")
    return int(failed or bool(problems))


def documents() -> list[Path]:
    """List the documents that people write."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def remade() -> Iterator[tuple[Path, bytes]]:
    """Yield every file that comes from the code, whole or in part, as it should be."""
    for name, data in {**acme.files(), **audited.files()}.items():
        yield ROOT / "docs/examples" / name, data
    yield ROOT / "docs/schema" / SCHEMA_NAME, policy_schema()
    yield ROOT / "docs/cli.md", commands.help_document().encode()
    yield ROOT / "docs/refusals.md", refusals.table().encode()
    for path in documents():
        text = path.read_text()
        if MARK.search(text):
            yield path, MARK.sub(_make, text).encode()


def _make(mark: re.Match[str]) -> str:
    begin, kind, name, body, end = mark.groups()
    if kind == "made" and name not in BLOCKS:
        raise SystemExit(f"expected one of {', '.join(BLOCKS)}, got a mark for {name}")
    made = BLOCKS[name]() if kind == "made" else commands.run_again(body, ROOT / name)
    return f"{begin}{made}\n{end}"


def difference(before: bytes, after: bytes) -> list[str]:
    """Return what differs, line by line."""
    old, new = before.decode(errors="replace"), after.decode(errors="replace")
    return [*unified_diff(old.splitlines(), new.splitlines(), "now", "made", lineterm="", n=1)]


def problems_of(path: Path) -> Iterator[str]:
    """Yield what is wrong with a document and cannot be made."""
    text, where = path.read_text(), path.relative_to(ROOT)
    for target, anchor in LINK.findall(FENCED.sub("", text)):
        if not re.match(r"[a-z]+:", target):
            leads = (path.parent / target).resolve() if target else path
            if not leads.exists():
                yield f"{where}: the link to {target} leads nowhere"
            elif anchor and anchor[1:] not in anchors(leads.read_text()):
                yield f"{where}: {target} has no heading {anchor}"
    yield from (f"{where}: there is no test {name}" for name in TEST.findall(text) if name not in tests())
    for command in commands.commands_in(text):
        reason = commands.misfit(command)
        if reason:
            yield f"{where}: {command}: {reason}"


@cache
def tests() -> frozenset[str]:
    """Return the names of all tests."""
    sources = (path.read_text() for path in ROOT.glob("tests/**/*.py"))
    return frozenset(name for source in sources for name in TEST_DEFINED.findall(source))


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings."""
    headings = (heading.lower().replace("`", "") for heading in HEADING.findall(FENCED.sub("", text)))
    return {re.sub(r"[^\w -]", "", heading).replace(" ", "-") for heading in headings}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
