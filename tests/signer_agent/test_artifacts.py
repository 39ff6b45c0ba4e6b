# SPDX-License-Identifier: Apache-2.0
import os
from dataclasses import replace
from pathlib import Path

import pytest

from quorumseal.ceremony.statements import CheckOutcome, Locator, Request, Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.verifier.errors import OtherBytesError
from quorumseal.verifier.outcomes import outcome_of
from signer_agent.artifacts import Findings, Sources, find_artifacts
from signer_agent.errors import ArtifactsMissingError, UsageError
from tests.organisation import ARTIFACT, Organisation

WHEEL = b"a wheel\n"


def request_for(*named: tuple[str, bytes], locators: tuple[Locator, ...] = ()) -> Request:
    subjects = tuple(Subject(name=name, digest=digest_of(data)) for name, data in named)
    return replace(Organisation().request(subjects=subjects), locators=locators)


ONE = request_for(("widget.tar.gz", ARTIFACT))
TWO = request_for(("widget.tar.gz", ARTIFACT), ("linux/widget.whl", WHEEL))


def file(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_a_file_of_any_name_is_held_against_the_only_artifact(tmp_path: Path) -> None:
    findings = find_artifacts(ONE, Sources(paths=(file(tmp_path, "my build.tgz", ARTIFACT),)))
    assert findings.outcome is CheckOutcome.PASS
    findings.require(unchecked=False)


def test_one_bit_is_enough_to_refuse_with_exit_code_3(tmp_path: Path) -> None:
    changed = bytes([ARTIFACT[0] ^ 1]) + ARTIFACT[1:]
    findings = find_artifacts(ONE, Sources(paths=(file(tmp_path, "widget.tar.gz", changed),)))
    assert findings.outcome is CheckOutcome.FAIL
    with pytest.raises(OtherBytesError) as refused:
        findings.require(unchecked=True)
    assert outcome_of(refused.value.code) == 3
    assert digest_of(changed) in str(refused.value)


def test_a_directory_holds_the_artifacts_under_their_names(tmp_path: Path) -> None:
    file(tmp_path, "widget.tar.gz", ARTIFACT)
    file(tmp_path, "linux/widget.whl", WHEEL)
    assert find_artifacts(TWO, Sources(paths=(tmp_path,))).outcome is CheckOutcome.PASS
    assert find_artifacts(TWO, Sources(directory=tmp_path)).outcome is CheckOutcome.PASS


def test_files_are_matched_by_their_last_name(tmp_path: Path) -> None:
    paths = (file(tmp_path, "a/widget.whl", WHEEL), file(tmp_path, "b/widget.tar.gz", ARTIFACT))
    assert find_artifacts(TWO, Sources(paths=paths)).outcome is CheckOutcome.PASS


def test_a_path_that_was_given_goes_before_the_configured_directory(tmp_path: Path) -> None:
    file(tmp_path, "dist/widget.tar.gz", ARTIFACT)
    other = file(tmp_path, "other/widget.tar.gz", b"other")
    findings = find_artifacts(ONE, Sources(paths=(other,), directory=tmp_path / "dist"))
    assert findings.outcome is CheckOutcome.FAIL


def test_what_was_not_found_is_unknown_and_said_only_on_request(tmp_path: Path) -> None:
    findings = find_artifacts(TWO, Sources(paths=(file(tmp_path, "widget.tar.gz", ARTIFACT),)))
    assert findings.outcome is CheckOutcome.UNKNOWN
    assert findings.missing == ("linux/widget.whl",)
    findings.require(unchecked=True)
    with pytest.raises(ArtifactsMissingError) as refused:
        findings.require(unchecked=False)
    assert refused.value.code == "usage.artifacts_missing"
    assert "--unchecked-artifacts" in refused.value.hint


def test_nothing_found_is_never_a_pass() -> None:
    assert Findings().outcome is CheckOutcome.UNKNOWN


@pytest.mark.parametrize(
    ("name", "message"),
    [("widget.zip", "it is that of 0"), ("nothing/here", "it is that of 0")],
)
def test_a_file_that_is_no_artifact_is_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        find_artifacts(TWO, Sources(paths=(tmp_path / name,)))


def test_two_files_for_one_artifact_are_refused(tmp_path: Path) -> None:
    paths = (file(tmp_path, "a/widget.whl", WHEEL), file(tmp_path, "b/widget.whl", WHEEL))
    with pytest.raises(UsageError, match="one file for"):
        find_artifacts(TWO, Sources(paths=paths))


def test_a_directory_without_any_artifact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="found none"):
        find_artifacts(TWO, Sources(paths=(tmp_path,)))


def test_a_pipe_or_a_missing_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="plain file"):
        find_artifacts(ONE, Sources(paths=(tmp_path / "pipe",)))
    with pytest.raises(UsageError, match="No such file"):
        find_artifacts(ONE, Sources(paths=(tmp_path / "nothing",)))


def test_a_file_beyond_the_largest_size_is_refused(tmp_path: Path) -> None:
    path = file(tmp_path, "widget.tar.gz", ARTIFACT)
    with pytest.raises(UsageError, match="at most 10 bytes") as refused:
        find_artifacts(ONE, Sources(paths=(path,), largest=10))
    assert "artifacts.largest" in refused.value.hint


def test_locators_are_followed_only_where_that_was_asked_for(tmp_path: Path) -> None:
    path = file(tmp_path, "widget.tar.gz", ARTIFACT)
    request = replace(ONE, locators=(Locator(name="widget.tar.gz", uri=path.as_uri()),))
    assert find_artifacts(request, Sources()).missing == ("widget.tar.gz",)
    found = find_artifacts(request, Sources(fetch=True)).found["widget.tar.gz"]
    assert found.matches
    assert found.source == path.as_uri()


def test_hashing_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []
    path = file(tmp_path, "widget.tar.gz", b"x" * (3 << 20))
    find_artifacts(ONE, Sources(paths=(path,), progress=lambda name, done: told.append((name, done))))
    assert told == [("widget.tar.gz", n << 20) for n in (1, 2, 3)]
