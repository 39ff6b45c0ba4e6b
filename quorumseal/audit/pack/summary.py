# SPDX-License-Identifier: Apache-2.0
"""``summary.html``: the period on one page, without script, for a browser and for a printer."""

from collections.abc import Iterable, Sequence
from typing import Final

from quorumseal.audit.effectiveness import Measure
from quorumseal.audit.pack.counting import Counted
from quorumseal.audit.pack.foreign import in_html
from quorumseal.audit.pack.manifest import About
from quorumseal.audit.pictures import svg
from quorumseal.audit.population import Audited, Population
from quorumseal.ceremony.values import instant_text

SUMMARY: Final = "summary.html"
_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; break-after: avoid; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding: .3rem 0; }
th, td { border-bottom: 1px solid color-mix(in srgb, currentColor 30%, transparent); padding: .25rem .6rem;
  text-align: left; vertical-align: top; overflow-wrap: break-word; }
thead th { border-bottom-width: 2px; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
figure { margin: 1rem 0; } svg { max-width: 100%; height: auto; }
tr, figure { break-inside: avoid; } thead { display: table-header-group; }
@media print { :root { color-scheme: light; font-size: 11px; } body { margin: 0; max-width: none; }
  .wide { overflow: visible; } }
"""


def summary_html(about: About, within: Population, counted: Counted, measured: Sequence[Measure]) -> bytes:
    """Return the page."""
    body = [
        f"<h1>Releases of {in_html(about.organisation)}</h1>",
        f"<p>{in_html(str(about.period))}. {_sentence(counted)}</p>",
        (
            f"<p>By the {about.size} entries of log <code>{in_html(about.log)}</code> under root "
            f"<code>{about.root}</code>, from policy version 1 <code>{about.policy}</code> on. "
            "Verify it before you believe this page: README.txt says how.</p>"
        ),
        _section("Ceremonies by outcome", ("outcome", "how many"), _states(counted)),
        _section("Emergencies", _COLUMNS, map(_row, counted.emergencies)),
        _section("Ended without approval", _COLUMNS, map(_row, counted.unapproved)),
        _section("Changes of the policy", _COLUMNS, map(_row, counted.changes)),
        _section("Approved without a bundle in this pack", ("ceremony",), _alone(about)),
        *map(_measure, measured),
        _section("All ceremonies", _COLUMNS, map(_row, within.ceremonies)),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Audit of {in_html(about.organisation)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{chr(10).join(body)}\n</body>\n</html>\n"
    ).encode()


_COLUMNS: Final = ("release", "kind", "outcome", "asked for by", "opened", "ended", "policy", "ceremony")


def _sentence(counted: Counted) -> str:
    return (
        f"{counted.ceremonies} ceremonies, {len(counted.emergencies)} of them emergencies; "
        f"{counted.decisions} decisions by {counted.people} signers."
    )


def _states(counted: Counted) -> Iterable[Sequence[str]]:
    return ((state, str(number)) for state, number in counted.by_state.items())


def _alone(about: About) -> Iterable[Sequence[str]]:
    return ((each,) for each in about.unpublished)


def _row(audited: Audited) -> Sequence[str]:
    request = audited.request
    asked = request.context.signer + (f" for {request.on_behalf_of}" if request.on_behalf_of else "")
    return (
        f"{request.product} {request.version}",
        str(request.kind) + (", emergency" if request.emergency is not None else ""),
        str(audited.state),
        asked,
        instant_text(audited.opened_at),
        instant_text(audited.ended_at) if audited.ended_at else "",
        str(audited.policy.policy.version),
        audited.id,
    )


def _measure(measure: Measure) -> str:
    table = _table(measure.columns, measure.rows)
    return (
        f"<h2>{in_html(measure.title)}</h2>\n<p>{in_html(measure.said)}</p>\n"
        f"<figure>{svg(measure)}</figure>" + (f"\n{table}" if table else "")
    )


def _section(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], empty: str = "There was none."
) -> str:
    table = _table(columns, rows) or f"<p>{in_html(empty)}</p>"
    return f"<h2>{in_html(title)}</h2>\n{table}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"<tr>{''.join(f'<td>{in_html(cell)}</td>' for cell in row)}</tr>" for row in rows]
    if not lines:
        return ""
    head = "".join(f'<th scope="col">{in_html(column)}</th>' for column in columns)
    return (
        f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n'
        + "\n".join(lines)
        + "\n</tbody>\n</table></div>"
    )
