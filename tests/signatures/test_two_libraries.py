# SPDX-License-Identifier: Apache-2.0
"""libsodium and OpenSSL give one answer: to published edge cases, to thousands of changed signatures."""

import subprocess
import sys
from collections.abc import Callable
from random import Random
from typing import TypeAlias, cast

import pytest

from quorumseal.signatures import BadSignatureError, PublicKeyError, ed25519, openssl, sodium
from quorumseal.signatures.ed25519 import Library
from tests.signatures import test_ed25519 as oracle

Verify: TypeAlias = Callable[[bytes, bytes], None]
SODIUM, OPENSSL = cast("Library", sodium), cast("Library", openssl)
BOTH = [pytest.param(SODIUM, id="libsodium"), pytest.param(OPENSSL, id="openssl")]

# "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020), the vectors of ed25519-speccheck: message,
# key, signature, and what a strict verifier says of it.
SPECCHECK = [
    (
        "small A and R",
        "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        (
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
            "0000000000000000000000000000000000000000000000000000000000000000"
        ),
        "key.small_order",
    ),
    (
        "small A, mixed R",
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        (
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
            "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04"
        ),
        "key.small_order",
    ),
    (
        "mixed A, small R",
        "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        (
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
            "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e"
        ),
        None,
    ),
    (
        "mixed A and R",
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        (
            "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
            "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009"
        ),
        "key.not_in_group",
    ),
    (
        "mixed A and R, cofactored only",
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        (
            "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
            "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09"
        ),
        "key.not_in_group",
    ),
    (
        "mixed A, cofactored with 8h reduced",
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        (
            "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"
            "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405"
        ),
        "key.not_in_group",
    ),
    (
        "S above L",
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        (
            "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"
            "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514"
        ),
        "signature.malformed",
    ),
    (
        "S far above L",
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        (
            "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942"
            "7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22"
        ),
        "signature.malformed",
    ),
    (
        "R not canonical, hashed reduced",
        "fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        (
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
            "454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607"
        ),
        None,
    ),
    (
        "R not canonical, hashed as it came",
        "84b698d39be126ff55fe45079e6c8bf64a0d7db6994560b4e96b7021eb39c1a1",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        (
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
            "084d5b99c2a9463d9c8bd5026916996984eeec87ddf1d3be329006ace1b37b09"
        ),
        None,
    ),
]


SEVEN = oracle.times(7, oracle.BASE)
TORSION = [oracle.times(factor, oracle.ORDER_8) for factor in range(1, 8)]
FINE = [oracle.times(Random(factor).randrange(oracle.L), oracle.BASE) for factor in range(12)]


def said(library: Library, key: bytes, signature: bytes, message: bytes) -> str:
    """What comes of a signature under a key: ``""``, or the code of the refusal."""
    try:
        verify = ed25519.verifier(key, library)
    except PublicKeyError as refusal:
        return refusal.code
    return code(verify, signature, message)


def code(verify: Verify, signature: bytes, message: bytes) -> str:
    try:
        verify(signature, message)
    except BadSignatureError as refusal:
        return refusal.code
    return ""


@pytest.mark.parametrize("library", BOTH)
@pytest.mark.parametrize(
    ("message", "key", "signature", "code"), [row[1:] for row in SPECCHECK], ids=[row[0] for row in SPECCHECK]
)
def test_the_published_edge_cases_are_all_refused(
    library: Library, message: str, key: str, signature: str, code: str | None
) -> None:
    got = said(library, bytes.fromhex(key), bytes.fromhex(signature), bytes.fromhex(message))
    assert got
    assert code in (None, got)


@pytest.mark.parametrize("library", BOTH)
@pytest.mark.parametrize(("seed", "public", "message", "signature"), oracle.RFC_8032)
def test_the_vectors_of_the_standard_hold_under_both(
    library: Library, seed: str, public: str, message: str, signature: str
) -> None:
    secret = bytes.fromhex(seed)
    assert library.public_of(secret).hex() == public
    assert library.signer(secret)(bytes.fromhex(message)).hex() == signature
    assert said(library, bytes.fromhex(public), bytes.fromhex(signature), bytes.fromhex(message)) == ""


def _points(random: Random) -> bytes:
    """A point as somebody hostile writes it: of small order, mixed, off the curve, spelled twice, or fine."""
    fine = random.choice(FINE)
    match random.randrange(6):
        case 0:
            return bytes.fromhex(random.choice(oracle.SMALL_ORDER)[1])
        case 1:
            return oracle.encode(oracle.add(fine, random.choice(TORSION)))
        case 2:
            return random.randbytes(32)
        case 3:
            return (oracle.P + random.randrange(19) | random.randrange(2) << 255).to_bytes(32, "little")
        case 4:
            return (int.from_bytes(oracle.encode(fine), "little") ^ 1 << 255).to_bytes(32, "little")
        case _:
            return oracle.encode(fine)


def test_both_take_the_same_keys(count: Callable[..., int]) -> None:
    random = Random(1)
    keys = [_points(random) for _ in range(count(100, deep=3_000))]
    taken = [(key, SODIUM.in_group(key), OPENSSL.in_group(key)) for key in keys]
    assert [row for row in taken if row[1] is not row[2]] == []
    assert {row[1] for row in taken} == {True, False}


def _changed(random: Random) -> tuple[bytes, bytes]:
    """A signature that its owner, or somebody on the way, made into something else; and a message."""
    message = random.randbytes(random.randrange(40))
    signature = oracle.KEY.sign(message)
    number = int.from_bytes(signature, "little")
    s = number >> 256
    match random.randrange(8):
        case 0:
            return (number ^ 1 << random.randrange(512)).to_bytes(64, "little"), message
        case 1:
            return signature[:32] + (s + random.randrange(1, 15) * oracle.L).to_bytes(32, "little"), message
        case 2:
            return oracle.with_nonce(bytes.fromhex(random.choice(oracle.SMALL_ORDER)[1]), 0), oracle.MESSAGE
        case 3:
            mixed = oracle.add(SEVEN, random.choice([oracle.NEUTRAL, *TORSION]))
            return oracle.with_nonce(oracle.encode(mixed), 7), oracle.MESSAGE
        case 4:
            return random.randbytes(64), message
        case 5:
            second = (oracle.P + random.randrange(19)).to_bytes(32, "little")
            return second + signature[32:], message
        case 6:
            return signature, message + b"\0" * random.randrange(2)
        case _:
            return signature[:32] + ((s + random.randrange(-2, 3)) % 2**256).to_bytes(32, "little"), message


def test_both_say_the_same_of_changed_signatures(count: Callable[..., int]) -> None:
    random, key = Random(2), oracle.KEY.public.raw
    verifiers = [ed25519.verifier(key, library) for library in (SODIUM, OPENSSL)]
    answers: dict[str, int] = {}
    for _ in range(count(3_000, deep=100_000)):
        signature, message = _changed(random)
        one, other = (code(verify, signature, message) for verify in verifiers)
        assert one == other, (signature.hex(), message.hex())
        answers[one] = answers.get(one, 0) + 1
    assert answers.keys() == {"", "signature.bad", "signature.malformed", "signature.small_order"}


def test_where_pynacl_is_missing_openssl_takes_its_place() -> None:
    program = (
        "import sys; sys.modules['nacl'] = None\n"
        "import importlib.util as util; found = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'nacl' else found(name, *rest)\n"
        "from quorumseal.signatures import Ed25519PrivateKey\n"
        "key = Ed25519PrivateKey(bytes(range(32)))\n"
        "key.public.verify(key.sign(b'x'), b'x')\n"
        "print([name for name in sys.modules if name.startswith('quorumseal.signatures.') "
        "and name.rpartition('.')[2] in ('sodium', 'openssl')])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "['quorumseal.signatures.openssl']\n"
