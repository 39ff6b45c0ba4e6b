# SPDX-License-Identifier: Apache-2.0
"""A token proves a time by its authority's signature alone; every malformation has its own refusal."""

import builtins
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from quorumseal.signatures import (
    Authority,
    AuthorityCertificateError,
    AuthorityExpiredError,
    AuthorityPurposeError,
    MalformedTimestampError,
    NonceError,
    NotGrantedError,
    OtherImprintError,
    TimestampAlgorithmError,
    TimestampError,
    TimestampLibraryError,
    TimestampSignatureError,
    UnknownAuthorityError,
    der,
    read_timestamp,
)
from quorumseal.signatures.timestamps import (
    MAX_TOKEN_BYTES,
    answered,
    request_timestamp,
    taking_tokens_unjudged,
)
from tests.timestamp_authority import (
    Certified,
    LyingAuthority,
    RealAuthority,
    certify,
    openssl_needed,
    tst_info,
)

pytestmark = openssl_needed
MESSAGE = b"the bytes of an approval"
AT = datetime(2026, 11, 20, 14, 0, 1, 250000, tzinfo=UTC)
NONCE = 0xC0FFEE
SHA512 = bytes.fromhex("300d06096086480165030402030500")


@dataclass(frozen=True)
class World:
    folder: Path
    real: RealAuthority
    lying: LyingAuthority
    other: LyingAuthority

    def signer(self, name: str, **how: object) -> Certified:
        return certify(self.folder, name, self.lying.root, **how)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("authorities")
    (folder / "other").mkdir()
    return World(folder, RealAuthority(folder), LyingAuthority(folder), LyingAuthority(folder / "other", "x"))


def test_real_authority_proves_the_time_and_openssl_agrees(world: World) -> None:
    before = datetime.now(UTC)
    answer = world.real.answer(request_timestamp(MESSAGE, NONCE))
    stamp = answered(answer, MESSAGE, [world.other.authority, world.real.authority], nonce=NONCE)
    after = datetime.now(UTC)
    assert stamp.authority == "clock.acme.example"
    assert before - timedelta(milliseconds=1) <= stamp.at <= after
    assert stamp.latest == stamp.at + timedelta(seconds=1, milliseconds=500)
    world.real.verify(stamp.token, MESSAGE)
    assert read_timestamp(stamp.token, MESSAGE, [world.real.authority]) == stamp


def test_chain_in_whatever_order_an_authority_sends_it_is_read(tmp_path: Path) -> None:
    real = RealAuthority(tmp_path, chain=True)
    answer = real.answer(request_timestamp(MESSAGE, NONCE))
    stamp = answered(answer, MESSAGE, [real.authority], nonce=NONCE)
    assert stamp == read_timestamp(stamp.token, MESSAGE, [real.authority])
    real.verify(stamp.token, MESSAGE)


def test_path_may_lead_through_another_authority_whose_certificate_is_in_the_token(world: World) -> None:
    middle = world.signer("middle", timestamps=None)
    signer = certify(world.folder, "below", middle)
    token = world.lying.sign(tst_info(MESSAGE, AT), "-certfile", middle.pem, signer=signer)
    assert read_timestamp(token, MESSAGE, [world.lying.authority]).at == AT
    alone = world.lying.sign(tst_info(MESSAGE, AT), signer=signer)
    with pytest.raises(UnknownAuthorityError):
        read_timestamp(alone, MESSAGE, [world.lying.authority])


@pytest.mark.parametrize(
    ("at", "accuracy", "latest"),
    [
        (b"20261120140001Z", timedelta(0), AT.replace(microsecond=0)),
        (b"20261120140001.25Z", timedelta(0), AT),
        (b"20261120140001.000001Z", timedelta(0), AT.replace(microsecond=1000)),
        (b"20261120140001.25Z", timedelta(seconds=60), AT + timedelta(seconds=60)),
        (b"20261120140001.25Z", timedelta(milliseconds=500), AT + timedelta(milliseconds=500)),
        (b"20261120140001.25Z", timedelta(hours=1), AT + timedelta(hours=1)),
    ],
)
def test_what_is_proved_is_the_later_end_of_the_authoritys_accuracy(
    world: World, at: bytes, accuracy: timedelta, latest: datetime
) -> None:
    token = world.lying.sign(tst_info(MESSAGE, at, accuracy=accuracy))
    assert read_timestamp(token, MESSAGE, [world.lying.authority]).latest == latest


Bad = Callable[[World], bytes]


def told(**how: object) -> Bad:
    return lambda w: w.lying.sign(tst_info(MESSAGE, AT, **how))  # type: ignore[arg-type]


def timed(text: bytes) -> Bad:
    return lambda w: w.lying.sign(tst_info(MESSAGE, text))


def by(name: str, **how: object) -> Bad:
    return lambda w: w.lying.sign(tst_info(MESSAGE, AT), signer=w.signer(name, **how))


def good(w: World) -> bytes:
    return w.lying.token(MESSAGE, AT)


def changed(old: bytes, new: bytes) -> Bad:
    return lambda w: good(w).replace(old, new)


def two_signers(w: World) -> bytes:
    second = w.signer("second")
    return w.lying.sign(tst_info(MESSAGE, AT), "-signer", second.pem, "-inkey", second.secret)


def by_nobody(w: World) -> bytes:
    content = good(w)
    content_type, signed = der.elements(der.only(content, der.SEQUENCE))
    fields = der.elements(der.only(signed.content, der.SEQUENCE))
    inner = b"".join(der.encode(*each) for each in fields[:-1]) + der.encode(fields[-1].tag, b"")
    return der.encode(
        der.SEQUENCE, der.encode(*content_type) + der.encode(signed.tag, der.encode(der.SEQUENCE, inner))
    )


def endless(w: World) -> bytes:
    """Return a token whose certificates lead on and on."""
    above, files = w.other.root, []
    for number in range(6):
        above = certify(w.folder, f"step{number}", above, timestamps=None)
        files.append(above.pem.read_text())
    (w.folder / "steps.pem").write_text("".join(files))
    signer = certify(w.folder, "last", above)
    return w.lying.sign(tst_info(MESSAGE, AT), "-certfile", w.folder / "steps.pem", signer=signer)


BAD: dict[str, tuple[Bad, type[TimestampError]]] = {
    "nothing": (lambda _: b"", MalformedTimestampError),
    "no DER": (lambda _: b"\xff" * 64, MalformedTimestampError),
    "another document": (lambda w: w.lying.root.pem.read_bytes(), MalformedTimestampError),
    "cut short": (lambda w: good(w)[:-1], MalformedTimestampError),
    "trailing byte": (lambda w: good(w) + b"\0", MalformedTimestampError),
    "too large": (lambda w: good(w) + b"\0" * MAX_TOKEN_BYTES, MalformedTimestampError),
    "other bytes": (lambda w: w.lying.token(b"another approval", AT), OtherImprintError),
    "another hash function": (told(algorithm=SHA512), TimestampAlgorithmError),
    "signed over SHA-1": (
        lambda w: w.lying.sign(tst_info(MESSAGE, AT), "-md", "sha1"),
        TimestampAlgorithmError,
    ),
    "no time": (timed(b"20261320140001Z"), MalformedTimestampError),
    "local time": (timed(b"20261120140001"), MalformedTimestampError),
    "time with zeros at its end": (timed(b"20261120140001.250Z"), MalformedTimestampError),
    "finer than microseconds": (timed(b"20261120140001.1234567Z"), MalformedTimestampError),
    "hardly accurate": (told(accuracy=timedelta(hours=1, seconds=1)), MalformedTimestampError),
    "accurate to ages": (told(accuracy=timedelta(days=10**8)), MalformedTimestampError),
    "two signatures": (two_signers, MalformedTimestampError),
    "no signature": (by_nobody, MalformedTimestampError),
    "without certificates": (
        lambda w: w.lying.sign(tst_info(MESSAGE, AT), "-nocerts"),
        UnknownAuthorityError,
    ),
    "by another authority": (lambda w: w.other.token(MESSAGE, AT), UnknownAuthorityError),
    "a path without an end": (endless, UnknownAuthorityError),
    "by another authority of the same name": (
        lambda w: w.lying.sign(tst_info(MESSAGE, AT), signer=w.other.signer),
        UnknownAuthorityError,
    ),
    "certificate expired by then": (by("old", until=AT - timedelta(seconds=1)), AuthorityExpiredError),
    "certificate not valid yet": (by("young", since=AT + timedelta(seconds=1)), AuthorityExpiredError),
    "certificate for anything": (by("plain", timestamps=False), AuthorityPurposeError),
    "purpose not critical": (by("meek", critical=False), AuthorityPurposeError),
    "certificate for more than timestamps": (
        by("busy", also=[ExtendedKeyUsageOID.CODE_SIGNING]),
        AuthorityPurposeError,
    ),
    "another time": (changed(b"20261120140001.25Z", b"20251120140001.25Z"), TimestampSignatureError),
    "issued by what is no authority": (
        lambda w: w.lying.sign(
            tst_info(MESSAGE, AT),
            "-certfile",
            w.lying.signer.pem,
            signer=certify(w.folder, "leaf", w.lying.signer),
        ),
        TimestampSignatureError,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_malformation_is_refused_by_its_own_code(world: World, case: str) -> None:
    make, refusal = BAD[case]
    with pytest.raises(refusal) as refused:
        read_timestamp(make(world), MESSAGE, [world.lying.authority])
    assert type(refused.value) is refusal


def test_no_byte_of_a_token_can_be_changed_into_another_time(world: World) -> None:
    """What nobody signed (versions, the order of certificates) may differ; what it proves may not."""
    token, randomness = good(world), random.Random(3161)
    stamp = read_timestamp(token, MESSAGE, [world.lying.authority])
    for _ in range(4000 if os.environ.get("QUORUMSEAL_DEEP") else 300):
        other = bytearray(token)
        other[randomness.randrange(len(token))] = randomness.randrange(256)
        try:
            read = read_timestamp(bytes(other), MESSAGE, [world.lying.authority])
        except TimestampError:
            continue
        assert (read.authority, read.at, read.latest) == (stamp.authority, stamp.at, stamp.latest)


def test_certificate_that_nobody_can_load_is_malformed(world: World) -> None:
    name = b"lying-tsa"
    with pytest.raises(TimestampError):
        read_timestamp(good(world).replace(name, b"\xff" * len(name)), MESSAGE, [world.lying.authority])


def test_answer_to_another_question_is_refused(world: World) -> None:
    answer = world.real.answer(request_timestamp(MESSAGE, NONCE))
    with pytest.raises(NonceError):
        answered(answer, MESSAGE, [world.real.authority], nonce=NONCE + 1)
    without = world.lying.token(MESSAGE, AT)
    with pytest.raises(NonceError):
        read_timestamp(without, MESSAGE, [world.lying.authority], nonce=NONCE)


def test_authority_that_refuses_is_heard(world: World) -> None:
    question = request_timestamp(MESSAGE, NONCE).replace(
        bytes.fromhex("0402010500"), bytes.fromhex("0402030500")
    )
    with pytest.raises(NotGrantedError):
        answered(world.real.answer(question), MESSAGE, [world.real.authority], nonce=NONCE)


@pytest.mark.parametrize(
    "answer", [b"", b"\x30\x00", b"<html>", b"\x30\x02\x30\x00", b"\x30\x03\x02\x01\x00"]
)
def test_answer_that_is_none_is_refused(world: World, answer: bytes) -> None:
    with pytest.raises(TimestampError):
        answered(answer, MESSAGE, [world.real.authority], nonce=NONCE)


def test_answer_with_another_document_for_a_token_is_refused(world: World) -> None:
    answer = der.encode(der.SEQUENCE, bytes.fromhex("3003020100") + bytes.fromhex("30020500"))
    with pytest.raises(MalformedTimestampError):
        answered(answer, MESSAGE, [world.real.authority], nonce=NONCE)


def test_nobodys_word_is_taken_where_no_authority_is_pinned(world: World) -> None:
    with pytest.raises(UnknownAuthorityError, match="nobody"):
        read_timestamp(good(world), MESSAGE, [])


def test_authority_is_pinned_by_its_root_alone(world: World) -> None:
    pem = world.lying.root.pem.read_text()
    assert Authority.read("x", pem).pem == pem
    for text in (
        "",
        "no certificate",
        world.lying.signer.pem.read_text(),
        pem + pem,
        pem.replace("A", "B", 1),
    ):
        with pytest.raises(AuthorityCertificateError):
            Authority.read("x", text)


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def absent(name: str, *rest: object, **more: object) -> object:
        if name == "rfc3161_client":
            raise ModuleNotFoundError(name)
        return imported(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", absent)


@pytest.mark.usefixtures("no_library")
def test_missing_library_is_named_with_what_installs_it(world: World) -> None:
    with pytest.raises(TimestampLibraryError) as refused:
        read_timestamp(good(world), MESSAGE, [world.lying.authority])
    assert "quorumseal[timestamps]" in refused.value.hint


@pytest.mark.parametrize("accuracy", [timedelta(0), timedelta(seconds=3, milliseconds=20, microseconds=1)])
def test_without_the_library_a_token_is_taken_at_its_word_where_somebody_asks_for_that(
    world: World, request: pytest.FixtureRequest, accuracy: timedelta
) -> None:
    token = world.lying.token(MESSAGE, AT, accuracy)
    judged = read_timestamp(token, MESSAGE, [world.lying.authority])
    request.getfixturevalue("no_library")
    with taking_tokens_unjudged() as taken:
        stamp = read_timestamp(token, MESSAGE, [])
    assert (stamp.at, stamp.latest, stamp.authority) == (judged.at, judged.latest, "")
    assert taken == [token]
    with pytest.raises(TimestampLibraryError):
        read_timestamp(token, MESSAGE, [])


@pytest.mark.usefixtures("no_library")
def test_what_no_token_says_is_refused_unjudged_as_well(world: World) -> None:
    token = good(world)
    with taking_tokens_unjudged():
        with pytest.raises(OtherImprintError):
            read_timestamp(token, b"other bytes", [])
        for malformed in (b"x", token[:-1], token + b"x", world.lying.token(MESSAGE, AT, timedelta(hours=2))):
            with pytest.raises(MalformedTimestampError):
                read_timestamp(malformed, MESSAGE, [])


def test_with_the_library_nothing_is_taken_unjudged(world: World) -> None:
    with taking_tokens_unjudged() as taken, pytest.raises(UnknownAuthorityError):
        read_timestamp(good(world), MESSAGE, [world.other.authority])
    assert taken == []


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_element_of_any_size_is_read_as_it_was_written(size: int) -> None:
    element = der.Element(der.OCTET_STRING, b"x" * size)
    assert der.elements(der.encode(*element)) == [element]
    assert der.only(der.encode(*element), der.OCTET_STRING) == element.content


@pytest.mark.parametrize(
    "data",
    [
        b"\x04",
        b"\x04\x01",
        b"\x04\x80\x00\x00",
        b"\x04\x81\x01x",
        b"\x04\x82\x00\x80" + b"x" * 128,
        b"\x04\x85\x01\x00\x00\x00\x00",
        b"\x04\x84\x01",
        b"\x1f\x01\x00",
        b"\x04\x00\x04\x00",
        b"\x02\x01\x00",
        b"",
    ],
)
def test_other_than_one_element_in_der_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        der.only(data, der.OCTET_STRING)
