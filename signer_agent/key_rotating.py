# SPDX-License-Identifier: Apache-2.0
"""Another signing key in a home: made beside the old one, and taken over once a policy in force lists it.

Each step leaves a home that works.  The settings name the new key before any policy does, and the agent uses
it only where one does; so a rotation that was interrupted, or that nobody approved, is gone on with by the
same command, with the same key and the same word on it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from quorumseal.ceremony.key_rotation import KeyRotation, read_rotation, sign_rotation
from quorumseal.ceremony.policy import Policy, Signer, SignerKey
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.values import whole_milliseconds
from quorumseal.signatures import PrivateKey, generate_key, read_key_file, write_key_file
from quorumseal.strict_json import write
from quorumseal.toml_lines import with_text, without
from signer_agent.errors import KeyStillNeededError, NoRotationError, SettingsError
from signer_agent.home import Home, write_whole
from signer_agent.review import Review
from signer_agent.settings import Settings

Randomness = Callable[[int], bytes]
_SUFFIX = ".key.pem"
_STATEMENT_SUFFIX = ".rotation.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Both keys, and what they both signed."""

    old: PrivateKey
    new: PrivateKey
    file: Path
    """Where the new key is."""
    statement_file: Path
    statement: bytes
    at: datetime
    begun_before: bool

    def key_for(self, policy: SignedPolicy) -> PrivateKey:
        """Return the key that signs under a policy."""
        (signer,) = (s for s in policy.policy.signers.values() if self.old.public in _keys(s))
        return self.new if self.new.public in _keys(signer) else self.old


def begin_rotation(
    home: Home,
    settings: Settings,
    policy: Policy,
    old: PrivateKey,
    passphrase: bytes | None,
    *,
    at: datetime,
    randomness: Randomness,
) -> Rotation:
    """Make the next key beside the old one, under the same passphrase; the same again where there is one."""
    if settings.next_key is not None:
        return _begun(settings, settings.next_key.file, policy, old, passphrase)
    at, file = whole_milliseconds(at), _free(settings.key_file)
    new = generate_key(old.public.scheme, randomness)
    rotation = KeyRotation(
        organisation=policy.organisation,
        signer=settings.name,
        old=old.public.key_id,
        new=new.public,
        signed_at=at,
    )
    statement = write(sign_rotation(rotation, old, new).to_json())
    read_rotation(statement, policy)
    write_whole(file, write_key_file(new, passphrase))
    write_whole(_statement_file(file), statement)
    _edit(home, lambda text: _named(text, _shown(home, file), new))
    return Rotation(
        old=old,
        new=new,
        file=file,
        statement_file=_statement_file(file),
        statement=statement,
        at=at,
        begun_before=False,
    )


def in_force(settings: Settings, policy: Policy, *, at: datetime) -> SignerKey | None:
    """Return the next key as the policy lists it, if it may sign now."""
    following = settings.next_key
    keys = policy.signer(settings.name).keys
    return next((k for k in keys if following and k.key.key_id == following.key_id and k.valid_at(at)), None)


def finish_rotation(
    home: Home, settings: Settings, policy: Policy, waiting: list[Review], *, at: datetime
) -> Path:
    """Let the settings name the new key alone; return the old one's file, which nothing needs any more.

    What was opened before a policy knew the new key can be decided with the old one only: it comes first.
    """
    following = settings.next_key
    if following is None:
        raise NoRotationError(
            "expected a rotation that was begun, got none", hint="begin one: `quorumseal key rotate`"
        )
    if in_force(settings, policy, at=at) is None:
        raise NoRotationError(
            f"expected policy version {policy.version} to list {following.key_id}, got one that does not",
            hint="wait until both sides have approved the change; `quorumseal inbox` shows it",
        )
    for review in waiting:
        if in_force(settings, review.observation.policy.policy, at=at) is None:
            raise KeyStillNeededError(
                f"expected nothing that only the old key can decide, got ceremony "
                f"{review.request.statement.ceremony}, which waits for {settings.name}",
                hint="decide on it, or wait for its end; the agent takes the key that fits by itself",
            )
    _edit(home, lambda text: _taken_over(text, _shown(home, following.file)))
    return settings.key_file


def _begun(
    settings: Settings, file: Path, policy: Policy, old: PrivateKey, passphrase: bytes | None
) -> Rotation:
    statement_file = _statement_file(file)
    statement = statement_file.read_bytes()
    said = read_rotation(statement, policy)
    new = read_key_file(file.read_bytes(), passphrase)
    if (said.signer, said.old, said.new) != (settings.name, old.public.key_id, new.public):
        raise NoRotationError(
            f"expected {statement_file.name} to be about the keys in {settings.key_file.name} and "
            f"{file.name}, got it about others",
            hint="remove the lines next and next_id from agent.toml, then begin again",
        )
    return Rotation(
        old=old,
        new=new,
        file=file,
        statement_file=statement_file,
        statement=statement,
        at=said.signed_at,
        begun_before=True,
    )


def _keys(signer: Signer) -> set[object]:
    return {key.key for key in signer.keys}


def _free(key_file: Path) -> Path:
    """Return ``signing.2.key.pem`` beside ``signing.key.pem``, or the next number that is free."""
    stem = key_file.name.removesuffix(_SUFFIX).rstrip("0123456789").rstrip(".")
    files = (key_file.with_name(f"{stem}.{number}{_SUFFIX}") for number in count(2))
    return next(file for file in files if not file.exists())


def _statement_file(file: Path) -> Path:
    return file.with_name(file.name.removesuffix(_SUFFIX) + _STATEMENT_SUFFIX)


def _shown(home: Home, file: Path) -> str:
    """Return how the settings name a file: relative to the home, where it is in there."""
    return file.name if file.parent == home.path else str(file)


def _named(text: str, file: str, key: PrivateKey) -> str:
    text = with_text(text, "key", "next", file)
    return with_text(text, "key", "next_id", key.public.key_id)


def _taken_over(text: str, file: str) -> str:
    text = with_text(text, "key", "file", file)
    return without(without(text, "key", "next"), "key", "next_id")


def _edit(home: Home, change: Callable[[str], str]) -> None:
    """Write the settings anew, whole or not at all."""
    text = home.settings_file.read_text()
    try:
        changed = change(text)
    except ValueError as error:
        raise SettingsError(f"agent.toml: {error}", hint="write [key] with one setting on a line") from None
    write_whole(home.settings_file, changed.encode())
