# SPDX-License-Identifier: Apache-2.0
"""ECDSA P-256: one DER spelling of a signature, numbers in range, keys on the curve and uncompressed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorumseal.signatures import BadSignatureError, P256PrivateKey, PublicKey, PublicKeyError, Scheme

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

# RFC 6979, A.2.5: the key, and the signatures of "sample" and "test" with SHA-256.
KEY = P256PrivateKey(bytes.fromhex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"))
X = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
Y = "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
R = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
S = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
R_TEST = "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
S_TEST = "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"


def der(r: int, s: int) -> str:
    """Hex of a DER signature, written out from X.690 for numbers of any size and sign."""
    body = b"".join(
        b"\x02" + bytes([size]) + number.to_bytes(size, "big", signed=True)
        for number in (r, s)
        for size in [(number if number >= 0 else ~number).bit_length() // 8 + 1]
    )
    assert len(body) < 128
    return (b"\x30" + bytes([len(body)]) + body).hex()


def test_the_vectors_of_rfc_6979_are_signed_and_verified() -> None:
    assert KEY.public.raw.hex() == "04" + X + Y
    sample, test = f"3046022100{R}022100{S}", f"3045022100{R_TEST}0220{S_TEST}"
    assert KEY.sign(b"sample").hex() == sample
    assert KEY.sign(b"test").hex() == test
    KEY.public.verify(bytes.fromhex(sample), b"sample")
    KEY.public.verify(bytes.fromhex(test), b"test")


def test_the_other_s_of_the_same_r_is_valid_as_the_standard_says() -> None:
    KEY.public.verify(bytes.fromhex(der(int(R, 16), N - int(S, 16))), b"sample")


r_int, s_int = int(R, 16), int(S, 16)
MALFORMED = [
    ("nothing", ""),
    ("a tag alone", "30"),
    ("an empty sequence", "3000"),
    ("NULL", "0500"),
    ("false", "010100"),
    ("only r", f"3023022100{R}"),
    ("r twice and s", f"3069022100{R}022100{R}022100{S}"),
    ("the two numbers bare", R + S),
    ("the numbers without their sequence", f"022100{R}022100{S}"),
    ("a set for the sequence", f"3146022100{R}022100{S}"),
    ("a primitive sequence", f"1046022100{R}022100{S}"),
    ("an application tag", f"6046022100{R}022100{S}"),
    ("an octet string for r", f"3046042100{R}022100{S}"),
    ("a bit string for s", f"3046022100{R}032100{S}"),
    ("a sequence in a sequence", f"30483046022100{R}022100{S}"),
    ("the sequence's length in long form", f"308146022100{R}022100{S}"),
    ("the sequence's length in two bytes", f"30820046022100{R}022100{S}"),
    ("the sequence's length in nine bytes", f"3089000000000000000046022100{R}022100{S}"),
    ("an indefinite length", f"3080022100{R}022100{S}0000"),
    ("a reserved length", f"30ff022100{R}022100{S}"),
    ("r's length in long form", f"304702812100{R}022100{S}"),
    ("s's length in long form", f"3047022100{R}02812100{S}"),
    ("s's length in two bytes", f"3048022100{R}0282002100{S}"),
    ("an indefinite length of r", f"3048028000{R}0000022100{S}"),
    ("the sequence's length one too small", f"3045022100{R}022100{S}"),
    ("the sequence's length one too large", f"3047022100{R}022100{S}"),
    ("r's length one too small", f"3046022000{R}022100{S}"),
    ("r's length one too large", f"3046022200{R}022100{S}"),
    ("s's length one too large", f"3046022100{R}022200{S}"),
    ("a length of four gigabytes", f"3084ffffffff022100{R}022100{S}"),
    ("a byte after the sequence", f"3046022100{R}022100{S}00"),
    ("a NULL after the sequence", f"3046022100{R}022100{S}0500"),
    ("a NULL in the sequence", f"3048022100{R}022100{S}0500"),
    ("a NULL before r", f"30480500022100{R}022100{S}"),
    ("zeros after s within the sequence", f"3048022100{R}022100{S}0000"),
    ("the last byte cut off", f"3046022100{R}022100{S[:-2]}"),
    ("a zero too many in front of r", f"304702220000{R}022100{S}"),
    ("a zero too many in front of s", f"3047022100{R}02220000{S}"),
    ("a zero in front of an s that needs none", f"3046022100{R_TEST}022100{S_TEST}"),
    ("no zero in front of r, so that it is negative", f"30450220{R}022100{S}"),
    ("no zero in front of s, so that it is negative", f"3045022100{R}0220{S}"),
    ("an empty r", f"30250200022100{S}"),
    ("an empty s", f"3025022100{R}0200"),
    ("infinity for r", f"3028090380fe01022100{S}"),
    ("both numbers zero", der(0, 0)),
    ("r zero", der(0, s_int)),
    ("s zero", der(r_int, 0)),
    ("r is n", der(N, s_int)),
    ("s is n", der(r_int, N)),
    ("r plus n", der(r_int + N, s_int)),
    ("s plus n", der(r_int, s_int + N)),
    ("s minus n", der(r_int, s_int - N)),
    ("r negated", der(-r_int, s_int)),
    ("s negated", der(r_int, -s_int)),
    ("r is p", der(P, s_int)),
    ("r is 2^256 and more", der(r_int + 2**256, s_int)),
]


@pytest.mark.parametrize("signature", [row[1] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
def test_a_signature_in_another_spelling_or_out_of_range_does_not_verify(signature: str) -> None:
    for message in (b"sample", b"test"):
        with pytest.raises(BadSignatureError) as refusal:
            KEY.public.verify(bytes.fromhex(signature), message)
        assert refusal.value.code == "signature.malformed"


WRONG = [
    ("r and s exchanged", der(s_int, r_int)),
    ("r and s one", der(1, 1)),
    ("r and s the largest", der(N - 1, N - 1)),
    ("r one more", der(r_int + 1, s_int)),
    ("s one less", der(r_int, s_int - 1)),
    ("the signature of another message", der(int(R_TEST, 16), int(S_TEST, 16))),
    ("r minus n plus p", der(r_int - N + P, s_int)),
    ("r of the generator, s one", der(0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296, 1)),
]


@pytest.mark.parametrize("signature", [row[1] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_sound_signature_of_something_else_does_not_verify(signature: str) -> None:
    with pytest.raises(BadSignatureError) as refusal:
        KEY.public.verify(bytes.fromhex(signature), b"sample")
    assert refusal.value.code == "signature.bad"


POINTS = [
    ("the curve's other point at x", X + f"{P - int(Y, 16):064x}", None),
    ("y one more", X + f"{int(Y, 16) + 1:064x}", "key.not_in_group"),
    ("x and y exchanged", Y + X, "key.not_in_group"),
    ("zero, zero", "00" * 64, "key.not_in_group"),
    ("x plus p", "00" * 31 + "05" + "00" * 32, "key.not_in_group"),
    ("x is p", f"{P:064x}" + Y, "key.not_in_group"),
    ("y is p", X + f"{P:064x}", "key.not_in_group"),
    ("all ones", "ff" * 64, "key.not_in_group"),
    ("the generator of secp256k1", ("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
     "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"), "key.not_in_group"),
]  # fmt: skip


@pytest.mark.parametrize(("point", "code"), [row[1:] for row in POINTS], ids=[row[0] for row in POINTS])
def test_only_points_on_the_curve_are_keys(point: str, code: str | None) -> None:
    raw = bytes.fromhex("04" + point)
    if code is None:
        assert PublicKey.from_raw(Scheme.ECDSA_P256, raw).raw == raw
        return
    with pytest.raises(PublicKeyError) as refusal:
        PublicKey.from_raw(Scheme.ECDSA_P256, raw)
    assert refusal.value.code == code


def test_a_coordinate_that_is_not_below_p_is_no_key() -> None:
    # The curve has a point at x = 5, and x + p still fits into 32 bytes, so that a lenient reader takes it.
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    square = (5**3 - 3 * 5 + b) % P
    y = pow(square, (P + 1) // 4, P)
    assert y * y % P == square
    sound = b"\x04" + (5).to_bytes(32, "big") + y.to_bytes(32, "big")
    assert PublicKey.from_raw(Scheme.ECDSA_P256, sound).raw == sound
    with pytest.raises(PublicKeyError) as refusal:
        PublicKey.from_raw(Scheme.ECDSA_P256, b"\x04" + (5 + P).to_bytes(32, "big") + y.to_bytes(32, "big"))
    assert refusal.value.code == "key.not_in_group"


@pytest.mark.parametrize("first", ["00", "02", "03", "05", "06", "07", "40"])
def test_a_point_in_another_form_is_no_key(first: str) -> None:
    with pytest.raises(PublicKeyError, match="uncompressed") as refusal:
        PublicKey.from_raw(Scheme.ECDSA_P256, bytes.fromhex(first + X + Y))
    assert refusal.value.code == "key.malformed"


@given(st.integers(1, N - 1), st.binary(max_size=100))
def test_what_a_key_signs_its_public_key_verifies(scalar: int, message: bytes) -> None:
    key = P256PrivateKey(scalar.to_bytes(32, "big"))
    key.public.verify(key.sign(message), message)
    with pytest.raises(BadSignatureError):
        key.public.verify(key.sign(message), message + b"\x00")


@given(st.integers(0, 8 * 72 - 1))
def test_no_bit_of_a_signature_can_change(bit: int) -> None:
    signature = int.from_bytes(KEY.sign(b"sample"), "big") ^ 1 << bit
    with pytest.raises(BadSignatureError):
        KEY.public.verify(signature.to_bytes(72, "big"), b"sample")


@pytest.mark.parametrize(
    "scalar",
    [b"", bytes(32), N.to_bytes(32, "big"), b"\xff" * 32, bytes(31) + b"\x01\x00", b"\x01" * 31],
    ids=["empty", "zero", "n", "the largest", "33 bytes", "31 bytes"],
)
def test_a_scalar_out_of_range_is_a_mistake_of_the_caller(scalar: bytes) -> None:
    with pytest.raises(ValueError, match="from 1 to n - 1"):
        P256PrivateKey(scalar)
