# SPDX-License-Identifier: Apache-2.0
"""Cosignatures: published ones verify, and nothing else counts as one."""

import re
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from quorumseal.signatures import Ed25519PrivateKey, P256PrivateKey, PublicKey, Scheme
from quorumseal.tlog import (
    Checkpoint,
    Cosignature,
    CosignatureError,
    MalformedNoteError,
    Witness,
    add_lines,
    cosign,
    cosigner_key,
    cosigner_key_id,
    note_key_id,
    read_cosignatures,
    sign_checkpoint,
)

LOG = Ed25519PrivateKey(bytes(range(32)))
CAROL, DAVE = Ed25519PrivateKey(b"\x01" * 32), Ed25519PrivateKey(b"\x02" * 32)
NAME = "acme.example/witness/carol"
BY_CAROL, BY_DAVE = Witness(NAME, CAROL.public), Witness("acme.example/witness/dave", DAVE.public)
CHECKPOINT = Checkpoint("log.acme.example", 7, b"\x07" * 32)
NOTE = sign_checkpoint(CHECKPOINT, LOG)
AT = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)

# a checkpoint of a public certificate log as four public witnesses cosigned it, and the published key of one
PUBLISHED_KEY = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
PUBLISHED = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllza\
lApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1b\
fTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVk\
jZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TO\
QtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0\
WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7\
lI7cUiOvKFYe/TmN9DAg==
""".encode()
# the example of the specification, which publishes no keys
EXAMPLE_LINE = (
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
)


def published_witness() -> Witness:
    name, _, material = PUBLISHED_KEY.split("+", 2)
    return Witness(name, PublicKey.from_raw(Scheme.ED25519, b64decode(material)[1:]))


def line(name: str, blob: bytes) -> str:
    return f"— {name} {b64encode(blob).decode()}\n"


def by(key: Ed25519PrivateKey, name: str, *, at: datetime = AT, checkpoint: Checkpoint = CHECKPOINT) -> str:
    return cosign(checkpoint, key, name, at=at)


def read(*lines: str, witnesses: tuple[Witness, ...] = (BY_CAROL, BY_DAVE)) -> tuple[Cosignature, ...]:
    return read_cosignatures(add_lines(NOTE, lines), witnesses)


def test_a_published_cosignature_verifies_with_its_published_key() -> None:
    witness = published_witness()
    assert cosigner_key(witness) == PUBLISHED_KEY
    assert cosigner_key_id(witness).hex() == "da77ade7"
    (found,) = read_cosignatures(PUBLISHED, [witness, BY_CAROL])
    assert found.witness == witness
    assert found.at == datetime(2026, 5, 23, 21, 50, 24, tzinfo=UTC)
    assert found.line.encode() in PUBLISHED


@pytest.mark.parametrize("place", ["size", "root", "time", "signature"])
def test_a_published_cosignature_does_not_verify_once_anything_is_altered(place: str) -> None:
    spelt = {
        "size": (b"1432088532", b"1432088533"),
        "root": (b"U7WM79jr", b"U7WM79js"),
        "time": (b"2net5wAAAABqEiEg", b"2net5wAAAABqEiEh"),
        "signature": (b"PlfF3V06", b"PlfF3V07"),
    }
    altered = PUBLISHED.replace(*spelt[place])
    assert altered != PUBLISHED
    with pytest.raises(CosignatureError, match=r"by remora\.n621\.de\+da77ade7, got one that is wrong"):
        read_cosignatures(altered, [published_witness()])


def test_a_line_is_framed_as_the_specification_frames_its_example() -> None:
    example, ours = b64decode(EXAMPLE_LINE), b64decode(by(CAROL, NAME).split(" ")[2])
    assert len(ours) == len(example) == 4 + 8 + 64
    assert int.from_bytes(example[4:12], "big") == 1679315147
    assert int.from_bytes(ours[4:12], "big") == int(AT.timestamp())
    assert ours[:4] == cosigner_key_id(BY_CAROL) != note_key_id(NAME, CAROL.public)


def test_what_is_signed_is_the_header_the_time_and_the_checkpoint_s_text() -> None:
    blob = b64decode(by(CAROL, NAME).split(" ")[2])
    said = f"cosignature/v1\ntime {int(AT.timestamp())}\n{CHECKPOINT.text}"
    CAROL.public.verify(blob[12:], said.encode())


def test_a_cosignature_is_read_back_with_its_witness_time_and_line() -> None:
    mine, theirs = by(CAROL, NAME), by(DAVE, BY_DAVE.name, at=AT + timedelta(minutes=1))
    assert read(mine, theirs) == (
        Cosignature(witness=BY_CAROL, at=AT, line=mine),
        Cosignature(witness=BY_DAVE, at=AT + timedelta(minutes=1), line=theirs),
    )


def test_a_time_is_an_instant_whatever_its_zone_and_is_written_in_whole_seconds() -> None:
    zoned = AT.replace(microsecond=999_999).astimezone(timezone(timedelta(hours=5)))
    assert by(CAROL, NAME, at=zoned) == by(CAROL, NAME)


def test_a_note_without_cosignatures_has_none() -> None:
    assert read() == ()
    assert read(by(CAROL, NAME), witnesses=()) == ()


@pytest.mark.parametrize(
    "unknown",
    [
        by(DAVE, NAME),
        by(CAROL, "acme.example/witness/erin"),
        line(NAME, note_key_id(NAME, CAROL.public) + CAROL.sign(CHECKPOINT.text.encode())),
        line(NAME, b"\x00" * 2424),
        line("witness.example", b"\x00" * 5),
    ],
    ids=[
        "another key under the name",
        "the key under another name",
        "a log's signature",
        "another kind",
        "x",
    ],
)
def test_a_line_of_somebody_unknown_is_ignored(unknown: str) -> None:
    assert [each.witness for each in read(unknown, by(DAVE, BY_DAVE.name))] == [BY_DAVE]


@pytest.mark.parametrize(
    "wrong",
    [
        by(CAROL, NAME, checkpoint=replace(CHECKPOINT, size=6)),
        by(CAROL, NAME, checkpoint=replace(CHECKPOINT, root=b"\x08" * 32)),
        by(CAROL, NAME, checkpoint=replace(CHECKPOINT, origin="log.other.example")),
        line(NAME, cosigner_key_id(BY_CAROL) + b"\x00" * 72),
        line(NAME, cosigner_key_id(BY_CAROL) + CAROL.sign(CHECKPOINT.text.encode())),
        line(NAME, cosigner_key_id(BY_CAROL) + b"\x00"),
        line(NAME, cosigner_key_id(BY_CAROL) + b"\x00" * 2430),
    ],
    ids=["an older size", "another root", "another origin", "zeros", "no time", "short", "long"],
)
def test_a_line_that_names_a_known_witness_must_hold_its_cosignature_of_this_checkpoint(wrong: str) -> None:
    with pytest.raises(CosignatureError, match=r"acme\.example/witness/carol"):
        read(by(DAVE, BY_DAVE.name), wrong)


@pytest.mark.parametrize("seconds", [1 << 63, (1 << 64) - 1, 253402300800])
def test_a_time_that_no_calendar_can_write_is_refused(seconds: int) -> None:
    signature = CAROL.sign(f"cosignature/v1\ntime {seconds}\n{CHECKPOINT.text}".encode())
    with pytest.raises(CosignatureError, match=f"before the year 10000 of .*carol, got {seconds}"):
        read(line(NAME, cosigner_key_id(BY_CAROL) + seconds.to_bytes(8, "big") + signature))


def test_a_witness_that_cosigned_twice_counts_once_with_its_earlier_time() -> None:
    earlier, later = by(CAROL, NAME), by(CAROL, NAME, at=AT + timedelta(hours=1))
    assert (
        read(later, earlier) == read(earlier, later) == (Cosignature(witness=BY_CAROL, at=AT, line=earlier),)
    )


def test_two_keys_under_one_name_count_as_one_witness() -> None:
    both = (BY_CAROL, Witness(NAME, DAVE.public))
    assert len(read(by(CAROL, NAME), by(DAVE, NAME), witnesses=both)) == 1


def test_hundreds_of_lines_are_refused_before_any_is_verified() -> None:
    with pytest.raises(MalformedNoteError, match="at most 64 signature lines, got 301"):
        read(*[by(CAROL, NAME)] * 300)


def test_a_key_of_another_scheme_cosigns_nothing() -> None:
    with pytest.raises(ValueError, match=re.escape("an ed25519 key, not ecdsa-p256")):
        cosign(CHECKPOINT, P256PrivateKey(b"\x01" * 32), NAME, at=AT)
