# SPDX-License-Identifier: Apache-2.0
"""A key is its scheme and its SubjectPublicKeyInfo in one spelling; no signature says its own scheme."""

import copy
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError
from itertools import product
from pathlib import Path

import pytest

from quorumseal.signatures import (
    BadSignatureError,
    Ed25519PrivateKey,
    MalformedKeyError,
    P256PrivateKey,
    PrivateKey,
    PublicKey,
    Scheme,
    dsse,
    generate_key,
)

ED25519: PrivateKey = Ed25519PrivateKey(bytes(range(32)))
P256: PrivateKey = P256PrivateKey(bytes(range(1, 33)))
KEYS = {Scheme.ED25519: ED25519, Scheme.ECDSA_P256: P256}
ED25519_RAW = ED25519.public.raw.hex()
P256_RAW = P256.public.raw.hex()


@pytest.mark.parametrize(("label", "kind"), list(product(Scheme, Scheme)))
def test_a_key_fits_its_own_scheme_only(label: Scheme, kind: Scheme) -> None:
    spki = KEYS[kind].public.spki
    if label is kind:
        assert PublicKey.enrol(label, spki) == KEYS[kind].public
        return
    with pytest.raises(MalformedKeyError, match=f"one {label} key"):
        PublicKey.enrol(label, spki)


@pytest.mark.parametrize(("verifying", "signing"), list(product(Scheme, Scheme)))
def test_a_signature_verifies_under_its_own_key_only(verifying: Scheme, signing: Scheme) -> None:
    signature = KEYS[signing].sign(b"message")
    if verifying is signing:
        KEYS[verifying].public.verify(signature, b"message")
        return
    with pytest.raises(BadSignatureError) as refusal:
        KEYS[verifying].public.verify(signature, b"message")
    assert refusal.value.code == "signature.malformed"


@pytest.mark.parametrize("scheme", Scheme)
def test_a_signature_by_another_key_of_the_scheme_does_not_verify(scheme: Scheme) -> None:
    other = generate_key(scheme, lambda size: b"\x07" * size)
    with pytest.raises(BadSignatureError) as refusal:
        KEYS[scheme].public.verify(other.sign(b"message"), b"message")
    assert refusal.value.code == "signature.bad"


P256_HEAD = "301306072a8648ce3d020106082a8648ce3d030107"
OTHER_SPELLINGS = [
    ("nothing", Scheme.ED25519, ""),
    ("the bare point", Scheme.ED25519, ED25519_RAW),
    ("a byte too few", Scheme.ED25519, f"302a300506032b6570032100{ED25519_RAW[:-2]}"),
    ("a byte too many", Scheme.ED25519, f"302a300506032b6570032100{ED25519_RAW}00"),
    ("NULL parameters", Scheme.ED25519, f"302c300706032b65700500032100{ED25519_RAW}"),
    ("a length in long form", Scheme.ED25519, f"30812a300506032b6570032100{ED25519_RAW}"),
    ("an indefinite length", Scheme.ED25519, f"3080300506032b6570032100{ED25519_RAW}0000"),
    ("a padded object identifier", Scheme.ED25519, f"302b300606042b806570032100{ED25519_RAW}"),
    ("unused bits", Scheme.ED25519, f"302a300506032b6570032101{ED25519_RAW}"),
    ("an octet string for the key", Scheme.ED25519, f"302a300506032b6570042100{ED25519_RAW}"),
    ("an X25519 key", Scheme.ED25519, f"302a300506032b656e032100{ED25519_RAW}"),
    ("an Ed448 identifier", Scheme.ED25519, f"302a300506032b6571032100{ED25519_RAW}"),
    ("nothing", Scheme.ECDSA_P256, ""),
    ("the bare point", Scheme.ECDSA_P256, P256_RAW),
    (
        "a byte too few",
        Scheme.ECDSA_P256,
        f"3059{P256_HEAD}034200{P256_RAW[:-2]}",
    ),
    (
        "a byte too many",
        Scheme.ECDSA_P256,
        f"3059{P256_HEAD}034200{P256_RAW}00",
    ),
    (
        "a compressed point",
        Scheme.ECDSA_P256,
        f"3039{P256_HEAD}03220002{P256_RAW[2:66]}",
    ),
    ("the point at infinity", Scheme.ECDSA_P256, f"3019{P256_HEAD}03020000"),
    ("a hybrid point", Scheme.ECDSA_P256, f"3059{P256_HEAD}03420006{P256_RAW[2:]}"),
    ("a length in long form", Scheme.ECDSA_P256, f"308159{P256_HEAD}034200{P256_RAW}"),
    ("no parameters", Scheme.ECDSA_P256, f"304f300906072a8648ce3d0201034200{P256_RAW}"),
    ("NULL parameters", Scheme.ECDSA_P256, f"3051300b06072a8648ce3d02010500034200{P256_RAW}"),
    ("the curve secp256k1", Scheme.ECDSA_P256, f"3056301006072a8648ce3d020106052b8104000a034200{P256_RAW}"),
    ("the curve P-224", Scheme.ECDSA_P256, f"304e301006072a8648ce3d020106052b81040021033a00{P256_RAW[:114]}"),
    ("a key for ECDH only", Scheme.ECDSA_P256, f"3057301106052b8104010c06082a8648ce3d030107034200{P256_RAW}"),
    ("unused bits", Scheme.ECDSA_P256, f"3059{P256_HEAD}034201{P256_RAW}"),
]


@pytest.mark.parametrize(
    ("scheme", "spki"),
    [row[1:] for row in OTHER_SPELLINGS],
    ids=[f"{row[1].value}: {row[0]}" for row in OTHER_SPELLINGS],
)
def test_a_key_in_another_spelling_is_refused(scheme: Scheme, spki: str) -> None:
    with pytest.raises(MalformedKeyError) as refusal:
        PublicKey.enrol(scheme, bytes.fromhex(spki))
    assert refusal.value.code == "key.malformed"


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_key_survives_pem_pickle_and_copies(key: PrivateKey) -> None:
    public = key.public
    for again in (
        PublicKey.from_pem(public.to_pem()),
        PublicKey.from_pem(public.to_pem().decode(), scheme=public.scheme),
        PublicKey.from_pem(b"\n" + public.to_pem().replace(b"\n", b"\r\n") + b"\n\n"),
        PublicKey.from_raw(public.scheme, public.raw),
        pickle.loads(pickle.dumps(public)),  # noqa: S301 - our own bytes
        copy.deepcopy(public),
    ):
        assert again == public
        assert hash(again) == hash(public)
        again.verify(key.sign(b"message"), b"message")


PEM = ED25519.public.to_pem().decode()
BAD_PEM = [
    ("nothing", b""),
    ("a private key's label", PEM.replace("PUBLIC", "PRIVATE").encode()),
    ("text before the block", b"Subject: me\n" + PEM.encode()),
    ("text after the block", PEM.encode() + b"more\n"),
    ("two blocks", PEM.encode() * 2),
    ("no end", PEM.partition("-----END")[0].encode()),
    ("only a beginning", b"-----BEGIN PUBLIC KEY-----"),
    ("another end", PEM.replace("END PUBLIC", "END PRIVATE").encode()),
    ("blanks in the middle", PEM.replace("MCow", "MC ow").encode()),
    ("no padding", PEM.replace("=", "").encode()),
    ("an empty line inside", PEM.replace("-----\nM", "-----\n\nM").encode()),
    ("folded at another place", PEM.replace("MCow", "MC\now").encode()),
    ("a letter that base64 does not have", PEM.replace("MCow", "MC_w").encode()),
    ("bytes that are not ASCII", PEM.replace("MCow", "MC\u00f6w").encode()),
    ("a letter that is not ASCII", PEM.replace("MCow", "MC\u00f6w")),
    ("an RSA key", PEM.replace("MCow", "MIIB")),
    ("far too much", PEM + "\n" * 20_000),
]


@pytest.mark.parametrize("pem", [row[1] for row in BAD_PEM], ids=[row[0] for row in BAD_PEM])
def test_pem_in_another_spelling_is_refused(pem: bytes | str) -> None:
    with pytest.raises(MalformedKeyError):
        PublicKey.from_pem(pem)


def test_the_scheme_of_a_key_record_wins_over_what_the_pem_file_says() -> None:
    with pytest.raises(MalformedKeyError, match="one ecdsa-p256-sha256 key"):
        PublicKey.from_pem(PEM, scheme=Scheme.ECDSA_P256)


def test_a_key_of_a_kind_that_is_not_accepted_says_which_are() -> None:
    with pytest.raises(MalformedKeyError, match="ed25519 or ecdsa-p256-sha256"):
        PublicKey.from_pem(PEM.replace("MCow", "MCox"))


def test_the_key_id_is_the_digest_of_the_subject_public_key_info() -> None:
    # openssl pkey -pubin -outform DER | sha256sum, for the first key of RFC 8032
    key = Ed25519PrivateKey(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    assert key.public.key_id == "sha256:06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9"


def test_a_key_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        ED25519.public.scheme = Scheme.ECDSA_P256  # type: ignore[misc]


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_the_secret_is_not_shown(key: Ed25519PrivateKey | P256PrivateKey) -> None:
    secret = key.seed if isinstance(key, Ed25519PrivateKey) else key.scalar
    assert repr(secret) not in repr(key)
    assert secret.hex() not in repr(key)
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        pickle.dumps(key)


def test_new_keys_are_made_of_the_randomness_that_is_passed_in() -> None:
    asked: list[int] = []

    def randomness(size: int) -> bytes:
        asked.append(size)
        return b"\x05" * size

    ed25519 = generate_key(Scheme.ED25519, randomness)
    p256 = generate_key(Scheme.ECDSA_P256, randomness)
    assert asked == [32, 40]
    assert isinstance(ed25519, Ed25519PrivateKey)
    assert ed25519.seed == b"\x05" * 32
    assert isinstance(p256, P256PrivateKey)
    assert p256.public == generate_key(Scheme.ECDSA_P256, lambda size: b"\x05" * size).public


@pytest.mark.parametrize("byte", [b"\x00", b"\xff"])
def test_even_the_worst_randomness_makes_a_p256_scalar_in_range(byte: bytes) -> None:
    key = generate_key(Scheme.ECDSA_P256, lambda size: byte * size)
    key.public.verify(key.sign(b"message"), b"message")


def test_verifying_with_ed25519_loads_neither_cryptography_nor_pycryptodome() -> None:
    envelope = dsse.sign(b"{}", ED25519)
    program = f"""
import sys
from quorumseal.signatures import Envelope, PublicKey
Envelope.read({envelope.to_json()!r}).verify(PublicKey.from_pem({PEM!r}))
loaded = {{name.partition(".")[0] for name in sys.modules}}
print(sorted(loaded & {{"cryptography", "Crypto", "grpc", "sqlalchemy"}}))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.decode().strip() == "[]"
