# SPDX-License-Identifier: Apache-2.0
"""Say whether a fork-proof file convicts the log, by the log's public keys alone.

One size with two roots convicts: only the log could sign both.  Two sizes accuse: the log answers by a proof
that leads from the smaller one to the larger one, if it has one; --ask asks for it.  The keys come from the
policy chain of a bundle or of a home, which begins at the trust file.  Exit 0: it convicts; 12: it accuses.
"""

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from quorumseal.ceremony.policy import Log
from quorumseal.cli.desk import add_home, command, open_desk
from quorumseal.cli.files import read_bundle_file, read_file, read_trust_file
from quorumseal.cli.output import print_json, screen
from quorumseal.refusal import Refusal
from quorumseal.terminal import Mark, Screen
from quorumseal.tlog import (
    ForkProof,
    NotAForkError,
    TlogError,
    hash_text,
    read_fork_proof,
    verify_consistency,
)
from quorumseal.tlog.note import MAX_NOTE_BYTES
from quorumseal.verifier.bundle import read_bundle
from quorumseal.verifier.outcomes import Outcome
from quorumseal.verifier.part import open_log_checkpoint
from quorumseal.verifier.policy_chain import walk
from signer_agent.cli.opening import trust_file
from signer_agent.home import Home, find_home
from signer_agent.kept import kept_policies
from signer_agent.settings import read_settings

_MOST_BYTES = 4 * MAX_NOTE_BYTES


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``audit fork-proof`` takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the fork-proof file that an agent wrote")
    parser.add_argument(
        "--trust", type=Path, metavar="FILE", help="the trust file (default: that of the home)"
    )
    parser.add_argument(
        "--bundle",
        type=Path,
        metavar="FILE",
        help="a bundle of the organisation, for its policies; the newest that you have (default: the home)",
    )
    parser.add_argument(
        "--ask",
        action="store_true",
        help="ask the home's coordinator for the proof that would answer it",
    )
    add_home(parser)
    parser.epilog = (
        "example:\n  quorumseal audit fork-proof fork-proof-1a2b3c.json --trust trust.json "
        "--bundle new.quorumseal.json"
    )


def run(arguments: Namespace) -> int:
    """Judge it."""
    log = _log(arguments)
    data = read_file(arguments.file, "a fork proof", _MOST_BYTES)
    proof = read_fork_proof(data, log.origin, [key.key for key in log.keys])
    retired = tuple(note for note in (proof.first, proof.second) if not _by_key_of_its_size(note, log))
    convicts = proof.conclusive and not retired
    answer = "" if convicts or not arguments.ask else _asked(arguments, proof)
    if arguments.json:
        checkpoints = (proof.first_checkpoint, proof.second_checkpoint)
        print_json(
            {
                "log": log.origin,
                "convicts": convicts,
                "sizes": [each.size for each in checkpoints],
                "roots": [hash_text(each.root) for each in checkpoints],
                "proof_given": proof.given is not None,
                "signed_by_retired_key": bool(retired),
                "answer": answer or None,
            }
        )
    else:
        _draw(screen(), arguments, proof, convicts=convicts, retired=bool(retired), answer=answer)
    return 0 if convicts else Outcome.WARNINGS


def _log(arguments: Namespace) -> Log:
    """Return who signs for the log, by the newest policy that a bundle or the home holds."""
    if arguments.bundle is not None and arguments.trust is not None:
        trust = read_trust_file(arguments.trust)
        return walk(read_bundle(read_bundle_file(arguments.bundle)).policies, trust).policy.log
    home = Home.open(find_home(arguments.home, os.environ))
    trust = trust_file(arguments.trust or read_settings(home.settings_file).trust)
    if arguments.bundle is not None:
        return walk(read_bundle(read_bundle_file(arguments.bundle)).policies, trust).policy.log
    return walk(kept_policies(home), trust).policy.log


def _by_key_of_its_size(note: bytes, log: Log) -> bool:
    """Whether the log signed with the key for that size: a retired key may be in anybody's hands."""
    try:
        open_log_checkpoint(note, log)
    except TlogError:
        return False
    return True


def _asked(arguments: Namespace, proof: ForkProof) -> str:
    """Ask for the proof that an honest log has; refuse a file that it answers, say what came otherwise."""
    checkpoints = (proof.first_checkpoint, proof.second_checkpoint)
    old, new = sorted(checkpoints, key=lambda checkpoint: checkpoint.size)
    if old.size == new.size:
        return "one size has one root: there is nothing to ask for"
    with open_desk(arguments) as desk:
        try:
            answer = desk.connection.consistency(old.size, new.size).proof
        except Refusal as refusal:
            return f"it gave none: [{refusal.code}]"
    try:
        verify_consistency(old.size, old.root, new.size, new.root, answer)
    except TlogError:
        return "it gave one that does not lead there"
    raise NotAForkError(
        f"expected a contradiction, but the log gave a proof that leads from size {old.size} to {new.size}",
        hint="the log has answered: whoever wrote the file was given another proof, or spoilt it",
    )


def _draw(
    drawn: Screen, arguments: Namespace, proof: ForkProof, *, convicts: bool, retired: bool, answer: str
) -> None:
    first, second = proof.first_checkpoint, proof.second_checkpoint
    if convicts:
        drawn.answer(Mark.DONE, f"it convicts the log {first.origin}: it signed two histories")
    else:
        drawn.answer(Mark.WARNING, f"it accuses the log {first.origin}, and does not convict it alone")
    drawn.facts(
        [
            ("  first", f"{first.size} entries, root {first.root.hex()[:32]}…"),
            ("  second", f"{second.size} entries, root {second.root.hex()[:32]}…"),
            *([("  proof", _given(proof))] if first.size != second.size else []),
            *([("  keys", "a key signed that the log had for other sizes")] if retired else []),
            *([("  asked", answer)] if answer else []),
        ]
    )
    if convicts:
        drawn.line("  Only the log's key could make it. Stop, and keep every copy of the log.")
    elif not answer:
        words = ["audit", "fork-proof", str(arguments.file), "--ask"]
        drawn.next("Ask the log for the proof that would answer it", command(arguments, *words))
    else:
        drawn.line("  An honest log can answer. Ask its operator, and compare what others hold.")


def _given(proof: ForkProof) -> str:
    return "none was given" if proof.given is None else f"{len(proof.given)} hashes were given, which fail"
