# SPDX-License-Identifier: Apache-2.0
"""Verify a pack that `quorumseal audit export` made: every file, signature and decision, by the rules.

Needs no network, no coordinator and no home. It begins at version 1 of the organisation's policy: give its
digest, or a trust file, as you got it from the organisation. Without, it says whether the pack agrees with
itself (exit code 12 if so), which whoever makes a log of their own can have.
"""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from quorumseal.audit.pack.judging import JudgedPack, judge_pack
from quorumseal.audit.pack.manifest import MANIFEST, read_manifest
from quorumseal.ceremony.values import digest, instant_text
from quorumseal.cli.audit.defects import counted, draw_defects
from quorumseal.cli.audit.pack_reading import open_pack
from quorumseal.cli.errors import UsageError
from quorumseal.cli.files import read_file, read_trust_file
from quorumseal.cli.output import Json, print_json, screen
from quorumseal.cli.program import program_file, program_version, verify_words
from quorumseal.cli.progress import reporter
from quorumseal.refusal import Refusal
from quorumseal.terminal import Mark, Screen
from quorumseal.tlog.note import MAX_NOTE_BYTES
from quorumseal.verifier.outcomes import Outcome, outcome_of
from quorumseal.verifier.trust import Trust


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``audit verify`` takes."""
    parser.add_argument(
        "pack", nargs="?", type=Path, default=Path(), metavar="PACK", help="the folder or zip (default: here)"
    )
    parser.add_argument("--trust", type=Path, metavar="FILE", help="the organisation's trust file")
    parser.add_argument(
        "--policy", metavar="DIGEST", help="the digest of version 1 of the organisation's policy"
    )
    parser.add_argument(
        "--held",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a checkpoint that somebody holds, to be compared; repeatable",
    )
    parser.epilog = "example:\n  quorumseal audit verify pack --trust trust.json"


def run(arguments: Namespace) -> int:
    """Verify it, and say what came of it."""
    began = time.monotonic()
    files = open_pack(arguments.pack)
    trust = _trust(arguments, lambda: files[MANIFEST])
    held = tuple(read_file(path, "a checkpoint", MAX_NOTE_BYTES) for path in arguments.held)
    judged = judge_pack(
        files,
        trust,
        program=program_version(),
        verifier=program_file(),
        held=held,
        progress=reporter("replayed"),
    )
    took = time.monotonic() - began
    code = _code(judged, trust)
    if arguments.json:
        print_json({**_json(judged, pinned=trust is not None), "milliseconds": round(took * 1000)})
    else:
        _draw(screen(), judged, arguments, trust, took)
    return code


def _trust(arguments: Namespace, manifest: Callable[[], bytes]) -> Trust | None:
    if arguments.trust is not None and arguments.policy is not None:
        raise UsageError("expected --trust or --policy, got both", hint="a trust file holds the digest")
    if arguments.trust is not None:
        return read_trust_file(arguments.trust)
    if arguments.policy is None:
        return None
    try:
        pinned = digest(arguments.policy)
    except Refusal as reason:
        raise UsageError(f"--policy: {reason}") from None
    # Under a pinned policy the organisation's name is what that policy says.
    return Trust(organisation=read_manifest(manifest()).about.organisation, policy=pinned, minimum_version=1)


def _code(judged: JudgedPack, trust: Trust | None) -> int:
    if judged.defects:
        return outcome_of(judged.defects[0].refusal.code)
    if trust is None or judged.unjudged or not judged.compared:
        return Outcome.WARNINGS
    return Outcome.VERIFIED


def _draw(drawn: Screen, judged: JudgedPack, arguments: Namespace, trust: Trust | None, took: float) -> None:
    about = judged.manifest.about
    if judged.defects or judged.counted is None:
        drawn.answer(Mark.FAILED, f"{counted(judged.defects)} with this pack: believe nothing in it")
        draw_defects(drawn, judged.defects)
        drawn.next("Keep the pack, and list all of it for whoever asks", _again(arguments, "--json"))
        return
    if trust is None:
        drawn.answer(Mark.WARNING, "this pack agrees with itself; nothing here says whose it is")
    else:
        drawn.answer(Mark.DONE, f"everything in this pack holds: {about.organisation}")
    drawn.facts(_facts(judged, took))
    if not judged.compared:
        drawn.warn(
            f"quorumseal {about.program} made its tables, texts and page: this is another version, and did "
            "not compare them with the log"
        )
    if judged.unjudged:
        drawn.warn(
            f"{judged.unjudged} timestamps were not judged: rfc3161-client is not installed here. They only "
            "matter where a key was revoked"
        )
    if trust is None:
        drawn.warn("compare this digest with one that you got over another way:")
        drawn.line(f"  {about.policy}")
        drawn.next("If it is the same", _again(arguments, "--policy", about.policy))
    else:
        drawn.next("Look at the period", ["python", "-m", "webbrowser", str(arguments.pack / "summary.html")])


def _facts(judged: JudgedPack, took: float) -> list[tuple[str, str]]:
    about, sums = judged.manifest.about, judged.counted
    assert sums is not None  # noqa: S101 - nothing was wrong
    states = ", ".join(f"{number} {state}" for state, number in sums.by_state.items())
    return [
        ("  period", str(about.period)),
        ("  ceremonies", f"{sums.ceremonies:,}, each replayed by the rules: {states or 'none'}"),
        ("  decisions", f"{sums.decisions:,}, by {sums.people} signers"),
        ("  signatures", f"{judged.signatures:,} statements, each by a key of its signer"),
        ("  log", f"{judged.entries:,} entries here, of the {about.size:,} under its signed checkpoint"),
        ("  until", _until(judged)),
        ("  bundles", f"{judged.bundles:,}, as the log has them; {len(about.unpublished)} not published"),
        ("  files", f"{judged.files:,}, none changed, missing or added"),
        ("  took", f"{took:.1f} s"),
    ]


def _until(judged: JudgedPack) -> str:
    """Say how far the log goes: whether it went on, nothing in the pack can tell."""
    assert judged.last is not None  # noqa: S101 - nothing was wrong
    return f"{instant_text(judged.last)}; only a newer checkpoint (--held) tells if it went on"


def _again(arguments: Namespace, *more: str) -> list[str]:
    return [*verify_words(), str(arguments.pack), *more]


def _json(judged: JudgedPack, *, pinned: bool) -> dict[str, Json]:
    about, sums = judged.manifest.about, judged.counted
    return {
        "verified": not judged.defects and pinned,
        "pinned": pinned,
        "organisation": about.organisation,
        "policy": about.policy,
        "log": {"origin": about.log, "size": about.size, "root": about.root},
        "period": about.period.to_json(),
        "files": judged.files,
        "entries": judged.entries,
        "signatures": judged.signatures,
        "ceremonies": sums.ceremonies if sums else None,
        "by_state": dict(sums.by_state) if sums else None,
        "decisions": sums.decisions if sums else None,
        "bundles": judged.bundles,
        "unpublished": [*about.unpublished],
        "timestamps_not_judged": judged.unjudged,
        "compared": judged.compared,
        "defects": [each.to_json() for each in judged.defects],
    }
