# SPDX-License-Identifier: Apache-2.0
"""A timestamp authority made with openssl: a real one that answers over HTTP, and one that lies as told."""

import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from quorumseal.signatures import Authority, der

openssl_needed = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="not compared with openssl, for want of it"
)
TST_INFO = "1.2.840.113549.1.9.16.1.4"
SHA256_ALGORITHM = bytes.fromhex("300d06096086480165030402010500")
_EPOCH, _END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
_SETTINGS = """\
[tsa]
default_tsa = acme
[acme]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
{chain}signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = {accuracy}
clock_precision_digits = 3
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True)
class Certified:
    """A key with its certificate, in files that openssl reads."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    pem: Path
    secret: Path


def certify(
    folder: Path,
    name: str,
    issuer: Certified | None = None,
    *,
    timestamps: bool | None = True,
    critical: bool = True,
    also: Sequence[x509.ObjectIdentifier] = (),
    since: datetime = _EPOCH,
    until: datetime = _END,
) -> Certified:
    """Make a key and its certificate: of an authority of its own, or issued by another."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    is_authority = timestamps is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(_usage(is_authority), critical=True)
    )
    if timestamps:
        usages = [ExtendedKeyUsageOID.TIME_STAMPING, *also]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=critical)
    certificate = builder.sign(issuer.key if issuer else key, SHA256())
    made = Certified(certificate, key, folder / f"{name}.pem", folder / f"{name}.key")
    made.pem.write_bytes(certificate.public_bytes(Encoding.PEM))
    made.secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return made


def _usage(is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def openssl(*arguments: str | Path, stdin: bytes = b"") -> bytes:
    """Run openssl, which must succeed."""
    done = subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class RealAuthority:
    """What anybody can set up with openssl: a root, a certificate for timestamps, ``openssl ts -reply``."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "clock.acme.example",
        chain: bool = False,
        accuracy: str = "secs:1, millisecs:500",
    ) -> None:
        self.folder = folder
        self.name = name
        self.root = certify(folder, "root", timestamps=None)
        self.signer = certify(folder, "tsa", self.root)
        (folder / "serial").write_text("01\n")
        text = _SETTINGS.format(
            folder=folder, accuracy=accuracy, chain=f"certs = {self.root.pem}\n" if chain else ""
        )
        (folder / "ts.cnf").write_text(text)
        self.asked = 0
        self.broken = False

    @property
    def authority(self) -> Authority:
        """What a policy says about it."""
        return Authority.read(self.name, self.root.pem.read_text())

    def answer(self, question: bytes) -> bytes:
        """Answer a question as ``openssl ts`` does."""
        self.asked += 1
        (self.folder / "q.tsq").write_bytes(question)
        openssl(
            "ts", "-reply", "-config", self.folder / "ts.cnf", "-section", "acme",
            "-queryfile", self.folder / "q.tsq", "-out", self.folder / "r.tsr",
        )  # fmt: skip
        return (self.folder / "r.tsr").read_bytes()

    def verify(self, token: bytes, message: bytes) -> None:
        """Let ``openssl ts`` verify a token."""
        (self.folder / "token").write_bytes(token)
        (self.folder / "message").write_bytes(message)
        openssl(
            "ts", "-verify", "-token_in", "-in", self.folder / "token", "-data", self.folder / "message",
            "-CAfile", self.root.pem,
        )  # fmt: skip

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Answer over HTTP on this machine; yield the address."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/tsa"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(authority: RealAuthority) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            if authority.broken:
                self.send_error(503)
                return
            assert self.headers["Content-Type"] == "application/timestamp-query"
            with lock:
                answer = authority.answer(question)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


class LyingAuthority:
    """Signs whatever it is told to, by ``openssl cms``; for times of one's choice, and for bad tokens."""

    def __init__(self, folder: Path, name: str = "clock.acme.example") -> None:
        self.folder = folder
        self.name = name
        self.root = certify(folder, "lying-root", timestamps=None)
        self.signer = certify(folder, "lying-tsa", self.root)

    @property
    def authority(self) -> Authority:
        """What a policy says about it."""
        return Authority.read(self.name, self.root.pem.read_text())

    def token(self, message: bytes, at: datetime, accuracy: timedelta = timedelta(0)) -> bytes:
        """Return a token that says that the bytes existed at an instant."""
        return self.sign(tst_info(message, at, accuracy=accuracy))

    def sign(self, info: bytes, *extra: str | Path, signer: Certified | None = None) -> bytes:
        """Wrap and sign what a token says."""
        by = signer or self.signer
        return openssl(
            "cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-econtent_type", TST_INFO,
            "-signer", by.pem, "-inkey", by.secret, "-outform", "DER", *extra, stdin=info,
        )  # fmt: skip


def tst_info(
    message: bytes,
    at: datetime | bytes,
    *,
    accuracy: timedelta = timedelta(0),
    algorithm: bytes = SHA256_ALGORITHM,
    nonce: int | None = None,
) -> bytes:
    """Return the ``TSTInfo`` of a token."""
    text = at if isinstance(at, bytes) else f"{at:%Y%m%d%H%M%S}".encode()
    if isinstance(at, datetime):
        text += (f".{at:%f}".rstrip("0").rstrip(".")).encode() + b"Z"
    imprint = algorithm + der.encode(der.OCTET_STRING, sha256(message).digest())
    seconds, rest = divmod(accuracy, timedelta(seconds=1))
    parts = _number(der.INTEGER, seconds) if seconds else b""
    parts += _number(0x80, rest // timedelta(milliseconds=1)) if rest else b""
    return der.encode(
        der.SEQUENCE,
        _number(der.INTEGER, 1)
        + bytes.fromhex("06042a030401")
        + der.encode(der.SEQUENCE, imprint)
        + _number(der.INTEGER, 7)
        + der.encode(der.GENERALIZED_TIME, text)
        + (der.encode(der.SEQUENCE, parts) if parts else b"")
        + (_number(der.INTEGER, nonce) if nonce is not None else b""),
    )


def _number(tag: int, number: int) -> bytes:
    return der.encode(tag, number.to_bytes(number.bit_length() // 8 + 1))
