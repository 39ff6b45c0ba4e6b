# SPDX-License-Identifier: Apache-2.0
"""One spelling for each instant, digest, name and text; everything else is refused."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorumseal.ceremony import values
from quorumseal.ceremony.errors import ValueFormatError


def test_an_instant_has_milliseconds_and_z() -> None:
    at = datetime(2026, 11, 20, 14, 7, tzinfo=UTC)
    assert values.instant_text(at) == "2026-11-20T14:07:00.000Z"
    assert values.instant("2026-11-20T14:07:00.000Z") == at


def test_an_instant_elsewhere_is_written_in_utc() -> None:
    at = datetime(2026, 11, 20, 15, 7, 0, 123_999, tzinfo=timezone(timedelta(hours=1)))
    assert values.instant_text(at) == "2026-11-20T14:07:00.123Z"
    assert values.whole_milliseconds(at) == values.instant("2026-11-20T14:07:00.123Z")


def test_an_instant_without_a_zone_is_misuse() -> None:
    with pytest.raises(ValueError, match="time zone"):
        values.instant_text(datetime(2026, 11, 20))  # noqa: DTZ001 - the mistake in question


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-20",
        "2026-11-20T14:07:00Z",
        "2026-11-20T14:07:00.000",
        "2026-11-20T14:07:00.000z",
        "2026-11-20t14:07:00.000Z",
        "2026-11-20 14:07:00.000Z",
        "2026-11-20T14:07:00.000000Z",
        "2026-11-20T15:07:00.00+01:0",
        "2026-11-20T14:07:00,000Z",
        "2026-13-20T14:07:00.000Z",
        "2026-02-30T14:07:00.000Z",
        "2026-11-20T24:00:00.000Z",
        "2026-11-20T14:07:60.000Z",
        "٢٠٢٦-11-20T14:07:00.000Z",
    ],
)
def test_other_spellings_of_an_instant_are_refused(text: str) -> None:
    with pytest.raises(ValueFormatError, match="expected an instant"):
        values.instant(text)


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1000, 1, 1)))  # noqa: DTZ001 - the zone is given
def test_instants_make_the_round_trip(at: datetime) -> None:
    cut = values.whole_milliseconds(at)
    assert values.instant(values.instant_text(at)) == cut


def test_a_digest_names_bytes() -> None:
    assert values.digest_of(b"") == values.EMPTY_DIGEST
    assert values.digest(values.EMPTY_DIGEST) == values.EMPTY_DIGEST
    assert values.digest_from_hex(values.EMPTY_DIGEST.removeprefix("sha256:")) == values.EMPTY_DIGEST


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:" + "A" * 64, "sha256:" + "a" * 63, "sha512:" + "a" * 64, "a" * 64]
)
def test_other_spellings_of_a_digest_are_refused(text: str) -> None:
    with pytest.raises(ValueFormatError):
        values.digest(text)


@pytest.mark.parametrize("text", ["a", "alice", "a.b_c-d9", "acme.example", "0", "a" * 64])
def test_names(text: str) -> None:
    assert values.name(text) == text


@pytest.mark.parametrize("text", ["", "Alice", "-a", "a-", ".a", "a ", "a\n", "å", "a" * 65, "a/b", "а"])  # noqa: RUF001 - a Cyrillic letter
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ValueFormatError):
        values.name(text)


@pytest.mark.parametrize("text", ["1.0", "2026.11+build-7", "V1"])
def test_versions(text: str) -> None:
    assert values.version(text) == text


@pytest.mark.parametrize("text", ["", "-1", "1 0", "1/0", "v" * 65, "1.0\n"])
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(ValueFormatError):
        values.version(text)


def test_a_ceremony_id_is_a_uuid_of_version_7() -> None:
    good = "01934000-0000-7000-8000-000000000001"
    assert values.ceremony_id(good) == good
    for bad in (good.replace("-7", "-4"), good.upper().replace("0", "A"), "{" + good + "}", good[:-1]):
        with pytest.raises(ValueFormatError):
            values.ceremony_id(bad)


@pytest.mark.parametrize("text", ["widget.tar.gz", "dist/widget-1.0+linux.whl", "_x", "a/b/c", "console.log"])
def test_artifact_names(text: str) -> None:
    assert values.subject_name(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a//b",
        "a/",
        ".hidden",
        "a/.hidden",
        "-rf",
        "a/-x",
        "a\\b",
        "c:x",
        "a b",
        "a\x00b",
        "a\nb",
        "con",
        "NUL.txt",
        "a/com1",
        "lpt9.tar",
        "file.",
        "a./b",
        "x" * 129,
        "/".join(["x" * 100] * 6),
        "ä",
        "a\u202eb",
    ],
)
def test_path_tricks_and_device_names_are_refused(text: str) -> None:
    with pytest.raises(ValueFormatError, match="artifact name"):
        values.subject_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "JIRA-42",
        "Größe, 文書 №5",
        "https://tickets.acme.example/42",
        "한글 ᄀ ភាសាខ្មែរ ᠮᠣᠩᠭᠣᠯ ⠓⠊ 👍",  # the neighbours of what is refused
        "a\u0332",
    ],
)
def test_printable_lines(text: str) -> None:
    assert values.printable(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " x",
        "x ",
        "a\nb",
        "a\x1b[31mb",
        "a\u202eb",
        "a\u200bb",
        "a\u2028b",
        "e\u0301",
        "x" * 257,
        "a\ue000",
    ],
)
def test_what_a_screen_would_not_show_as_it_is_is_refused(text: str) -> None:
    with pytest.raises(ValueFormatError, match="printable"):
        values.printable(text)


UNSEEN = [
    *"\u3164\u115f\u1160\uffa0\u2800\u034f\u17b4\u17b5",
    *"\u180b\u180c\u180d\u180e\u180f\ufe00\ufe07\ufe0e\ufe0f\U000e0100\U000e01ef",
    *"\u00a0\u1680\u2000\u2003\u2009\u200a\u202f\u205f\u3000",
    *"\u00ad\u061c\u200c\u200d\u2060\u2064\u2065\ufeff\ufff0\ufffb\U0001bca0\U0001d173\U000e0001\U000e0041",
    *"\U00013441\U00016fe4\U0001d159",
]


@pytest.mark.parametrize("character", UNSEEN, ids=ascii)
@pytest.mark.parametrize("around", ["REL{}7", "REL-7{}", "{}REL-7", "{}"])
def test_a_line_with_a_character_that_looks_like_nothing_or_like_a_space_is_refused(
    character: str, around: str
) -> None:
    with pytest.raises(ValueFormatError, match="printable"):
        values.printable(around.format(character))


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("72h", 259_200), ("3d", 259_200), ("2w", 1_209_600)]
)
def test_durations(text: str, seconds: int) -> None:
    assert values.duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "0s", "3", "d", "3 d", "-3d", "3D", "1.5h", "1234567s", "3d\n"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueFormatError, match="duration"):
        values.duration(text)
