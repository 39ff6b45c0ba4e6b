# SPDX-License-Identifier: Apache-2.0
"""A kit on paper: as plain text of 80 columns, and as one page of HTML that loads nothing."""

from collections.abc import Sequence
from html import escape

from quorumseal.cli.kit.content import Block, Chapter, Facts, Steps, Verbatim
from quorumseal.terminal import visible_lines, wrap

_WIDTH = 78
_LONGEST = 16 << 10
_MOST_LINES = 1000
_LOADS = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
body { font: 11pt/1.4 serif; max-width: 46em; margin: 2em auto; padding: 0 1em; color: #000 }
h1 { font-size: 18pt } h2 { font-size: 13pt; border-bottom: 1px solid #000; margin-top: 1.6em }
section { break-inside: avoid } th { text-align: left; vertical-align: top; padding-right: 1.5em }
td, pre, code { font-family: monospace; font-size: 9.5pt; overflow-wrap: anywhere; white-space: pre-wrap }
figure { margin: 1em 0 } svg { width: 4cm; height: 4cm }
"""


def text_page(title: str, chapters: Sequence[Chapter]) -> str:
    """Return the kit as plain text."""
    lines = [title, "=" * len(title)]
    for chapter in chapters:
        lines += ["", "", chapter.title, "-" * len(chapter.title)]
        for block in chapter.blocks:
            lines += ["", *_text(block)]
    return "\n".join([*lines, ""])


def html_page(title: str, chapters: Sequence[Chapter], *, code: str = "", caption: str = "") -> str:
    """Return the kit as HTML; ``code`` is an SVG of ours, and what it says stands under it."""
    figure = f"<figure>{code}<figcaption>{escape(caption)}</figcaption></figure>" if code else ""
    sections = "\n".join(
        f"<section><h2>{escape(chapter.title)}</h2>\n" + "\n".join(map(_html, chapter.blocks)) + "</section>"
        for chapter in chapters
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_LOADS}">\n'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n{figure}\n{sections}\n</body></html>\n"
    )


def _text(block: Block) -> list[str]:
    match block:
        case str():
            return wrap(block.replace("`", ""), _WIDTH)
        case Facts(rows=rows):
            width = max(len(label) for label, _ in rows)
            lines = []
            for label, value in rows:
                first, *rest = wrap(value, _WIDTH - width - 4)
                lines += [f"  {label:<{width}}  {first}", *(" " * (width + 4) + line for line in rest)]
            return lines
        case Steps(steps=steps):
            shown = [[*wrap(said, _WIDTH), f"  $ {command}", ""] for said, command in steps]
            return [line for step in shown for line in step][:-1]
        case Verbatim(text=text):
            return [f"  {line}" for line in visible_lines(text, limit=_LONGEST, most=_MOST_LINES)]


def _html(block: Block) -> str:
    match block:
        case str():
            parts = block.split("`")
            return (
                "<p>"
                + "".join(
                    f"<code>{escape(part)}</code>" if number % 2 else escape(part)
                    for number, part in enumerate(parts)
                )
                + "</p>"
            )
        case Facts(rows=rows):
            cells = (f"<tr><th>{escape(label)}</th><td>{escape(value)}</td></tr>" for label, value in rows)
            return f"<table>{''.join(cells)}</table>"
        case Steps(steps=steps):
            items = (f"<li>{escape(said)}<pre>{escape(command)}</pre></li>" for said, command in steps)
            return f"<ol>{''.join(items)}</ol>"
        case Verbatim(text=text):
            return f"<pre>{escape(chr(10).join(visible_lines(text, limit=_LONGEST, most=_MOST_LINES)))}</pre>"
