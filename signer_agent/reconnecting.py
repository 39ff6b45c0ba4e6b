# SPDX-License-Identifier: Apache-2.0
"""A new certificate for a home whose old one ran out: by an invitation, with the keys that it has.

Keys that are enrolled already are refused, so the statement is signed by two that are used for nothing else
and forgotten; what counts in ceremonies is what the policy lists, and that stays.
"""

from collections.abc import Callable
from datetime import datetime

from quorumseal.ceremony.enrolment import Enrolment, code_digest, enrol
from quorumseal.ceremony.values import digest_of
from quorumseal.client.connection import TlsFiles
from quorumseal.client.values import Enrolled, Invitation
from quorumseal.signatures import P256PrivateKey, Scheme, generate_key, write_key_file
from quorumseal.strict_json import write
from signer_agent.enrolling import require_own_certificate
from signer_agent.errors import OtherHomeError
from signer_agent.home import Home, write_whole
from signer_agent.key_sources.certificates import certificate_request

Enroll = Callable[[str, bytes, bytes], Enrolled]


def require_own_home(invitation: Invitation, *, organisation: str, signer: str) -> None:
    """Refuse an invitation of somebody else than the home's owner."""
    if (invitation.organisation, invitation.signer) != (organisation, signer):
        raise OtherHomeError(
            f"expected an invitation of {signer} to {organisation}, whose home this is, "
            f"got one of {invitation.signer} to {invitation.organisation}",
            hint="name the right home with --home; the invitation was not used",
        )


def reconnect(
    home: Home,
    files: TlsFiles,
    code: str,
    invitation: Invitation,
    enroll: Enroll,
    *,
    at: datetime,
    randomness: Callable[[int], bytes],
) -> None:
    """Use an invitation for a certificate alone, and put it where the old one is."""
    tls = generate_key(Scheme.ECDSA_P256, randomness)
    assert isinstance(tls, P256PrivateKey)  # noqa: S101 - that is what was asked for
    passing, other = (generate_key(Scheme.ED25519, randomness) for _ in range(2))
    request = certificate_request(tls)
    enrolment = Enrolment(
        organisation=invitation.organisation,
        signer=invitation.signer,
        key=passing.public,
        witness=other.public,
        certificate_request=digest_of(request),
        code=code_digest(code),
        signed_at=at,
    )
    enrolled = enroll(code, write(enrol(enrolment, passing, other).to_json()), request)
    require_own_certificate(enrolled.certificate, tls, invitation.organisation, invitation.signer)
    with home.exclusive():
        write_whole(files.ca, enrolled.authority)
        write_whole(files.key, write_key_file(tls, None) + enrolled.certificate)
