# SPDX-License-Identifier: Apache-2.0
"""Private keys are encrypted unless somebody says otherwise, and every fault has its own name."""

import base64
from typing import Any

import pytest
from Crypto.IO import PKCS8
from Crypto.Util.asn1 import DerObjectId, DerSequence

from quorumseal.signatures import (
    Ed25519PrivateKey,
    KeyFileError,
    MalformedKeyFileError,
    P256PrivateKey,
    PassphraseNeededError,
    UnencryptedKeyFileError,
    WrongPassphraseError,
    read_key_file,
    write_key_file,
)
from quorumseal.signatures.encodings import armour, unarmour

ED25519 = Ed25519PrivateKey(bytes(range(32)))
P256 = P256PrivateKey(bytes(range(1, 33)))
KEYS: dict[str, Ed25519PrivateKey | P256PrivateKey] = {"ed25519": ED25519, "p256": P256}
ENCRYPTED = {name: write_key_file(key, b"correct horse") for name, key in KEYS.items()}

P256_CURVE = DerObjectId("1.2.840.10045.3.1.7")
EC = "1.2.840.10045.2.1"


def plain(secret: bytes, oid: str, curve: DerObjectId | None) -> bytes:
    return armour("PRIVATE KEY", PKCS8.wrap(secret, oid, key_params=curve))


def code_of_reading(pem: bytes, passphrase: bytes | None) -> str:
    with pytest.raises(KeyFileError) as refusal:
        read_key_file(pem, passphrase)
    return refusal.value.code


def list_of(der: bytes) -> list[Any]:
    sequence = DerSequence().decode(der)
    return [sequence[index] for index in range(len(sequence))]


@pytest.mark.parametrize("name", KEYS)
def test_a_key_comes_back_from_its_encrypted_file(name: str) -> None:
    again = read_key_file(ENCRYPTED[name], b"correct horse")
    assert again.public == KEYS[name].public
    again.public.verify(again.sign(b"message"), b"message")


@pytest.mark.parametrize("name", KEYS)
def test_the_file_is_encrypted_with_scrypt_and_aes_256_under_a_long_salt(name: str) -> None:
    _, der = unarmour(ENCRYPTED[name], "ENCRYPTED PRIVATE KEY")
    algorithm = list_of(list_of(der)[0])
    assert DerObjectId().decode(algorithm[0]).value == "1.2.840.113549.1.5.13"  # PBES2
    derivation, cipher = list_of(algorithm[1])
    scrypt_oid, scrypt = list_of(derivation)
    assert DerObjectId().decode(scrypt_oid).value == "1.3.6.1.4.1.11591.4.11"  # RFC 7914
    salt, *cost = list_of(scrypt)
    assert len(salt) == 2 + 16
    assert cost == [1 << 14, 8, 5]
    assert DerObjectId().decode(list_of(cipher)[0]).value == "2.16.840.1.101.3.4.1.42"  # AES-256-CBC
    secret = KEYS[name].sign(b"message")
    assert secret not in der


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("passphrase", [b"Correct horse", b"correct horse ", b"", b"x"])
def test_a_wrong_passphrase_is_named_as_such(name: str, passphrase: bytes) -> None:
    with pytest.raises(WrongPassphraseError) as refusal:
        read_key_file(ENCRYPTED[name], passphrase)
    assert refusal.value.code == "key_file.wrong_passphrase"


def test_a_damaged_file_never_gives_the_key() -> None:
    _, der = unarmour(ENCRYPTED["p256"], "ENCRYPTED PRIVATE KEY")
    for position in (-1, -40, -100):
        damaged = bytearray(der)
        damaged[position] ^= 1
        with pytest.raises(KeyFileError):
            read_key_file(armour("ENCRYPTED PRIVATE KEY", bytes(damaged)), b"correct horse")


def test_an_encrypted_file_without_a_passphrase_asks_for_one() -> None:
    with pytest.raises(PassphraseNeededError) as refusal:
        read_key_file(ENCRYPTED["ed25519"], None)
    assert refusal.value.code == "key_file.passphrase_needed"


@pytest.mark.parametrize("name", KEYS)
def test_an_unencrypted_file_is_read_only_when_none_is_said(name: str) -> None:
    pem = write_key_file(KEYS[name], None)
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert read_key_file(pem, None).public == KEYS[name].public
    with pytest.raises(UnencryptedKeyFileError) as refusal:
        read_key_file(pem, b"correct horse")
    assert refusal.value.code == "key_file.unencrypted"
    assert "openssl pkcs8 -topk8 -scrypt" in refusal.value.hint


def test_an_empty_passphrase_protects_nothing_and_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="empty passphrase"):
        write_key_file(ED25519, b"")


def test_salt_and_vector_come_from_the_randomness_that_is_passed_in() -> None:
    asked: list[int] = []

    def randomness(size: int) -> bytes:
        asked.append(size)
        return bytes(size)

    first = write_key_file(ED25519, b"pw", randomness=randomness)
    assert sorted(asked) == [16, 16]
    assert first == write_key_file(ED25519, b"pw", randomness=bytes)
    assert first != write_key_file(ED25519, b"pw")


EC_KEY = bytes.fromhex("306b0201010420") + P256.scalar + bytes.fromhex("a144034200") + P256.public.raw
OTHER_PUBLIC = P256PrivateKey(b"\x09" * 32).public.raw
MALFORMED = [
    ("nothing", b""),
    ("no PEM", b"not a key"),
    ("bytes", bytes(range(256))),
    ("a public key", ED25519.public.to_pem()),
    ("an RSA key by its label", armour("RSA PRIVATE KEY", b"0")),
    ("a key in the form of openssl ecparam", armour("EC PRIVATE KEY", EC_KEY)),
    ("an OpenSSH key", armour("OPENSSH PRIVATE KEY", b"openssh-key-v1\x00")),
    ("PEM with headers", armour("PRIVATE KEY", EC_KEY).replace(b"\n", b"\nProc-Type: 4,ENCRYPTED\n\n", 1)),
    ("no ASN.1", armour("PRIVATE KEY", b"\x30\x03abc")),
    ("an empty sequence", armour("PRIVATE KEY", b"\x30\x00")),
    ("a length that nothing follows", armour("PRIVATE KEY", b"\x30\x82")),
    ("an RSA key", plain(b"secret", "1.2.840.113549.1.1.1", None)),
    ("an X25519 key", plain(b"\x04\x20" + ED25519.seed, "1.3.101.110", None)),
    ("an Ed25519 key with a curve", plain(b"\x04\x20" + ED25519.seed, "1.3.101.112", P256_CURVE)),
    ("an Ed25519 seed without its frame", plain(ED25519.seed, "1.3.101.112", None)),
    ("an Ed25519 seed too short", plain(b"\x04\x1f" + ED25519.seed[1:], "1.3.101.112", None)),
    ("an Ed25519 seed too long", plain(b"\x04\x20" + ED25519.seed + b"0", "1.3.101.112", None)),
    ("a P-384 key", plain(EC_KEY, EC, DerObjectId("1.3.132.0.34"))),
    ("an EC key without a curve", plain(EC_KEY, EC, None)),
    ("an EC key in another frame", plain(EC_KEY[1:], EC, P256_CURVE)),
    ("a scalar of zero", plain(EC_KEY[:7] + bytes(32) + EC_KEY[39:], EC, P256_CURVE)),
    ("a scalar too large", plain(EC_KEY[:7] + b"\xff" * 32 + EC_KEY[39:], EC, P256_CURVE)),
    ("a scalar that is cut off", plain(EC_KEY[:20], EC, P256_CURVE)),
    ("no public key", plain(EC_KEY[:39], EC, P256_CURVE)),
    ("another's public key", plain(EC_KEY[:-65] + OTHER_PUBLIC, EC, P256_CURVE)),
    ("a byte after the key", plain(EC_KEY + b"0", EC, P256_CURVE)),
]


@pytest.mark.parametrize("pem", [row[1] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
def test_a_file_that_is_no_key_of_ours_is_refused(pem: bytes) -> None:
    with pytest.raises(MalformedKeyFileError) as refusal:
        read_key_file(pem, None)
    assert refusal.value.code == "key_file.malformed"


@pytest.mark.parametrize("length", [0, 1, 2, 3, 20, 60, 110])
def test_an_encrypted_file_that_is_cut_off_is_refused_without_an_accident(length: int) -> None:
    _, der = unarmour(ENCRYPTED["ed25519"], "ENCRYPTED PRIVATE KEY")
    assert code_of_reading(armour("ENCRYPTED PRIVATE KEY", der[:length]), b"pw") == "key_file.malformed"


def test_a_file_that_asks_for_too_much_work_is_refused_before_any_is_done() -> None:
    _, der = unarmour(ENCRYPTED["ed25519"], "ENCRYPTED PRIVATE KEY")
    greedy = der.replace(bytes.fromhex("02024000020108020105"), bytes.fromhex("0202400002017f02017f"))
    assert greedy != der
    with pytest.raises(MalformedKeyFileError, match="too much time or memory"):
        read_key_file(armour("ENCRYPTED PRIVATE KEY", greedy), b"correct horse")


def test_the_base64_of_a_file_has_one_spelling() -> None:
    pem = write_key_file(ED25519, None)
    body = pem.splitlines()[1]
    assert base64.b64decode(body) in (unarmour(pem, "PRIVATE KEY")[1], unarmour(pem, "PRIVATE KEY")[1][:48])
    assert code_of_reading(pem.replace(body, body[:10] + b"\n" + body[10:]), None) == "key_file.malformed"
