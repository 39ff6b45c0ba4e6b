# SPDX-License-Identifier: Apache-2.0
"""The next key of the log, on the coordinator's own machine: ``quorumseal coordinator rotate-log-key``."""

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from coordinator.settings import Settings, read_settings
from quorumseal.signatures import Ed25519PrivateKey, Scheme, generate_key
from quorumseal.terminal import Mark, Screen

if TYPE_CHECKING:
    from coordinator.log_rotation import NextLogKey
    from quorumseal.ceremony.policy import Policy


def add_log_key_arguments(parser: ArgumentParser) -> None:
    """Describe what ``rotate-log-key`` takes."""
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the next policy here, to be proposed")
    parser.add_argument(
        "--rehearse", action="store_true", help="go through all of it on a copy, and touch nothing"
    )


def rotate_log_key(arguments: Namespace) -> int:
    """Make the log's next key, and say what the next policy has to name; then take it over.

    The first time it makes a key beside today's and names it in the settings: restart the coordinator, and
    have somebody who governs propose the policy.  The coordinator signs with the new key from the entry on
    that brings that policy.  The same command after that ends with the settings naming the new key alone.
    """
    from coordinator.log_rotation import next_log_key
    from coordinator.policies import Policies
    from coordinator.storage import Storage

    settings = read_settings(arguments.settings)
    if arguments.rehearse:
        return _rehearse(arguments, settings)
    storage = Storage(settings.database)
    try:
        current = Policies(storage).newest
        key = _next_key(arguments.settings, settings)
        if current.policy.log.keys[-1].key == key.public:
            return _take_over(arguments, read_settings(arguments.settings))
        following = next_log_key(storage, current, key.public)
    finally:
        storage.close()
    return _say_next(arguments, following)


def _next_key(file: Path, settings: Settings) -> Ed25519PrivateKey:
    from coordinator.log_rotation import make_next_key
    from coordinator.named_files import read_passphrase
    from coordinator.server import read_log_key

    if settings.next_log_key is None:
        read_log_key(settings.log_key)  # its passphrase opens it, and so will open the next one
        return make_next_key(settings, read_passphrase(settings.log_key.passphrase_file), file)
    return read_log_key(settings.next_log_key)


def _say_next(arguments: Namespace, following: "NextLogKey") -> int:
    from quorumseal.ceremony.policy_writing import policy_text

    key = following.key
    if arguments.out is not None:
        with arguments.out.open("x", encoding="utf-8") as file:
            file.write(policy_text(following.policy))
    if arguments.json:
        _json(
            {
                "key": key.key.key_id,
                "from_size": key.from_size,
                "from_root": key.from_root,
                "version": following.policy.version,
                "out": None if arguments.out is None else str(arguments.out),
            }
        )
        return 0
    drawn = _screen()
    drawn.answer(Mark.DONE, "the log's next key is made, and the settings name it")
    drawn.heading(f"Policy version {following.policy.version} names it, after the keys that the log has had")
    for line in following.lines:
        drawn.line(f"    {line}")
    drawn.heading("Then")
    drawn.item(Mark.WAITING, "restart the coordinator: it takes no policy with a key that it does not hold")
    source = "policy.toml" if arguments.out is None else str(arguments.out)
    drawn.item(Mark.WAITING, "have the policy proposed and approved; it signs with the new key from then on")
    drawn.next("Whoever governs the policy", ["quorumseal", "policy", "propose", source])
    return 0


def _take_over(arguments: Namespace, settings: Settings) -> int:
    from coordinator.log_rotation import take_over

    if settings.next_log_key is None:
        raise AssertionError("the settings have named the next key")
    former = take_over(settings, arguments.settings)
    if arguments.json:
        _json({"file": str(settings.next_log_key.file), "former": str(former)})
        return 0
    drawn = _screen()
    drawn.answer(Mark.DONE, "the policy in force names the new key, and the settings name it alone")
    drawn.facts([("  file", str(settings.next_log_key.file)), ("  retired", str(former))])
    drawn.item(Mark.WARNING, "the retired key proves nothing under this policy; destroy it with its backups")
    drawn.next("See that all is well", ["quorumseal", "coordinator", "doctor"])
    return 0


def _rehearse(arguments: Namespace, settings: Settings) -> int:
    from coordinator.log_rotation import next_log_key
    from coordinator.policies import Policies
    from coordinator.rebuilding import rebuild
    from coordinator.rehearsing import Rehearsal, copy_database
    from coordinator.storage import Storage

    with TemporaryDirectory(prefix="quorumseal-rehearsal-") as name:
        folder = Path(name)
        copied = copy_database(settings.database, folder)
        whole = rebuild(copied)
        storage = Storage(copied)
        first, second = (generate_key(Scheme.ED25519, os.urandom) for _ in range(2))
        try:
            current = Policies(storage).newest
            real = next_log_key(storage, current, second.public)
        finally:
            storage.close()
        rehearsal = Rehearsal.begin(
            folder, current.policy, (first, second), at=datetime.now(UTC), randomness=os.urandom
        )
        try:
            before = rehearsal.release()
            following = next_log_key(rehearsal.storage, rehearsal.policy, second.public)
            rehearsal.adopt(following.policy)
            after = rehearsal.release()
        finally:
            rehearsal.close()
    versions = before.policy.policy.version, after.policy.policy.version
    if arguments.json:
        _json(
            {
                "rehearsed": True,
                "entries": whole.entries,
                "from_size": real.key.from_size,
                "from_root": real.key.from_root,
                "verified_under": [*versions],
            }
        )
        return 0
    drawn = _screen()
    drawn.answer(Mark.DONE, "rehearsed to its end, on a copy and with throw-away keys; nothing was touched")
    drawn.item(Mark.DONE, f"the copy of the log is whole: {whole.entries} entries")
    drawn.item(Mark.DONE, f"the next key would begin at size {real.key.from_size}")
    drawn.line(f"    {real.key.from_root}")
    drawn.item(Mark.DONE, f"a release before the change is verified, under version {versions[0]}")
    drawn.item(Mark.DONE, "both sides of the governance approved the change")
    drawn.item(Mark.DONE, f"a release after it is verified by the first trust file, version {versions[1]}")
    drawn.next("In earnest", _in_earnest("rotate-log-key", arguments))
    return 0


def add_authority_arguments(parser: ArgumentParser) -> None:
    """Describe what ``rotate-authority`` takes."""
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the next policy here, to be proposed")
    parser.add_argument(
        "--switch", action="store_true", help="let the next authority issue, once everybody trusts it"
    )
    parser.add_argument(
        "--rehearse", action="store_true", help="go through all of it on a copy, and touch nothing"
    )


def rotate_authority(arguments: Namespace) -> int:
    """Rotate the certificate authority, a step each time; it says what comes next.

    Make the next one beside today's, and have a policy list both.  Then let in what it issues: everybody gets
    both whenever their certificate renews.  When everybody has, --switch: it issues from then on, the
    server's own certificate first.  Once a policy lists it alone, the former one lets nobody in any more.
    """
    from coordinator import authority_rotation as steps
    from coordinator.policies import Policies
    from coordinator.storage import Storage

    settings = read_settings(arguments.settings)
    if arguments.rehearse:
        return _rehearse_authority(arguments, settings)
    storage = Storage(settings.database)
    try:
        current = Policies(storage).newest
    finally:
        storage.close()
    at, file = datetime.now(UTC), arguments.settings
    rotating = steps.look(settings, current.policy)
    if arguments.switch:
        steps.switch(settings, rotating, file, at=at)
        said = "the next authority issues from now on; the server has a certificate of it"
        return _say_policy(arguments, said, steps.next_alone(current, rotating), "restart the coordinator")
    match rotating.stage:
        case steps.Stage.NONE:
            if gone := steps.retire(settings, current.policy):
                return _say_step(arguments, f"{gone} authority lets nobody in any more", "destroy its key")
            steps.make_next(settings, rotating, file, at=at)
            rotating = steps.look(read_settings(file), current.policy)
            said = "the next authority is made, and the settings name it"
            return _say_policy(arguments, said, steps.both_listed(current, rotating), "back its key up")
        case steps.Stage.MADE:
            said = "the next authority is there, and no policy lists it yet"
            return _say_policy(arguments, said, steps.both_listed(current, rotating), "")
        case steps.Stage.LISTED:
            steps.let_in(settings, rotating)
            wait = f"restart the coordinator; in {rotating.files.lifetime.days} days everybody has renewed"
            return _say_step(arguments, "what the next authority issues is let in, too", wait)
        case steps.Stage.TRUSTED:
            wait = "once everybody has renewed: rotate-authority --switch"
            return _say_step(arguments, "both authorities are trusted, and today's issues", wait)


def _say_policy(arguments: Namespace, said: str, policy: "Policy", then: str) -> int:
    from quorumseal.ceremony.policy_writing import policy_text

    if arguments.out is not None:
        with arguments.out.open("x", encoding="utf-8") as file:
            file.write(policy_text(policy))
    if arguments.json:
        _json({"done": said, "authorities": [*policy.authorities], "version": policy.version})
        return 0
    drawn = _screen()
    drawn.answer(Mark.DONE, said)
    drawn.heading(f"Policy version {policy.version} lists, the one that issues first")
    drawn.line("    authorities = [")
    for digest in policy.authorities:
        drawn.line(f'      "{digest}",')
    drawn.line("    ]")
    if then:
        drawn.item(Mark.WAITING, then)
    source = "policy.toml" if arguments.out is None else str(arguments.out)
    drawn.next("Whoever governs the policy", ["quorumseal", "policy", "propose", source])
    return 0


def _say_step(arguments: Namespace, said: str, then: str) -> int:
    if arguments.json:
        _json({"done": said, "then": then})
        return 0
    drawn = _screen()
    drawn.answer(Mark.DONE, said)
    drawn.item(Mark.WAITING, then)
    words = ["quorumseal", "coordinator", "rotate-authority", "--settings", str(arguments.settings)]
    drawn.next("What comes next", words)
    return 0


def _rehearse_authority(arguments: Namespace, settings: Settings) -> int:
    from coordinator.handshaking import rehearse_handshakes
    from coordinator.policies import Policies
    from coordinator.rebuilding import rebuild
    from coordinator.rehearsing import Rehearsal, copy_database
    from coordinator.storage import Storage
    from quorumseal.ceremony.rotating import succeed

    with TemporaryDirectory(prefix="quorumseal-rehearsal-") as name:
        folder, at = Path(name), datetime.now(UTC)
        copied = copy_database(settings.database, folder)
        whole = rebuild(copied)
        storage = Storage(copied)
        try:
            policy = Policies(storage).newest.policy
        finally:
            storage.close()
        handshakes = rehearse_handshakes(settings.organisation, folder, at=at)
        log_key = generate_key(Scheme.ED25519, os.urandom)
        rehearsal = Rehearsal.begin(folder, policy, [log_key], at=at, randomness=os.urandom)
        try:
            rehearsal.adopt(succeed(rehearsal.policy, authorities=handshakes.authorities))
            rehearsal.adopt(succeed(rehearsal.policy, authorities=handshakes.authorities[1:]))
            after = rehearsal.release()
        finally:
            rehearsal.close()
    version = after.policy.policy.version
    if arguments.json:
        _json({"rehearsed": True, "entries": whole.entries, "connections": [*handshakes.made]})
        return 0
    drawn = _screen()
    drawn.answer(Mark.DONE, "rehearsed to its end, on a copy and with throw-away keys; nothing was touched")
    drawn.item(Mark.DONE, f"the copy of the log is whole: {whole.entries} entries")
    for made in handshakes.made:
        drawn.item(Mark.DONE, made)
    drawn.item(
        Mark.DONE, f"a release after both changes is verified by the first trust file, version {version}"
    )
    drawn.next("In earnest", _in_earnest("rotate-authority", arguments))
    return 0


def _in_earnest(verb: str, arguments: Namespace) -> list[str]:
    """Return the command that was rehearsed, with every other option that was typed."""
    words = ["quorumseal", "coordinator", verb, "--settings", str(arguments.settings)]
    if arguments.out is not None:
        words += ["--out", str(arguments.out)]
    return [*words, "--switch"] if getattr(arguments, "switch", False) else words


def _screen() -> Screen:
    return Screen.on(sys.stdout, sys.stderr, os.environ)


def _json(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
