# SPDX-License-Identifier: Apache-2.0
"""The next certificate authority: made beside today's, let in once a policy lists it, then issuing.

While both are listed everybody trusts both: people get the file with both whenever their certificate renews,
so nobody is locked out as long as the switch waits until everybody's has.
"""

import os
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, unique
from itertools import count
from pathlib import Path

from coordinator.certificates import Authority, look_at
from coordinator.enrolment_settings import AuthorityFiles
from coordinator.errors import NoNextAuthorityError
from coordinator.letting_in import read_authority
from coordinator.log_rotation import edit, shown, write_secret
from coordinator.named_files import read_passphrase
from coordinator.settings import Settings
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.rotating import succeed
from quorumseal.ceremony.values import digest_of
from quorumseal.toml_lines import with_text, without

LIFETIME = timedelta(days=3650)
SERVER_LIFETIME = timedelta(days=397)
_END = "-----END CERTIFICATE-----\n"


@unique
class Stage(StrEnum):
    """How far the rotation is."""

    NONE = "none"
    MADE = "made"
    """The next authority is there, and no policy lists it."""
    LISTED = "listed"
    """A policy lists it, and the coordinator does not let in what it issues."""
    TRUSTED = "trusted"
    """Both are trusted; today's issues."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotating:
    """Today's authority and the next one, and how far they are."""

    files: AuthorityFiles
    current: Authority
    next: Authority | None
    stage: Stage


def look(settings: Settings, policy: Policy) -> Rotating:
    """Return how far the rotation of the authority is."""
    files = settings.enrolment.authority
    if files is None:
        raise NoNextAuthorityError(
            "expected [authority] in the settings, got none",
            hint="add it while the authority rotates: its certificate, its key and what opens it",
        )
    current = read_authority(files, settings.organisation)
    if files.next is None:
        return Rotating(files=files, current=current, next=None, stage=Stage.NONE)
    following = read_authority(files.next, settings.organisation)
    digest = digest_of_pem(following.certificate_pem)
    if digest not in policy.authorities:
        stage = Stage.MADE
    elif digest not in trusted(settings):
        stage = Stage.LISTED
    else:
        stage = Stage.TRUSTED
    return Rotating(files=files, current=current, next=following, stage=stage)


def make_next(settings: Settings, rotating: Rotating, file: Path, *, at: datetime) -> Authority:
    """Make the next authority under today's passphrase, and name it in the settings."""
    files = rotating.files
    passphrase = read_passphrase(files.passphrase_file)
    made = Authority.create(settings.organisation, at=at, lifetime=LIFETIME, randomness=os.urandom)
    names = (f"authority.{number}" for number in count(2))
    name = next(n for n in names if not files.key.with_name(f"{n}.key.pem").exists())
    certificate, key = files.key.with_name(f"{name}.pem"), files.key.with_name(f"{name}.key.pem")
    write_secret(key, made.key_file(passphrase))
    certificate.write_bytes(made.certificate_pem)
    edit(
        file,
        lambda text: with_text(
            with_text(text, "authority", "next_certificate", shown(file, certificate)),
            "authority",
            "next_key",
            shown(file, key),
        ),
    )
    return made


def both_listed(current: SignedPolicy, rotating: Rotating) -> Policy:
    """Return the next policy, which lists today's authority first, then the next one."""
    assert rotating.next is not None  # noqa: S101 - whoever calls has made it
    old, new = (digest_of_pem(a.certificate_pem) for a in (rotating.current, rotating.next))
    others = [digest for digest in current.policy.authorities if digest not in (old, new)]
    return succeed(current, authorities=(old, new, *others))


def next_alone(current: SignedPolicy, rotating: Rotating) -> Policy:
    """Return the policy after the switch, which lists the new authority and the former one no more."""
    assert rotating.next is not None  # noqa: S101 - whoever calls has switched to it
    return succeed(current, authorities=(digest_of_pem(rotating.next.certificate_pem),))


def let_in(settings: Settings, rotating: Rotating) -> None:
    """Trust what the next authority issues, too; people get both whenever they renew."""
    assert rotating.next is not None  # noqa: S101 - whoever calls has seen it
    path = settings.tls.client_authorities
    _write_over(path, path.read_bytes().rstrip(b"\n") + b"\n" + rotating.next.certificate_pem)


def switch(settings: Settings, rotating: Rotating, file: Path, *, at: datetime) -> None:
    """Let the next authority issue from now on, the server's own certificate first."""
    if rotating.stage is not Stage.TRUSTED or rotating.next is None or rotating.files.next is None:
        raise NoNextAuthorityError(
            f"expected a next authority that is {Stage.TRUSTED}, got one that is {rotating.stage}",
            hint="run `quorumseal coordinator rotate-authority` without --switch: it says what comes next",
        )
    tls, following = settings.tls, rotating.files.next
    server = rotating.next.issue_server(
        sorted(look_at(tls.certificate.read_bytes())[0].hosts),
        at=at,
        lifetime=SERVER_LIFETIME,
        randomness=os.urandom,
    )
    edit(file, lambda text: _switched(text, file, following))
    _write_over(tls.key, server.private_key_pem)
    _write_over(tls.certificate, server.certificate_pem)


def retire(settings: Settings, policy: Policy) -> int:
    """Let in only what authorities issued that the policy lists; return how many are gone."""
    path = settings.tls.client_authorities
    blocks = _blocks(path.read_bytes())
    kept = [block for block in blocks if digest_of_pem(block) in policy.authorities]
    if not policy.authorities or len(kept) in (0, len(blocks)):
        return 0
    _write_over(path, b"".join(kept))
    return len(blocks) - len(kept)


def trusted(settings: Settings) -> frozenset[str]:
    """Return the digests of the authorities whose certificates let people in."""
    return frozenset(map(digest_of_pem, _blocks(settings.tls.client_authorities.read_bytes())))


def digest_of_pem(certificate: bytes) -> str:
    """Return how a policy names an authority."""
    return digest_of(ssl.PEM_cert_to_DER_cert(certificate.decode("ascii")))


def _switched(text: str, file: Path, following: AuthorityFiles) -> str:
    text = with_text(text, "authority", "certificate", shown(file, following.certificate))
    text = with_text(text, "authority", "key", shown(file, following.key))
    return without(without(text, "authority", "next_certificate"), "authority", "next_key")


def _blocks(pem: bytes) -> list[bytes]:
    text = pem.decode("ascii").replace("\r\n", "\n").rstrip("\n") + "\n"
    blocks = [block + _END for block in text.split(_END) if block.strip()]
    return [block[block.index("-----BEGIN") :].encode() for block in blocks]


def _write_over(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.new")
    write_secret(draft, data)
    draft.chmod(path.stat().st_mode)
    draft.replace(path)
