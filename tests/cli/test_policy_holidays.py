# SPDX-License-Identifier: Apache-2.0
"""Holidays are drafted as dates that a policy can name; what changes nothing is left out, and said."""

import json
import sys
import tomllib
from datetime import date

import pytest

from quorumseal.ceremony.calendar import Calendar
from quorumseal.cli.main import main
from quorumseal.cli.policy.holidays import sort_out, toml_lines
from quorumseal.terminal import Look
from tests.ceremony.test_policy_source import compiled
from tests.cli.published import flat, said

Capture = pytest.CaptureFixture[str]
PORTUGAL = {date(2027, 1, 1), date(2027, 3, 26), date(2027, 5, 27), date(2027, 6, 10), date(2027, 10, 5),
            date(2027, 11, 1), date(2027, 12, 1), date(2027, 12, 8)}  # fmt: skip


def test_the_draft_can_be_pasted_into_a_policy_as_it_is(capsys: Capture) -> None:
    assert main(["policy", "holidays", "pt", "--year", "2027"]) == 0
    text = capsys.readouterr().out
    policy = compiled(("[log]\n", f"{text}\n[log]\n"))
    assert policy.calendar == Calendar(holidays=frozenset(PORTUGAL))
    lines = text.splitlines()
    assert lines[0].startswith("# 8 holidays of PT on working days in 2027")
    assert any(line.startswith("    2027-12-08, # Wed ") for line in lines)
    assert any(line.startswith("#   2027-04-25 Sun ") for line in lines)
    assert lines[-1] == "# quorumseal policy check policy.toml"


def test_several_years_and_a_subdivision_are_drafted_as_json(capsys: Capture) -> None:
    words = ["policy", "holidays", "DE", "--subdivision", "BY", "--year", "2028", "2027", "2027", "--json"]
    assert main(words) == 0
    answer = said(capsys.readouterr().out)
    assert (answer["where"], answer["years"]) == ("DE-BY", [2027, 2028])
    dates = [each["date"] for each in answer["holidays"]]
    assert dates == sorted(set(dates))
    assert "2027-01-06" in dates  # Epiphany, which Bavaria has and Berlin has not
    assert {each["date"] for each in answer["left_out"]}.isdisjoint(dates)
    assert all(each["name"] for each in answer["holidays"])


def test_the_working_days_decide_what_is_left_out(capsys: Capture) -> None:
    words = ["policy", "holidays", "PT", "--year", "2027", "--json", "--days", "saturday,sunday"]
    assert main(words) == 0
    answer = said(capsys.readouterr().out)
    assert {each["date"] for each in answer["left_out"]} == {day.isoformat() for day in PORTUGAL}
    assert "2027-04-25" in {each["date"] for each in answer["holidays"]}


@pytest.mark.parametrize(
    ("words", "expected", "hint"),
    [
        (["XX", "--year", "2027"], "code of a country", "such as PT"),
        (["../PT", "--year", "2027"], "code of a country", "such as PT"),
        (["PT", "--year", "27"], "a year from 2000", "--help"),
        (["PT", "--year", "٢٠٢٧"], "a year from 2000", "--help"),
        (["PT"], "--year", "--help"),
        (["DE", "--year", "2027", "--subdivision", "XX"], "a subdivision of DE", "BY"),
        (["LU", "--year", "2027", "--subdivision", "XX"], "a subdivision of LU", "leave it out"),
        (["PT", "--year", "2027", "--days", "caturday"], "days such as monday", "--help"),
    ],
)
def test_what_cannot_be_drafted_is_refused(
    capsys: Capture, words: list[str], expected: str, hint: str
) -> None:
    assert main(["policy", "holidays", *words]) == 2
    told = flat(capsys.readouterr().err)
    assert expected in told
    assert hint in told
    assert "[usage.arguments]" in told


def test_without_the_library_the_hint_is_the_line_that_installs_it(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)
    assert main(["policy", "holidays", "PT", "--year", "2027", "--json"]) == 2
    refused = json.loads(capsys.readouterr().out)["refused"]
    assert refused["code"] == "usage.extra"
    assert refused["hint"].endswith("python -m pip install 'quorumseal[holidays]'")


def test_a_country_without_holidays_in_a_year_is_refused_and_not_drafted_empty(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holidays.country_holidays", lambda *_, **__: {date(2027, 1, 1): "New Year"})
    assert main(["policy", "holidays", "PT", "--year", "2027", "2028"]) == 2
    assert "holidays of PT in 2028, got none" in flat(capsys.readouterr().err)


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_than_the_screen_and_no_name_leaves_its_comment(width: int) -> None:
    names = {
        date(2027, 1, 1): "a name " * 20,
        date(2027, 1, 2): "one\nholidays = []",
        date(2027, 1, 4): "x\u202ey",
    }
    draft = sort_out(names, Calendar(), where="PT", years=(2027,))
    lines = [*toml_lines(draft, Look(width=width))]
    assert max(map(len, lines)) <= width
    table = tomllib.loads("\n".join(lines))
    assert table == {"calendar": {"holidays": [date(2027, 1, 1), date(2027, 1, 4)]}}
    assert all(line.isprintable() for line in lines)
