# SPDX-License-Identifier: Apache-2.0
"""How a tree is drawn: narrow, so that a digest fits beside its stem in 80 columns."""

from collections.abc import Iterator

from quorumseal.cli.output import Json
from quorumseal.terminal import Look, wrap
from quorumseal.verifier.explain import Node

_UNICODE = ("├ ", "└ ", "│ ")
_ASCII = ("|-", "`-", "| ")


def tree_lines(node: Node, look: Look, first: str = "", rest: str = "") -> Iterator[str]:
    """Yield the lines of a tree; long texts go on under their beginning."""
    branch, last, stem = _UNICODE if look.unicode else _ASCII
    below = rest + (stem if node.children else "")
    texts = [f"{node.kind}  {node.text}", *filter(None, [node.digest])]
    line, *more = (part for text in texts for part in wrap(text, look.width - len(below)))
    yield first + line
    for wrapped in more:
        yield below + wrapped
    for position, child in enumerate(node.children):
        if position < len(node.children) - 1:
            yield from tree_lines(child, look, rest + branch, rest + stem)
        else:
            yield from tree_lines(child, look, rest + last, rest + "  ")


def tree_json(node: Node) -> Json:
    """Return a tree as JSON."""
    drawn: dict[str, Json] = {"kind": node.kind, "text": node.text}
    if node.digest:
        drawn["digest"] = node.digest
    return drawn | {"children": [tree_json(child) for child in node.children]} if node.children else drawn
