# SPDX-License-Identifier: Apache-2.0
"""``bundle timestamps``: whatever somebody else than the log says about times, as files for openssl."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quorumseal.ceremony.chain import replay_chain
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli.files import read_bundle_file, read_trust_file, write_new
from quorumseal.cli.output import print_json, screen
from quorumseal.signatures import Timestamp
from quorumseal.terminal import Mark, instant_text, paste
from quorumseal.verifier.bundle import Bundle, read_bundle
from quorumseal.verifier.errors import TimestampMissingError
from quorumseal.verifier.policy_chain import PolicyChain, policy_chain
from quorumseal.verifier.timestamping import judge_stamps


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    name: str
    what: str
    message: bytes
    timestamp: Timestamp
    root: str


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``bundle timestamps`` takes."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the published file")
    parser.add_argument("--trust", required=True, type=Path, help="the trust file of the organisation")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="the folder for the files")


def timestamps(arguments: Namespace) -> int:
    """Write the timestamps of a bundle as files that openssl can check.

    NAME.tst holds the token, NAME.stamped the exact bytes that it is of, AUTHORITY.pem the certificate that
    the policy pins.  1 is the conclusion of the first ceremony, 1-alice what alice decided in it.
    """
    bundle = read_bundle(read_bundle_file(arguments.bundle))
    chain = policy_chain(bundle.policies, read_trust_file(arguments.trust))
    found = [*_conclusions(bundle, chain), *_decisions(bundle, chain)]
    if not found:
        raise TimestampMissingError(
            "expected a bundle with timestamps, got one in which nobody but the log says when",
            hint="agents and coordinators ask for them where their settings say [timestamps]",
        )
    for each in found:
        base = arguments.out / each.name
        write_new(base.with_name(f"{each.name}.tst"), each.timestamp.token)
        write_new(base.with_name(f"{each.name}.stamped"), each.message)
        write_new(arguments.out / f"{each.timestamp.authority}.pem", each.root.encode())
    commands = [_command(each, arguments.out) for each in found]
    if arguments.json:
        rows = zip(found, commands, strict=True)
        print_json({"timestamps": [{**_json(each), "command": paste(command)} for each, command in rows]})
        return 0
    drawn = screen()
    count = f"{len(found)} timestamp{'' if len(found) == 1 else 's'}"
    drawn.answer(Mark.DONE, f"wrote {count} to {arguments.out}, each by an authority of the policy")
    drawn.table(
        ["file", "of", "by", "authority"],
        [
            [f"{each.name}.tst", each.what, instant_text(each.timestamp.latest), each.timestamp.authority]
            for each in found
        ],
    )
    drawn.next("Let openssl check the first", commands[0])
    return 0


def _conclusions(bundle: Bundle, chain: PolicyChain) -> Iterator[_Found]:
    judged = judge_stamps(bundle.timestamps, bundle.parts, chain.of, required=False)
    for number, part in enumerate(bundle.parts, start=1):
        ceremony = replay_chain(part.entries, chain.of(part)).id
        for again, stamp in enumerate(judged.get(ceremony, ())):
            yield _Found(
                name=f"{number}.{again}" if again else f"{number}",
                what="a conclusion",
                message=part.checkpoint,
                timestamp=stamp,
                root=_root(stamp, chain),
            )


def _decisions(bundle: Bundle, chain: PolicyChain) -> Iterator[_Found]:
    for number, part in enumerate(bundle.parts, start=1):
        ceremony = replay_chain(part.entries, chain.of(part)).ceremony
        for signer, stamp in sorted(ceremony.stamps.items()):
            decision = ceremony.decisions[signer]
            yield _Found(
                name=f"{number}-{signer}",
                what=f"the {decision.statement.choice} of {signer}",
                message=decision.envelope.stamped,
                timestamp=stamp,
                root=_root(stamp, chain),
            )


def _root(stamp: Timestamp, chain: PolicyChain) -> str:
    return next(
        authority.pem
        for policy in reversed(chain.versions)
        for authority in policy.policy.timestamping
        if authority.name == stamp.authority
    )


def _command(found: _Found, out: Path) -> list[str]:
    base = str(out / found.name)
    root = str(out / f"{found.timestamp.authority}.pem")
    verify = ["openssl", "ts", "-verify", "-token_in", "-in", f"{base}.tst"]
    return [*verify, "-data", f"{base}.stamped", "-CAfile", root]


def _json(found: _Found) -> dict[str, str]:
    return {
        "name": found.name,
        "of": found.what,
        "authority": found.timestamp.authority,
        "at": exact(found.timestamp.at),
        "proves": exact(found.timestamp.latest),
    }
