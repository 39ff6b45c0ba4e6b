# SPDX-License-Identifier: Apache-2.0
"""Make the home of an auditor, who may read everything and write nothing.

Run it where the coordinator runs. The auditor makes the key, which stays with them, and sends the request:

  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \\
    -subj / -keyout tls.key.pem -out olga.csr

The certificate is of the [authority] of the settings; where they name none, as after org init --local, of the
one in its folder, whose passphrase is asked for.
"""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from base64 import b64decode
from binascii import Error as Base64Error
from datetime import timedelta
from pathlib import Path

from coordinator.named_files import read_named
from coordinator.policies import Policies
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli.errors import FileError
from quorumseal.cli.files import read_file, write_new
from quorumseal.cli.org.local_authority import add_arguments as add_authority
from quorumseal.cli.org.local_authority import authority_of
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.own_coordinator import add_name, add_settings, own_coordinator
from quorumseal.terminal import Mark, instant_text, parse_duration
from quorumseal.verifier.trust import Trust, write_trust
from signer_agent.settings import settings_text

_LONGEST = timedelta(days=90)
_MOST = 16 << 10
_BEGIN, _END = "-----BEGIN CERTIFICATE REQUEST-----", "-----END CERTIFICATE REQUEST-----"


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``org auditor`` takes."""
    add_name(parser, "the auditor")
    parser.add_argument(
        "--request", type=Path, required=True, metavar="FILE", help="their certificate request (PKCS #10)"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="a folder that is not there yet"
    )
    parser.add_argument(
        "--valid",
        type=_lasting,
        default="30d",
        metavar="TIME",
        help="for how long (default: 30d; 90d at most)",
    )
    add_authority(parser)
    add_settings(parser)


def run(arguments: Namespace) -> int:
    """Issue the certificate, and write the home around it."""
    request = _request(arguments.request)
    with own_coordinator(arguments) as (settings, door):
        enrolling = door.enrolling_by(authority_of(arguments, settings))
        first = Policies(door.storage).all[0].digest
        row = enrolling.certify_auditor(arguments.name, request, lasts=arguments.valid)
        port = settings.enrolment.port
        address = settings.listen if port is None else port.coordinator
        authorities = read_named(settings.tls.client_authorities)
    trust = Trust(organisation=settings.organisation, policy=first, minimum_version=1)
    _write(arguments.out, arguments.name, address, row.certificate, authorities, write_trust(trust))
    if arguments.json:
        print_json(
            {
                "auditor": arguments.name,
                "serial": row.serial,
                "expires": exact(row.not_after),
                "policy": first,
            }
        )
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"{arguments.name} may read everything until {instant_text(row.not_after)}")
    drawn.facts([("  home", str(arguments.out)), ("  serial", row.serial), ("  policy", first)])
    drawn.line("  Give them the folder; they put tls.key.pem into it, and compare the policy's digest.")
    drawn.next("Then they audit, from their machine", ["quorumseal", "audit", "fsck", "--home", "DIR"])
    return 0


def _write(
    folder: Path, name: str, coordinator: str, certificate: bytes, authorities: bytes, trust: bytes
) -> None:
    folder.mkdir(mode=0o700)
    write_new(folder / "certificate.pem", certificate)
    write_new(folder / "ca.pem", authorities)
    write_new(folder / "trust.json", trust)
    write_new(folder / "agent.toml", settings_text(name=name, coordinator=coordinator).encode())


def _request(path: Path) -> bytes:
    """Return the request in DER, from PEM where it is that."""
    data = read_file(path, "a certificate request", _MOST)
    text = data.decode("ascii", "replace").strip()
    if not text.startswith(_BEGIN):
        return data
    try:
        return b64decode(text.removeprefix(_BEGIN).removesuffix(_END))
    except Base64Error as error:
        raise FileError(f"expected a certificate request in PEM at {path}, got {error}") from None


def _lasting(text: str) -> timedelta:
    try:
        lasts = parse_duration(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    if not timedelta() < lasts <= _LONGEST:
        raise ArgumentTypeError(f"expected more than nothing and at most 90d, got {text}")
    return lasts
