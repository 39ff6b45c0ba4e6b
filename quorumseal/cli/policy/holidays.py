# SPDX-License-Identifier: Apache-2.0
"""Draft a country's holidays as the dates that a policy names; read them before anybody signs them.

Everything it prints is TOML, with comments, and can be pasted into policy.toml.  A policy holds dates and
no country, so that two programs with different tables of holidays never disagree about a deadline.
"""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from quorumseal.ceremony.calendar import DAYS, Calendar
from quorumseal.cli.errors import UsageError
from quorumseal.cli.output import Json, print_json, screen
from quorumseal.terminal import Foreign, Look, columns, drawn, wrap

_FIRST, _LAST = 2000, 2100
_LISTED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Holidays by date, sorted by whether they would change anything."""

    where: str
    years: tuple[int, ...]
    working: Mapping[date, str]
    left_out: Mapping[date, str]
    """On days on which nobody works anyway."""


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``policy holidays`` takes."""
    parser.add_argument("country", metavar="COUNTRY", help="its code, such as PT or US")
    parser.add_argument("--subdivision", metavar="CODE", help="a state or province, with its own holidays")
    parser.add_argument("--year", nargs="+", required=True, type=_year, metavar="YEAR", help="such as 2027")
    parser.add_argument(
        "--days",
        type=_days,
        default=Calendar().days,
        metavar="DAYS",
        help="the working days of the policy (default: monday,tuesday,wednesday,thursday,friday)",
    )
    parser.epilog = "example:\n  quorumseal policy holidays PT --year 2027 2028"


def run(arguments: Namespace) -> int:
    """Draft them."""
    years = tuple(sorted(set(arguments.year)))
    found = look_up(arguments.country, arguments.subdivision, years)
    where = "-".join(filter(None, (arguments.country.upper(), arguments.subdivision)))
    draft = sort_out(found, Calendar(days=arguments.days), where=where, years=years)
    if arguments.json:
        print_json(_json(draft))
        return 0
    out = screen()
    for line in toml_lines(draft, out.look):
        out.line(line)
    return 0


def look_up(country: str, subdivision: str | None, years: Sequence[int]) -> dict[date, str]:
    """Return the public holidays that the library knows, as one line of text each."""
    import holidays

    known: dict[str, list[str]] = holidays.list_supported_countries()
    code = country.upper()
    if code not in known:
        raise UsageError(
            f"expected the code of a country (ISO 3166-1), got {country[:40]!a}",
            hint=f"the library knows {len(known)} codes, such as PT, US and JP",
        )
    if subdivision is not None and subdivision not in known[code]:
        few = ", ".join(known[code][:_LISTED]) + (", …" if len(known[code]) > _LISTED else "")
        raise UsageError(
            f"expected a subdivision of {code}, got {subdivision[:40]!a}",
            hint=f"name one of {few}" if few else f"{code} has none: leave it out",
        )
    found: Mapping[date, str] = holidays.country_holidays(code, subdiv=subdivision, years=[*years])
    for year in years:
        if not any(day.year == year for day in found):
            raise UsageError(
                f"expected holidays of {code} in {year}, got none from the library",
                hint="choose a nearer year, or write the dates by hand",
            )
    return {day: name for day, name in sorted(found.items()) if day.year in years}


def sort_out(found: Mapping[date, str], calendar: Calendar, *, where: str, years: tuple[int, ...]) -> Draft:
    """Part the holidays on working days from those that change nothing."""
    return Draft(
        where=where,
        years=years,
        working={day: name for day, name in found.items() if calendar.works_on(day)},
        left_out={day: name for day, name in found.items() if not calendar.works_on(day)},
    )


def toml_lines(draft: Draft, look: Look) -> Iterator[str]:
    """Yield the draft as TOML with comments, no line wider than the screen."""
    many, years = len(draft.working), ", ".join(map(str, draft.years))
    yield from _comment(
        f"{many} holiday{'' if many == 1 else 's'} of {draft.where} on working days in {years}, "
        "for policy.toml. They are a draft: compare them with what your people are given.",
        look,
    )
    yield "[calendar]"
    yield "holidays = ["
    for day, name in draft.working.items():
        entry, said = f"    {day.isoformat()},", drawn(Foreign(name), look)
        beside = f"{entry} # {day:%a} {said}"
        if columns(beside) > look.width:
            yield from _comment(f"{day:%a} {said}", look, indent="    ")
            beside = entry
        yield beside
    yield "]"
    if draft.left_out:
        yield from _comment("Left out, because nobody works on these days anyway:", look)
    for day, name in draft.left_out.items():
        yield from _comment(f"  {day.isoformat()} {day:%a} {drawn(Foreign(name), look)}", look)
    yield from _comment("Then say what the policy means:", look)
    yield "# quorumseal policy check policy.toml"


def _comment(text: str, look: Look, indent: str = "") -> Iterator[str]:
    mark = f"{indent}# "
    return (mark + line for line in wrap(text, look.width - len(mark)))


def _json(draft: Draft) -> Json:
    return {
        "where": draft.where,
        "years": [*draft.years],
        "holidays": [{"date": day.isoformat(), "name": name} for day, name in draft.working.items()],
        "left_out": [{"date": day.isoformat(), "name": name} for day, name in draft.left_out.items()],
    }


def _year(text: str) -> int:
    if text.isascii() and text.isdigit() and _FIRST <= int(text) <= _LAST:
        return int(text)
    raise ArgumentTypeError(f"expected a year from {_FIRST} to {_LAST}, got {text[:20]!a}")


def _days(text: str) -> frozenset[str]:
    days = frozenset(text.split(","))
    if days <= frozenset(DAYS):
        return days
    raise ArgumentTypeError(f"expected days such as monday,tuesday, got {text[:60]!a}")
