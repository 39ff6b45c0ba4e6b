# SPDX-License-Identifier: Apache-2.0
"""openssl and pycryptodome, which the product does not sign or verify with, agree with it."""

import shutil
import subprocess
from pathlib import Path

import pytest
from Crypto.Hash import SHA256
from Crypto.PublicKey import ECC
from Crypto.Signature import DSS, eddsa
from hypothesis import given
from hypothesis import strategies as st

from quorumseal.signatures import (
    BadSignatureError,
    Ed25519PrivateKey,
    MalformedKeyFileError,
    P256PrivateKey,
    PrivateKey,
    PublicKey,
    Scheme,
    dsse,
    generate_key,
    read_key_file,
    write_key_file,
)

ED25519 = Ed25519PrivateKey(b"\x11" * 32)
P256 = P256PrivateKey(b"\x12" * 32)
KEYS: dict[str, Ed25519PrivateKey | P256PrivateKey] = {"ed25519": ED25519, "p256": P256}
GENERATE = {
    "ed25519": ["genpkey", "-algorithm", "ed25519"],
    "p256": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
}
PASSPHRASE = "correct horse"

openssl_needed = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="not compared with openssl, for want of it"
)


def openssl(*arguments: str | Path, accepted: bool = True) -> bytes:
    done = subprocess.run(["openssl", *arguments], capture_output=True, check=False)
    assert (done.returncode == 0) is accepted, done.stderr.decode()
    return done.stdout


def verify_with_openssl(
    folder: Path, key: PublicKey, signature: bytes, message: bytes, *, accepted: bool
) -> None:
    public, sealed, text = folder / "key.pem", folder / "signature", folder / "message"
    public.write_bytes(key.to_pem())
    sealed.write_bytes(signature)
    text.write_bytes(message)
    if key.scheme is Scheme.ED25519:
        openssl("pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in", text, "-sigfile", sealed, accepted=accepted)  # fmt: skip  # noqa: E501
    else:
        openssl("dgst", "-sha256", "-verify", public, "-signature", sealed, text, accepted=accepted)


@openssl_needed
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_openssl_verifies_what_is_sealed_and_nothing_else(key: PrivateKey, tmp_path: Path) -> None:
    envelope = dsse.sign(b'{"approved":true}', key)
    signed = dsse.pae(dsse.PAYLOAD_TYPE, envelope.payload)
    verify_with_openssl(tmp_path, key.public, envelope.signature, signed, accepted=True)
    verify_with_openssl(tmp_path, key.public, envelope.signature, envelope.payload, accepted=False)


@openssl_needed
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_openssl_reads_the_key_files(key: Ed25519PrivateKey | P256PrivateKey, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(write_key_file(key, PASSPHRASE.encode()))
    shown = openssl("pkey", "-in", path, "-passin", f"pass:{PASSPHRASE}", "-pubout")
    assert shown == key.public.to_pem()
    openssl("pkey", "-in", path, "-passin", "pass:wrong", "-pubout", accepted=False)
    path.write_bytes(write_key_file(key, None))
    assert openssl("pkey", "-in", path, "-pubout") == key.public.to_pem()


@openssl_needed
@pytest.mark.parametrize("kind", GENERATE)
def test_keys_made_by_openssl_are_read_and_their_signatures_verified(kind: str, tmp_path: Path) -> None:
    path, sealed = tmp_path / "key.pem", tmp_path / "encrypted.pem"
    openssl(*GENERATE[kind], "-out", path)
    openssl("pkcs8", "-topk8", "-scrypt", "-in", path, "-out", sealed, "-passout", f"pass:{PASSPHRASE}")
    public = PublicKey.from_pem(openssl("pkey", "-in", path, "-pubout"))
    for key in (
        read_key_file(path.read_bytes(), None),
        read_key_file(sealed.read_bytes(), PASSPHRASE.encode()),
    ):
        assert key.public == public
    message, signature = tmp_path / "message", tmp_path / "signature"
    message.write_bytes(b"message")
    if public.scheme is Scheme.ED25519:
        openssl("pkeyutl", "-sign", "-inkey", path, "-rawin", "-in", message, "-out", signature)
    else:
        openssl("dgst", "-sha256", "-sign", path, "-out", signature, message)
    public.verify(signature.read_bytes(), b"message")
    with pytest.raises(BadSignatureError):
        public.verify(signature.read_bytes(), b"messagf")


@openssl_needed
def test_the_command_that_a_refused_key_file_is_hinted_at_makes_one(tmp_path: Path) -> None:
    with pytest.raises(MalformedKeyFileError) as refusal:
        read_key_file(b"no key", None)
    prefix, _, command = refusal.value.hint.partition(": ")
    assert prefix == "make one with"
    pasted = f"{command} -passout pass:'{PASSPHRASE}'"
    subprocess.run(["sh", "-c", pasted], check=True, cwd=tmp_path)
    key = read_key_file((tmp_path / "signing.key.pem").read_bytes(), PASSPHRASE.encode())
    assert key.public.scheme is Scheme.ED25519


@given(st.binary(min_size=40, max_size=40), st.binary(max_size=80))
def test_pycryptodome_agrees_about_ed25519(randomness: bytes, message: bytes) -> None:
    key = generate_key(Scheme.ED25519, lambda size: randomness[:size])
    theirs = ECC.construct(curve="Ed25519", seed=randomness[:32])
    assert theirs.public_key().export_key(format="DER") == key.public.spki
    assert eddsa.new(theirs, "rfc8032").sign(message) == key.sign(message)
    eddsa.new(eddsa.import_public_key(key.public.raw), "rfc8032").verify(message, key.sign(message))


@given(st.binary(min_size=40, max_size=40), st.binary(max_size=80))
def test_pycryptodome_agrees_about_p256(randomness: bytes, message: bytes) -> None:
    key = generate_key(Scheme.ECDSA_P256, lambda size: randomness[:size])
    assert isinstance(key, P256PrivateKey)
    theirs = ECC.construct(curve="P-256", d=int.from_bytes(key.scalar, "big"))
    assert theirs.public_key().export_key(format="DER") == key.public.spki
    deterministic = DSS.new(theirs, "deterministic-rfc6979", encoding="der")
    assert deterministic.sign(SHA256.new(message)) == key.sign(message)
    randomised = DSS.new(theirs, "fips-186-3", encoding="der").sign(SHA256.new(message))
    key.public.verify(randomised, message)
    imported = ECC.import_key(key.public.spki)
    DSS.new(imported, "fips-186-3", encoding="der").verify(SHA256.new(message), key.sign(message))
