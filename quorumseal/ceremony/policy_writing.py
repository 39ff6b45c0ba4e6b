# SPDX-License-Identifier: Apache-2.0
"""From a policy back to ``policy.toml``: what the reader compiles to the same policy, every field explained.

Each comment stands where its field comes for the first time; what is left out stands there as a comment.
"""

import textwrap
from collections.abc import Iterator, Mapping

from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_guide import GUIDE, Form, Leaf, Named, Node, Role, Rows, Table
from quorumseal.ceremony.policy_plain import Plain, plain_policy
from quorumseal.ceremony.policy_schema import DIRECTIVE
from quorumseal.ceremony.toml_values import bare, toml_value

_WIDTH = 80
_Path = tuple[str, ...]


def policy_text(policy: Policy) -> str:
    """Write a policy as people edit it."""
    about = (
        f"Who may release what in {policy.organisation}. This file is for people; what counts are the signed "
        "bytes that it is compiled to. `quorumseal policy check` says what it means, or what is wrong with "
        "it; `policy lint`, what it is short of; `policy diff`, what it changes; `policy propose` asks for "
        "the change."
    )
    return (
        "\n".join([DIRECTIVE, *_comment(about), "", *_Writer().table(GUIDE, plain_policy(policy), ())]) + "\n"
    )


class _Writer:
    """Writes tables, and remembers what it has explained."""

    def __init__(self) -> None:
        self._told: set[int] = set()

    def table(self, guide: Table, plain: Mapping[str, Plain], path: _Path) -> Iterator[str]:
        """Yield the values of a table, and then the tables in it."""
        for name, node in guide.fields.items():
            if isinstance(node, Leaf) and node.form is not Form.COUNTS:
                yield from self._leaf(name, node, plain)
        for name, node in guide.fields.items():
            if not isinstance(node, Leaf) or node.form is Form.COUNTS:
                yield from self._inner(node, plain.get(name), (*path, name))

    def _leaf(self, name: str, node: Leaf, plain: Mapping[str, Plain]) -> Iterator[str]:
        if name in plain:
            yield from self._about(node)
            yield f"{bare(name)} = {toml_value(plain[name])}"
        elif node.example is not None and self._first(node):
            yield from _comment(node.about)
            yield f"# {bare(name)} = {node.example}"

    def _inner(self, node: Node, plain: Plain, path: _Path) -> Iterator[str]:
        if plain is None:
            yield from self._absent(node, path)
            return
        yield ""
        yield from self._about(node)
        match node, plain:
            case Named(each=Table() as table), dict():
                yield from _apart(self._named(table, name, each, path) for name, each in plain.items())
            case Rows(each=table), list():
                yield from _apart(self._headed(f"[[{_dotted(path)}]]", table, row, path) for row in plain)
            case Table(), dict():
                yield from self._headed(f"[{_dotted(path)}]", node, plain, path)
            case _:
                assert isinstance(plain, dict)  # noqa: S101 - the guide and what is written have one shape
                yield f"[{_dotted(path)}]"
                yield from (f"{bare(name)} = {toml_value(each)}" for name, each in plain.items())

    def _named(self, table: Table, name: str, plain: Plain, path: _Path) -> Iterator[str]:
        yield from self._headed(f"[{_dotted((*path, name))}]", table, plain, (*path, name))

    def _headed(self, heading: str, table: Table, plain: Plain, path: _Path) -> Iterator[str]:
        assert isinstance(plain, dict)  # noqa: S101 - the guide and what is written have one shape
        yield heading
        yield from self.table(table, plain, path)

    def _absent(self, node: Node, path: _Path) -> Iterator[str]:
        if isinstance(node, Table | Named) and self._first(node):
            yield from ("", *_comment(node.about))
            yield from (f"# {line.format(_dotted(path))}" for line in node.sample)

    def _about(self, node: Node) -> Iterator[str]:
        if self._first(node):
            yield from _comment(node.about)
            if isinstance(node, Named) and isinstance(node.each, Role):
                yield from _role_comment(node.each.table)

    def _first(self, node: Node) -> bool:
        first = id(node) not in self._told
        self._told.add(id(node))
        return first


def _role_comment(table: Table) -> Iterator[str]:
    """Explain the fields of a role here: its table is written on one line."""
    yield '# A role is a list of its members, or { members = ["alice"], … } with any of:'
    for name, field in table.fields.items():
        if isinstance(field, Leaf) and field.example is not None:
            yield from _comment(f"{name} = {field.example}: {field.about}", "#   ")


def _apart(blocks: Iterator[Iterator[str]]) -> Iterator[str]:
    for number, block in enumerate(blocks):
        if number:
            yield ""
        yield from block


def _comment(text: str, begin: str = "# ") -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=begin, subsequent_indent=begin, break_on_hyphens=False)


def _dotted(path: _Path) -> str:
    return ".".join(map(bare, path))
