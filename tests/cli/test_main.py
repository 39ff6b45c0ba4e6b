# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from types import ModuleType

import pytest

from quorumseal.cli import table
from quorumseal.cli.main import main
from tests.cli.published import publish, quorumseal


def verb_that(monkeypatch: pytest.MonkeyPatch, run: object, extra: str = "client") -> None:
    """Put a verb called ``try`` into the table."""
    module = ModuleType("tests.cli.tried")
    module.__dict__.update(add_arguments=lambda parser: parser.add_argument("--many"), run=run)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    group = {"try": table.Verb(module.__name__, "try it", extra)}
    monkeypatch.setattr(table, "GROUPS", {"Try": group})


def test_without_a_verb_the_help_is_shown_and_it_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main(["--help"]) == 0
    first, second = capsys.readouterr().out.split("quorumseal VERB --help says more about each.\n")[:2]
    assert first == second
    assert all(f"  {name} " in first for name in table.entries())


def test_a_misspelt_verb_gets_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verfy"]) == 2
    assert "did you mean quorumseal verify?" in capsys.readouterr().err
    assert main(["bundle", "sho"]) == 2
    assert "did you mean quorumseal bundle show?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "noun", [name for name, entry in table.entries().items() if isinstance(entry, table.Noun)]
)
def test_each_noun_lists_its_verbs(noun: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([noun, "--help"]) == 0
    entry = table.entries()[noun]
    assert isinstance(entry, table.Noun)
    listed = capsys.readouterr().out
    for verb in entry.load():
        assert f"  {verb} " in listed
        assert main([noun, verb, "--help"]) == 0
        assert f"usage: quorumseal {noun} {verb} " in capsys.readouterr().out


def test_looking_at_the_table_imports_no_verb() -> None:
    program = (
        "import sys, quorumseal.cli.table; print([m for m in sys.modules if m.startswith('quorumseal.cli.')])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "['quorumseal.cli.table']"


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_: Namespace) -> int:
        raise KeyboardInterrupt

    verb_that(monkeypatch, interrupted)
    assert main(["try"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_the_end_of_the_input_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def asking(_: Namespace) -> int:
        raise EOFError

    verb_that(monkeypatch, asking)
    assert main(["try"]) == 2
    assert "got the end of the input [usage.arguments]" in capsys.readouterr().err


def test_a_missing_extra_prints_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_: Namespace) -> int:
        import surely_not_installed  # type: ignore[import-not-found]

        return int(surely_not_installed.answer)

    verb_that(monkeypatch, run, "agent")
    assert main(["try"]) == 2
    assert "python -m pip install 'quorumseal[agent]'" in capsys.readouterr().err


def test_a_module_of_ours_that_is_missing_is_a_defect_and_not_an_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(_: Namespace) -> int:
        import quorumseal.not_there  # type: ignore[import-not-found]

        return int(quorumseal.not_there.answer)

    verb_that(monkeypatch, run)
    with pytest.raises(ModuleNotFoundError):
        main(["try"])


def test_a_full_disk_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_: Namespace) -> int:
        raise OSError(28, "No space left on device", "/srv/x")

    verb_that(monkeypatch, run)
    assert main(["try"]) == 1
    assert "✗ /srv/x: No space left on device [system.failed]" in capsys.readouterr().err


def test_a_reader_who_leaves_ends_it_quietly_and_never_with_success(tmp_path: Path) -> None:
    published = publish(tmp_path)
    words = " ".join(["verify", str(published.artifact), *published.verifying, "--json"])
    program = "import sys; from quorumseal.cli.main import entry; sys.exit(entry())"
    ran = subprocess.run(
        ["bash", "-c", f"{{ sleep 0.3; {sys.executable} -c '{program}' {words}; echo $? >&2; }} | true"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stderr == "1\n"


def test_arguments_are_never_abbreviated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verb_that(monkeypatch, lambda _: 0)
    assert main(["try", "--many", "x"]) == 0
    assert main(["try", "--man", "x"]) == 2
    assert "quorumseal try --help says what it takes" in capsys.readouterr().err


def test_no_colours_and_no_unicode_where_the_output_shows_none(tmp_path: Path) -> None:
    published = publish(tmp_path)
    words = ["verify", str(published.artifact), *published.verifying, "--explain"]
    ran = quorumseal(*words, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert ran.returncode == 0
    assert ran.stdout.isascii()
    assert "\x1b" not in ran.stdout


def test_the_version_is_the_installed_one(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"quorumseal {version('quorumseal')}\n"


def test_a_help_text_fills_its_paragraphs_and_leaves_an_example_on_its_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from quorumseal.cli.main import parser_of
    from quorumseal.cli.table import Command

    def add(parser: ArgumentParser) -> None:
        parser.epilog = "example:\n  quorumseal do " + "x" * 50

    monkeypatch.setenv("COLUMNS", "40")
    about = "Do it, in a sentence that is rather long.\n\nAnd  another\nparagraph."
    shown = parser_of(Command("do", add, lambda _: 0, about), "quorumseal do").format_help()
    assert "Do it, in a sentence that is rather\nlong.\n\nAnd another paragraph.\n" in shown
    assert "example:\n  quorumseal do " + "x" * 50 in shown


def test_a_verb_takes_json_whatever_else_it_takes() -> None:
    from quorumseal.cli.main import parser_of
    from quorumseal.cli.table import Command

    def add(parser: ArgumentParser) -> None:
        parser.add_argument("word")

    parsed = parser_of(Command("do", add, lambda _: 0), "quorumseal do").parse_args(["x", "--json"])
    assert parsed.json is True
