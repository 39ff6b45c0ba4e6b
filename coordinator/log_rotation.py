# SPDX-License-Identifier: Apache-2.0
"""The log's next key: made beside today's, named in the settings, and taken over once a policy lists it."""

import os
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from coordinator.settings import Settings, SettingsError
from coordinator.storage import Storage
from quorumseal.ceremony.policy import LogKey, Policy
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.rotating import succeed
from quorumseal.signatures import Ed25519PrivateKey, PublicKey, Scheme, generate_key, write_key_file
from quorumseal.tlog import hash_text
from quorumseal.toml_lines import with_text, without

_SUFFIX = ".key.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextLogKey:
    """What the next policy says of the log: another key, and where it begins."""

    key: LogKey
    policy: Policy

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines that ``policy.toml`` gets at the end of its log's keys."""
        return (
            "[[log.keys]]",
            f'scheme = "{self.key.key.scheme}"',
            f'spki = "{b64encode(self.key.key.spki).decode()}"',
            f"from_size = {self.key.from_size}",
            f'from_root = "{self.key.from_root}"',
        )


def next_log_key(storage: Storage, current: SignedPolicy, key: PublicKey) -> NextLogKey:
    """Return the policy that follows, in which a key signs from the log's head on."""
    head = storage.log.head()
    added = LogKey(key=key, from_size=head.size, from_root=hash_text(head.root))
    log = current.policy.log
    return NextLogKey(key=added, policy=succeed(current, log=replace(log, keys=(*log.keys, added))))


def make_next_key(settings: Settings, passphrase: bytes | None, file: Path) -> Ed25519PrivateKey:
    """Make a key under today's passphrase, and name it in the settings."""
    key = generate_key(Scheme.ED25519, os.urandom)
    assert isinstance(key, Ed25519PrivateKey)  # noqa: S101 - that is what was asked for
    new = free_file(settings.log_key.file)
    write_secret(new, write_key_file(key, passphrase))
    edit(file, lambda text: with_text(text, "log_key", "next", shown(file, new)))
    return key


def take_over(settings: Settings, file: Path) -> Path:
    """Let the settings name the next key alone; return where the retired one is."""
    following = settings.next_log_key
    assert following is not None  # noqa: S101 - whoever calls has seen it
    edit(
        file,
        lambda text: without(
            with_text(text, "log_key", "file", shown(file, following.file)), "log_key", "next"
        ),
    )
    return settings.log_key.file


def free_file(file: Path) -> Path:
    """Return ``log.2.key.pem`` beside ``log.key.pem``, or the next number that is free."""
    stem = file.name.removesuffix(_SUFFIX).rstrip("0123456789").rstrip(".")
    files = (file.with_name(f"{stem}.{number}{_SUFFIX}") for number in count(2))
    return next(each for each in files if not each.exists())


def edit(file: Path, change: Callable[[str], str]) -> None:
    """Write the settings anew, whole or not at all."""
    try:
        changed = change(file.read_text())
    except ValueError as error:
        raise SettingsError(f"settings: {error}", hint="write one setting on a line") from None
    draft = file.with_name(f".{file.name}.new")
    draft.write_text(changed)
    draft.chmod(file.stat().st_mode)
    draft.replace(file)


def shown(settings: Path, file: Path) -> str:
    """Return how the settings name a file: relative to their folder, where it is in there."""
    folder = settings.resolve().parent
    return str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)


def write_secret(file: Path, data: bytes) -> None:
    """Write a new file for its owner alone; on the disk when this returns."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
