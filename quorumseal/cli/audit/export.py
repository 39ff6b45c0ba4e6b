# SPDX-License-Identifier: Apache-2.0
"""Write a pack for an auditor: a period's log with its proofs, bundles, rules, tables, and their verifier.

The log is verified first, and the pack after it is written, as whoever gets it will do. The texts that people
wrote (reasons, reports) are left out unless you ask for them: they can name people, and what was handed over
nobody can erase.
"""

from argparse import ArgumentParser, Namespace
from contextlib import suppress
from pathlib import Path

from quorumseal.audit.examining import populate
from quorumseal.audit.pack.bundles import bundle_file
from quorumseal.audit.pack.judging import JudgedPack, judge_pack
from quorumseal.audit.pack.making import Bundles, make_pack
from quorumseal.audit.population import Period
from quorumseal.ceremony.values import whole_milliseconds
from quorumseal.cli.audit.pack_reading import open_pack
from quorumseal.cli.audit.pack_writing import write_folder, write_zip
from quorumseal.cli.audit.period import add_period, period_of
from quorumseal.cli.audit.single_file import single_file
from quorumseal.cli.audit.source import Source, add_source, open_source
from quorumseal.cli.desk import now
from quorumseal.cli.errors import UsageError
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.program import program_version
from quorumseal.cli.progress import reporter
from quorumseal.client.errors import CoordinatorRefusedError
from quorumseal.terminal import Mark


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``audit export`` takes."""
    add_period(parser)
    parser.add_argument(
        "--out", required=True, type=Path, metavar="FOLDER", help="a folder that is not there yet"
    )
    parser.add_argument("--zip", action="store_true", help="write FOLDER.zip instead of the folder")
    parser.add_argument("--annexes", action="store_true", help="with the texts that people wrote")
    add_source(parser)
    parser.epilog = "example:\n  quorumseal audit export --from 2026-01-01 --to 2027-01-01 --out pack"


def run(arguments: Namespace) -> int:
    """Make the pack, and verify it."""
    period, out = _period(arguments), _place(arguments)
    with open_source(arguments, annexes=arguments.annexes) as source:
        if source.copy.first:
            raise UsageError(
                f"expected a copy that begins with the log, got one from entry {source.copy.first} on",
                hint="cut the pack from the coordinator, or from a pack of the whole log",
            )
        population = populate(source.copy, source.trust, progress=reporter("replayed"))
        files = make_pack(
            source.copy,
            population,
            source.trust,
            period,
            bundles=_bundles(source, arguments.folder),
            verifier=single_file(program_version()),
            program=program_version(),
            annexes=arguments.annexes,
        )
        (write_zip if arguments.zip else write_folder)(out, files)
    judged = judge_pack(open_pack(out), source.trust, program=program_version())
    for defect in judged.defects:
        raise defect.refusal
    _say(arguments, judged, out)
    return 0


def _period(arguments: Namespace) -> Period:
    """Return the period in whole milliseconds, as it is written down."""
    given = period_of(arguments, now())
    return Period(begin=whole_milliseconds(given.begin), end=whole_milliseconds(given.end))


def _place(arguments: Namespace) -> Path:
    out: Path = arguments.out
    return out.with_name(f"{out.name.removesuffix('.zip')}.zip") if arguments.zip else out


def _bundles(source: Source, folder: Path | None) -> Bundles:
    """Return what gives the bundle of a ceremony: the coordinator, or the pack that is cut."""
    if source.desk is None:
        earlier = open_pack(folder or Path())
        return lambda ceremony: earlier.get(bundle_file(ceremony))
    connection = source.desk.connection

    def fetched(ceremony: str) -> bytes | None:
        with suppress(CoordinatorRefusedError):
            return connection.bundle(ceremony)
        return None

    return fetched


def _say(arguments: Namespace, judged: JudgedPack, out: Path) -> None:
    about, counted = judged.manifest.about, judged.counted
    assert counted is not None  # noqa: S101 - nothing was wrong
    if arguments.json:
        print_json(
            {
                "pack": str(out),
                "period": about.period.to_json(),
                "policy": about.policy,
                "ceremonies": counted.ceremonies,
                "entries": judged.entries,
                "bundles": judged.bundles,
                "unpublished": [*about.unpublished],
                "files": judged.files,
            }
        )
        return
    drawn = screen()
    drawn.answer(Mark.DONE, f"wrote {counted.ceremonies:,} ceremonies with their proofs to {out}")
    drawn.facts(
        [
            ("  period", str(about.period)),
            ("  log", f"{judged.entries:,} entries, of {about.size:,}"),
            ("  bundles", f"{judged.bundles:,}; {len(about.unpublished)} not published"),
            ("  texts", "with what people wrote" if about.annexes else "left out (--annexes)"),
        ]
    )
    drawn.line("  Whoever gets it needs the digest of policy version 1 over another way:")
    drawn.line(f"  {about.policy}")
    drawn.next(
        "Verify it as they will", ["quorumseal", "audit", "verify", str(out), "--policy", about.policy]
    )
