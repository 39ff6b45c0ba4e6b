# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: a public log's open, ours are written in their form, and every malformation is refused."""

from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorumseal.signatures import Ed25519PrivateKey, PublicKey, Scheme
from quorumseal.tlog import (
    EMPTY_ROOT,
    Checkpoint,
    MalformedCheckpointError,
    NoteSignatureError,
    OtherOriginError,
    leaf_hash,
    open_checkpoint,
    sign_checkpoint,
    sign_note,
)

ORIGIN = "log.example/releases"
KEY = Ed25519PrivateKey(bytes(range(32)))
ROOT = leaf_hash(b"entry")
ENCODED = b64encode(ROOT).decode()

# Go's checksum database, under its published key; the first is the specification's own example, which the
# specification prints with another origin and key name
GO_ORIGIN, GO_NAME = "go.sum database tree", "sum.golang.org"
GO_KEY = PublicKey.from_raw(Scheme.ED25519, b64decode("Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")[1:])
PUBLISHED = [
    (
        20852163,
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=",
        {
            GO_NAME: "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeM"
            "cTOAYQ8="
        },
    ),
    (
        6476701,
        "mb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=",
        {
            GO_NAME: "Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFIGu95949rj4nPRYfvimWEPWL+o3Ge"
            "oWwOoAw="
        },
    ),
    (
        15067302,
        "gJyioq6dwR9n+NjEWORfYmH+ubeYm3kH42BBQ0bTpYI=",
        {
            GO_NAME: "Az3grp1rvWOs5NKlr/xR4GLN/CDyzzakmt1o61uSxYKpK1SerqOP2ClbX/peKUZjYnyomH5Xz7GZG3TpB7Oe"
            "Kn4E2ww=",
            "test.example.com": "qTGhC/xIPQ0AXKHK6Y+9ypRfuvMZWPjRXM8NiOg5M1WREn07VQXyuIXM3NRNav3ieVFLUqDRK77P"
            "WDmL6w8w84UqeAw=",
        },
    ),
]


def published(size: int, root: str, lines: dict[str, str]) -> bytes:
    signatures = "".join(f"— {name} {signature}\n" for name, signature in lines.items())
    return f"{GO_ORIGIN}\n{size}\n{root}\n\n{signatures}".encode()


@pytest.mark.parametrize(("size", "root", "lines"), PUBLISHED)
def test_published_checkpoints_open_with_the_published_key(
    size: int, root: str, lines: dict[str, str]
) -> None:
    checkpoint = open_checkpoint(published(size, root, lines), GO_ORIGIN, [GO_KEY], key_name=GO_NAME)
    assert checkpoint == Checkpoint(GO_ORIGIN, size, b64decode(root))


def test_a_published_checkpoint_is_refused_with_another_size() -> None:
    size, root, lines = PUBLISHED[0]
    with pytest.raises(NoteSignatureError, match="is wrong"):
        open_checkpoint(published(size + 1, root, lines), GO_ORIGIN, [GO_KEY], key_name=GO_NAME)


@pytest.mark.parametrize("key_name", [None, "key.example"])
def test_a_signed_checkpoint_opens_to_itself(key_name: str | None) -> None:
    checkpoint = Checkpoint(ORIGIN, 7, ROOT)
    note = sign_checkpoint(checkpoint, KEY, key_name)
    assert note.startswith(f"{ORIGIN}\n7\n{ENCODED}\n\n— {key_name or ORIGIN} ".encode())
    assert open_checkpoint(note, ORIGIN, [KEY.public], key_name=key_name) == checkpoint


def test_the_empty_log_has_a_checkpoint() -> None:
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert open_checkpoint(sign_checkpoint(empty, KEY), ORIGIN, [KEY.public]) == empty


def test_a_checkpoint_of_another_log_is_refused_though_the_key_is_right() -> None:
    note = sign_checkpoint(Checkpoint("log.example/drills", 7, ROOT), KEY, ORIGIN)
    with pytest.raises(OtherOriginError, match="drills") as refusal:
        open_checkpoint(note, ORIGIN, [KEY.public])
    assert refusal.value.code == "log.checkpoint_origin"
    assert refusal.value.hint


def test_a_checkpoint_that_another_key_signed_is_refused() -> None:
    note = sign_checkpoint(Checkpoint(ORIGIN, 7, ROOT), Ed25519PrivateKey(bytes(32)))
    with pytest.raises(NoteSignatureError, match="got none"):
        open_checkpoint(note, ORIGIN, [KEY.public])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{ORIGIN}\n7\n", id="no root"),
        pytest.param(f"{ORIGIN}\n", id="origin alone"),
        pytest.param(f"{ORIGIN}\n7\n{ENCODED}\nextension\n", id="an extension line"),
        pytest.param(f"{ORIGIN}\n7\n{ENCODED}\n\n", id="an empty line at the end"),
        pytest.param(f"\n7\n{ENCODED}\n", id="no origin"),
        pytest.param(f"{ORIGIN}\u202e\n7\n{ENCODED}\n", id="an origin that turns the line round"),
        pytest.param(f"{ORIGIN}\n\n{ENCODED}\n", id="no size"),
        pytest.param(f"{ORIGIN}\n07\n{ENCODED}\n", id="a leading zero"),
        pytest.param(f"{ORIGIN}\n00\n{b64encode(EMPTY_ROOT).decode()}\n", id="two zeros"),
        pytest.param(f"{ORIGIN}\n+7\n{ENCODED}\n", id="a plus sign"),
        pytest.param(f"{ORIGIN}\n-7\n{ENCODED}\n", id="a negative size"),
        pytest.param(f"{ORIGIN}\n7.0\n{ENCODED}\n", id="a fraction"),
        pytest.param(f"{ORIGIN}\n7 \n{ENCODED}\n", id="a space after the size"),
        pytest.param(f"{ORIGIN}\n1_0\n{ENCODED}\n", id="an underscore"),
        pytest.param(f"{ORIGIN}\n\u0667\n{ENCODED}\n", id="an Arabic digit"),
        pytest.param(f"{ORIGIN}\n0x7\n{ENCODED}\n", id="hexadecimal"),
        pytest.param(f"{ORIGIN}\n{2**53}\n{ENCODED}\n", id="a size beyond strict JSON"),
        pytest.param(f"{ORIGIN}\n{'9' * 5000}\n{ENCODED}\n", id="a huge size"),
        pytest.param(f"{ORIGIN}\n7\n{ENCODED[:-1]}\n", id="a root without padding"),
        pytest.param(f"{ORIGIN}\n7\n{ROOT.hex()}\n", id="a root in hexadecimal"),
        pytest.param(f"{ORIGIN}\n7\n{b64encode(ROOT[:-1]).decode()}\n", id="a root of 31 bytes"),
        pytest.param(f"{ORIGIN}\n7\n{b64encode(ROOT + b'x').decode()}\n", id="a root of 33 bytes"),
        pytest.param(f"{ORIGIN}\n7\n{ENCODED} \n", id="a space after the root"),
        pytest.param(f"{ORIGIN}\n7\n{ENCODED[:-2]}{chr(ord(ENCODED[-2]) + 1)}=\n", id="loose bits"),
        pytest.param(f"{ORIGIN}\n7\né{ENCODED[1:]}\n", id="a root that is not ASCII"),
        pytest.param(f"{ORIGIN}\n0\n{ENCODED}\n", id="the empty log with a root that is not its own"),
    ],
)
def test_a_malformed_checkpoint_is_refused_though_it_is_signed(text: str) -> None:
    with pytest.raises(MalformedCheckpointError):
        open_checkpoint(sign_note(text, KEY, ORIGIN), ORIGIN, [KEY.public])


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        ("", 7, ROOT),
        ("two\nlines", 7, ROOT),
        (ORIGIN, -1, ROOT),
        (ORIGIN, 2**53, ROOT),
        (ORIGIN, 7, ROOT[:-1]),
        (ORIGIN, 0, ROOT),
    ],
)
def test_a_checkpoint_that_no_log_can_sign_cannot_be_built(origin: str, size: int, root: bytes) -> None:
    with pytest.raises(ValueError, match=r"origin|size|root"):
        Checkpoint(origin, size, root)


@given(size=st.integers(1, 2**53 - 1), root=st.binary(min_size=32, max_size=32))
def test_any_checkpoint_survives_the_round_trip(size: int, root: bytes) -> None:
    checkpoint = Checkpoint(ORIGIN, size, root)
    assert open_checkpoint(sign_checkpoint(checkpoint, KEY), ORIGIN, [KEY.public]) == checkpoint
