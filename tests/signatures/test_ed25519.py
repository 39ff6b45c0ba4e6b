# SPDX-License-Identifier: Apache-2.0
"""Ed25519 is strict: points of small order, second spellings, points outside the group and S ≥ L are refused.

The group arithmetic below is written out from RFC 8032, section 5.1, and shares nothing with the product.
"""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorumseal.signatures import (
    BadSignatureError,
    Ed25519PrivateKey,
    PublicKey,
    PublicKeyError,
    Scheme,
)

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]
NEUTRAL: Point = (0, 1)


def add(a: Point, b: Point) -> Point:
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + k, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - k, -1, P)
    return x % P, y % P


def times(scalar: int, point: Point) -> Point:
    result = NEUTRAL
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def encode(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point | None:
    """The point of any spelling, as a careless reader would take it, or None off the curve."""
    number = int.from_bytes(data, "little")
    y, sign = number % 2**255 % P, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    for x in (root, root * pow(2, (P - 1) // 4, P) % P):
        if x * x % P == square:
            return (x if x & 1 == sign else -x % P), y
    return None


BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little")) or NEUTRAL


def hashed(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


def secret_scalar(seed: bytes) -> int:
    number = int.from_bytes(hashlib.sha512(seed).digest()[:32], "little")
    return (number & (2**254 - 8)) | 2**254


SMALL_ORDER = [
    ("order 1", "0100000000000000000000000000000000000000000000000000000000000000"),
    ("order 1, sign set", "0100000000000000000000000000000000000000000000000000000000000080"),
    ("order 1 as p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("order 1 as p + 1, sign set", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    ("order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("order 2, sign set", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    ("order 4", "0000000000000000000000000000000000000000000000000000000000000000"),
    ("order 4, sign set", "0000000000000000000000000000000000000000000000000000000000000080"),
    ("order 4 as p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("order 4 as p, sign set", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    ("order 8", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    ("order 8, sign set", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
    ("other order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    ("other order 8, sign set", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
]
SMALL_POINTS = [pytest.param(bytes.fromhex(text), id=name) for name, text in SMALL_ORDER]
ORDER_8 = decode(bytes.fromhex(SMALL_ORDER[10][1])) or NEUTRAL

# RFC 8032, section 7.1: seed, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
            "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        (
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
            "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"
        ),
    ),
]

KEY = Ed25519PrivateKey(bytes(range(32)))
A = decode(KEY.public.raw) or NEUTRAL
MESSAGE = b"approve editor 1.0"


def code_of_enrolling(raw: bytes) -> str:
    with pytest.raises(PublicKeyError) as refusal:
        PublicKey.from_raw(Scheme.ED25519, raw)
    assert raw.hex() in str(refusal.value)
    return refusal.value.code


def code_of_verifying(signature: bytes, message: bytes = MESSAGE) -> str:
    with pytest.raises(BadSignatureError) as refusal:
        KEY.public.verify(signature, message)
    return refusal.value.code


def with_nonce(r_point: bytes, r: int) -> bytes:
    """A signature of MESSAGE by whoever has the private key and picks R as they like."""
    s = (r + hashed(r_point, KEY.public.raw, MESSAGE) * secret_scalar(KEY.seed)) % L
    return r_point + s.to_bytes(32, "little")


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_the_vectors_of_the_standard_are_signed_and_verified(
    seed: str, public: str, message: str, signature: str
) -> None:
    key = Ed25519PrivateKey(bytes.fromhex(seed))
    assert key.public.raw == bytes.fromhex(public)
    assert key.sign(bytes.fromhex(message)) == bytes.fromhex(signature)
    key.public.verify(bytes.fromhex(signature), bytes.fromhex(message))


@pytest.mark.parametrize("raw", SMALL_POINTS)
def test_a_point_of_small_order_is_no_key(raw: bytes) -> None:
    point = decode(raw)
    assert point is not None
    assert times(8, point) == NEUTRAL
    assert code_of_enrolling(raw) == "key.small_order"


def test_the_fourteen_spellings_are_all_there_are() -> None:
    multiples = {times(factor, ORDER_8) for factor in range(8)}
    spellings = {
        (y | sign << 255).to_bytes(32, "little")
        for _, canonical in multiples
        for y in (canonical, canonical + P)
        for sign in (0, 1)
        if y < 2**255
    }
    assert spellings == {bytes.fromhex(text) for _, text in SMALL_ORDER}


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("above", range(2, 19))
def test_a_y_that_is_not_below_p_is_no_key(above: int, sign: int) -> None:
    assert code_of_enrolling((P + above | sign << 255).to_bytes(32, "little")) == "key.not_canonical"


@pytest.mark.parametrize("factor", range(1, 8))
def test_a_point_outside_the_prime_order_group_is_no_key(factor: int) -> None:
    mixed = add(A, times(factor, ORDER_8))
    assert times(8, mixed) == times(8, A)
    assert code_of_enrolling(encode(mixed)) == "key.not_in_group"


def test_the_point_of_order_2_l_that_libraries_used_to_miss_is_no_key() -> None:
    assert code_of_enrolling(encode(add(BASE, (0, P - 1)))) == "key.not_in_group"


@pytest.mark.parametrize("y", [2, 7, 8, P - 2])
def test_a_y_that_no_point_has_is_no_key(y: int) -> None:
    raw = y.to_bytes(32, "little")
    assert decode(raw) is None
    assert code_of_enrolling(raw) == "key.not_in_group"


@pytest.mark.parametrize("factor", range(1, 12))
def test_s_plus_a_multiple_of_l_does_not_verify(factor: int) -> None:
    signature = KEY.sign(MESSAGE)
    s = int.from_bytes(signature[32:], "little") + factor * L
    assert code_of_verifying(signature[:32] + s.to_bytes(32, "little")) == "signature.malformed"


@pytest.mark.parametrize("s", [L, L + 1, 2**252 + 2**251, 2**253, 2**255 - 1, 2**256 - 1])
def test_s_that_is_not_below_l_does_not_verify(s: int) -> None:
    assert code_of_verifying(KEY.sign(MESSAGE)[:32] + s.to_bytes(32, "little")) == "signature.malformed"


@pytest.mark.parametrize("bit", [252, 253, 254, 255])
def test_a_high_bit_of_s_does_not_verify(bit: int) -> None:
    signature = int.from_bytes(KEY.sign(MESSAGE), "little") | 1 << 256 + bit
    assert code_of_verifying(signature.to_bytes(64, "little")) == "signature.malformed"


def test_the_oracle_makes_signatures_that_verify() -> None:
    KEY.public.verify(with_nonce(encode(times(7, BASE)), 7), MESSAGE)


@pytest.mark.parametrize("r_point", SMALL_POINTS)
def test_r_of_small_order_does_not_verify(r_point: bytes) -> None:
    assert code_of_verifying(with_nonce(r_point, 0)) == "signature.small_order"


@pytest.mark.parametrize("factor", range(1, 8))
def test_r_outside_the_prime_order_group_does_not_verify(factor: int) -> None:
    mixed = encode(add(times(7, BASE), times(factor, ORDER_8)))
    assert code_of_verifying(with_nonce(mixed, 7)) == "signature.bad"


@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 96, 128])
def test_a_signature_of_another_length_does_not_verify(length: int) -> None:
    signature = (KEY.sign(MESSAGE) + bytes(64))[:length]
    assert code_of_verifying(signature) == "signature.malformed"


def test_bytes_moved_between_signature_and_message_do_not_verify() -> None:
    signature = KEY.sign(MESSAGE)
    assert code_of_verifying(signature + MESSAGE[:1], MESSAGE[1:]) == "signature.malformed"
    assert code_of_verifying(signature[:63], signature[63:] + MESSAGE) == "signature.malformed"


def test_the_zero_signature_does_not_verify() -> None:
    assert code_of_verifying(bytes(64)) == "signature.small_order"


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100))
def test_what_a_key_signs_its_public_key_verifies(seed: bytes, message: bytes) -> None:
    key = Ed25519PrivateKey(seed)
    key.public.verify(key.sign(message), message)
    with pytest.raises(BadSignatureError):
        key.public.verify(key.sign(message), message + b"\x00")


@given(st.integers(0, 511))
def test_no_bit_of_a_signature_can_change(bit: int) -> None:
    signature = int.from_bytes(KEY.sign(MESSAGE), "little") ^ 1 << bit
    assert code_of_verifying(signature.to_bytes(64, "little")).startswith("signature.")


@given(st.binary(min_size=32, max_size=32))
def test_arbitrary_bytes_become_a_key_only_in_the_group_and_in_one_spelling(raw: bytes) -> None:
    try:
        PublicKey.from_raw(Scheme.ED25519, raw)
    except PublicKeyError:
        point = decode(raw)
        assert point is None or times(L, point) != NEUTRAL or encode(point) != raw
    else:
        point = decode(raw)
        assert point is not None
        assert times(L, point) == NEUTRAL
        assert encode(point) == raw


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_seed_of_another_length_is_a_mistake_of_the_caller(length: int) -> None:
    with pytest.raises(ValueError, match=f"32 bytes, got {length}"):
        Ed25519PrivateKey(bytes(length))
