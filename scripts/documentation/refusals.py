# SPDX-License-Identifier: Apache-2.0
"""Every refusal of the three packages: its code, its reason, its exit code, its gRPC status."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

from quorumseal.refusal import Refusal
from quorumseal.verifier.outcomes import Outcome, outcome_of

ROOT: Final = Path(__file__).parent.parent.parent
_PACKAGES: Final = ("quorumseal", "coordinator", "signer_agent")
_HAS_CODE: Final = re.compile(r"^    code(?:: ClassVar\[str\])? = \"", re.MULTILINE)
EXIT_MEANINGS: Final[dict[Outcome, str]] = {
    Outcome.VERIFIED: "everything that was asked about is verified, or the command did what it says",
    Outcome.UNEXPECTED: "nothing was decided: a file is not what it should be, or something failed",
    Outcome.USAGE: "the command was not written as its help says",
    Outcome.OTHER_BYTES: "the artifact is not the one that was approved",
    Outcome.NOT_AUTHORISED: "whoever signed or asked may not",
    Outcome.QUORUM_SHORT: "the quorum is not met",
    Outcome.NO_BUNDLE: "there is no bundle",
    Outcome.REVOKED: "the release was taken back, or is short without revoked keys; a status file proves it",
    Outcome.PENDING: "the ceremony is open, and the time to wait is over",
    Outcome.ENDED: "the ceremony expired, was cancelled or superseded",
    Outcome.REJECTED: "the ceremony was rejected",
    Outcome.PROVISIONAL: "an emergency released it, and nobody ratified it",
    Outcome.WARNINGS: "verified, but with something to look at, or (in an audit) nothing to look at",
    Outcome.LAPSED: "an emergency was not ratified in time, or is past its provisional end",
    Outcome.LOG_PROOF: "the log does not prove what the bundle or the coordinator says",
    Outcome.POLICY_CHAIN: "the policy is not the pinned one, or not one that can be used",
    Outcome.BAD_SIGNATURE: "a signature is not that of whom it names",
    Outcome.UNLOGGED: "the decisions are in no log",
    Outcome.DRILL: "everything holds, under a policy for exercises",
    Outcome.NEWER_FORMAT: "a newer version of quorumseal may know what this is",
    Outcome.STATUS_STALE: "the status file is missing, too old or not the log's",
    Outcome.UNREACHABLE: "the coordinator does not answer, or cannot do it now",
    Outcome.INTERRUPTED: "somebody pressed Ctrl-C",
}


def codes_of(root: type[Refusal], prefixes: tuple[str, ...] = ("",)) -> list[tuple[str, str]]:
    """Return code and reason of every refusal whose code begins so, in order."""
    _import_all()
    found: dict[str, str] = {}
    for refusal in _family(root):
        if "code" in vars(refusal) and refusal.code.startswith(prefixes):
            about = (refusal.__doc__ or "").strip().splitlines()[0].rstrip(".")
            if about.startswith("Base of "):
                continue
            if about not in found.setdefault(refusal.code, about):
                found[refusal.code] += f"; or: {about}"
    return sorted(found.items())


def table() -> str:
    """Return ``refusals.md``."""
    rows = [f"| `{code}` | {about} | {int(outcome_of(code))} |" for code, about in codes_of(Refusal)]
    return "\n".join([_HEAD, *rows, ""])


def _family(root: type[Refusal]) -> Iterator[type[Refusal]]:
    for child in root.__subclasses__():
        yield child
        yield from _family(child)


def _import_all() -> None:
    for package in _PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if _HAS_CODE.search(path.read_text()):
                import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


_HEAD: Final = """\
# Refusal codes

Every *no* has a code. It is stable: a program may depend on it, and a code never changes its meaning. The
sentence beside it (what was expected, what came) and the hint are for people and may change. The code decides
the [exit code](spec/verification.md#outcomes) of a command, and the [status](spec/rpc.md#refusals) of a call.

| code | refused because | exit |
|---|---|---|"""
