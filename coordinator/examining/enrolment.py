# SPDX-License-Identifier: Apache-2.0
"""The settings by which people join: the authority that lets them in, and the port where they knock."""

from collections.abc import Callable, Iterator
from datetime import datetime

from coordinator.certificates import Authority, look_at
from coordinator.enrolment_settings import AuthorityFiles, EnrolmentPort
from coordinator.examining.addresses import listenable
from coordinator.examining.certificates import life
from coordinator.examining.files import secret
from coordinator.named_files import read_passphrase
from quorumseal.refusal import Refusal
from quorumseal.terminal.findings import Finding, fine, wrong

Place = Callable[[str], str]


def authority(place: Place, files: AuthorityFiles, *, organisation: str, at: datetime) -> Iterator[Finding]:
    """Look at the authority: its secrets, its life, and whether it opens and is the organisation's."""
    yield secret(place("authority.key"), files.key)
    if files.passphrase_file is not None:
        yield secret(place("authority.passphrase_file"), files.passphrase_file)
    try:
        passphrase = read_passphrase(files.passphrase_file)
        certificate = files.certificate.read_bytes()
        opened = Authority.load(certificate, files.key.read_bytes(), passphrase)
    except (OSError, Refusal) as error:
        hint = "certificate, key and passphrase are one set: restore them from one backup"
        yield wrong(place("authority"), f"expected an authority that opens, got: {error}", hint)
        return
    if opened.organisation == organisation:
        yield fine(place("authority"), f"it opens, and lets people into {organisation}")
    else:
        text = f"expected the authority of {organisation}, got that of {opened.organisation}"
        yield wrong(place("authority.certificate"), text, "name the authority of this organisation")
    for seen in look_at(certificate):
        yield life(place("authority.certificate"), seen, at=at, hint="have the next authority made in time")


def port(place: Place, settings: EnrolmentPort, *, at: datetime) -> Iterator[Finding]:
    """Look at the port where people enrol."""
    yield secret(place("enrolment.key"), settings.key)
    try:
        (own,) = look_at(settings.certificate.read_bytes())
    except (OSError, ValueError, Refusal) as error:
        hint = "name the certificate that signs itself, in PEM"
        yield wrong(place("enrolment.certificate"), f"expected one certificate, got: {error}", hint)
    else:
        hint = "make a new one; invitations that are out name this one, so send new ones"
        yield life(place("enrolment.certificate"), own, at=at, hint=hint)
    yield listenable(place("enrolment.listen"), settings.listen)
