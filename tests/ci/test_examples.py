# SPDX-License-Identifier: Apache-2.0
"""The example workflows do what they promise: their own shell steps, against a coordinator on loopback."""

import base64
import io
import json
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from quorumseal.cli.main import main
from tests.ci import gitlab_api
from tests.ci.forges import EXAMPLES, Forge, GitHub, GitLab, Ran, read_example
from tests.cli.office import PASSPHRASE, Office, coordinator_of, found_office
from tests.cli.published import said

pytestmark = pytest.mark.timeout(300)  # dozens of programs, one after the other
Capture = pytest.CaptureFixture[str]
WAITS = 1.0  # seconds, as the examples say: --timeout 1s
_numbers = count(1)
BUILD = """#!/bin/sh
mkdir -p dist
echo "built by $$ in $PWD" >dist/widget.tar.gz # every build is another one
"""


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return found_office(tmp_path_factory.mktemp("ci") / "acme", machines=["ci"]).folder


@pytest.fixture
def office(founded: Path, tmp_path: Path) -> Iterator[Office]:
    copied = Office(tmp_path / "acme")
    shutil.copytree(founded, copied.folder)
    with coordinator_of(copied):
        yield copied


@pytest.fixture
def repository(office: Office, tmp_path: Path) -> Path:
    ci = tmp_path / "repository" / "ci"
    ci.mkdir(parents=True)
    (ci / "build").write_text(BUILD)
    (ci / "build").chmod(0o755)
    (ci / "quorumseal.txt").write_text("# what is pinned is installed already\n")
    (ci / "people").write_text("Bob-at-Acme bob\nAlice-at-Acme alice\n")
    shutil.copy(office.folder / "trust.json", ci)
    return ci.parent


@pytest.fixture
def secrets(office: Office) -> dict[str, str]:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(office.folder / "people" / "ci", arcname=".")
    return {
        "QUORUMSEAL_CI_HOME": base64.encodebytes(archive.getvalue()).decode(),
        "QUORUMSEAL_PASSPHRASE": PASSPHRASE,
    }


class Story:
    """One forge, and the two jobs of its example."""

    def __init__(self, office: Office, capsys: Capture, version: str) -> None:
        self.office, self.version, self._capsys = office, version, capsys
        self.release = f"widget@{version}"

    forge: Forge
    ask: Callable[[], Ran]
    publish: Callable[[], Ran]
    kept: Callable[[], bytes]
    """The artifact that the forge keeps."""
    published: Callable[[], bytes | None]
    """The bundle that stands beside it, once it is released."""
    replace: Callable[[bytes], object]
    """Put other bytes in the artifact's place."""

    def said(self, *words: str) -> Any:
        """Return what rita is told."""
        self._capsys.readouterr()
        main([*words, *self.office.home("rita"), "--json"])
        return said(self._capsys.readouterr().out)

    def decide(self, verb: str, *people: str, words: tuple[str, ...] = ()) -> None:
        """Let people decide on the bytes that the forge keeps."""
        self.office.artifact.write_bytes(self.kept())
        for person in people:
            assert self.office.decide(verb, person, *words, release=self.release) == 0


def on_github(
    office: Office, repository: Path, secrets: dict[str, str], capsys: Capture, version: str
) -> Story:
    folder = repository.parent
    (folder / "programs").mkdir()
    program = Path(__file__).with_name("github_releases.py")
    (folder / "programs" / "gh").write_text(f'#!/bin/sh\nexec python3 "{program}" "$@"\n')
    (folder / "programs" / "gh").chmod(0o755)
    releases = folder / "releases"
    releases.mkdir()
    forge, story = GitHub(folder, repository, secrets), Story(office, capsys, version)
    kept = {"FAKE_RELEASES": str(releases)}
    tag = releases / f"v{version}"
    story.ask = lambda: forge.run("ask", GITHUB_REF_NAME=tag.name, GITHUB_ACTOR="Alice-at-Acme", **kept)
    story.forge = forge
    story.publish = lambda: forge.run("publish", GITHUB_REF_NAME="main", GITHUB_ACTOR="Bob-at-Acme", **kept)
    story.kept = lambda: (tag / "assets" / "widget.tar.gz").read_bytes()
    story.replace = lambda data: (tag / "assets" / "widget.tar.gz").write_bytes(data)

    def published() -> bytes | None:
        if json.loads((tag / "state.json").read_text())["draft"]:
            return None
        return (tag / "assets" / f"widget-{version}.quorumseal.json").read_bytes()

    story.published = published
    return story


def on_gitlab(
    office: Office,
    repository: Path,
    secrets: dict[str, str],
    capsys: Capture,
    version: str,
    api: gitlab_api.Api,
) -> Story:
    gitlab, story = GitLab(repository.parent, repository, secrets), Story(office, capsys, version)
    story.forge = gitlab
    runner = {"CI_API_V4_URL": api.url, "CI_PROJECT_ID": "7", "CI_JOB_TOKEN": gitlab_api.TOKEN}
    package = f"generic/widget/{version}"
    story.ask = lambda: gitlab.run(
        "ask", CI_COMMIT_TAG=f"v{version}", GITLAB_USER_LOGIN="Alice-at-Acme", **runner
    )
    story.publish = lambda: gitlab.run("publish", GITLAB_USER_LOGIN="Bob-at-Acme", **runner)
    story.kept = lambda: api.files[f"{package}/widget.tar.gz"]
    story.replace = lambda data: api.files.update({f"{package}/widget.tar.gz": data})

    def published() -> bytes | None:
        if f"v{version}" not in api.releases:
            return None
        artifact, bundle = api.releases[f"v{version}"]["assets"]["links"]
        assert artifact["url"].endswith(f"{package}/widget.tar.gz")
        return api.files[bundle["url"].partition("/packages/")[2]]

    story.published = published
    return story


@pytest.fixture(params=["github", "gitlab"])
def story(
    request: pytest.FixtureRequest, office: Office, repository: Path, secrets: dict[str, str], capsys: Capture
) -> Iterator[Story]:
    version = f"1.{next(_numbers)}"
    if request.param == "github":
        yield on_github(office, repository, secrets, capsys, version)
        return
    with gitlab_api.serving() as api:
        yield on_gitlab(office, repository, secrets, capsys, version, api)


def runs_in_two_days(cron: str) -> int:
    """Count how often a schedule such as ``17 7-19/2 * * 1-5`` fires on two working days."""
    minute, hours, day, month, days = cron.split()
    first, last, step = map(int, re.split(r"[-/]", hours))
    assert (day, month, days) == ("*", "*", "1-5")
    assert minute.isdigit()
    return 2 * len(range(first, last + 1, step))


def test_a_ceremony_of_two_days_costs_a_minute_of_runner(story: Story) -> None:
    asked = story.ask()
    assert asked.code == 0, asked.output
    pending = [story.publish() for _ in range(3)]
    story.decide("approve", "carol", "bob")
    pending += [story.publish() for _ in range(2)]
    assert [run.code for run in pending] == [0] * 5, [run.output for run in pending]
    assert story.published() is None
    story.decide("approve", "erin", "dan")
    assert main(["wait", story.release, "--timeout", "20s", *story.office.home("rita")]) == 0
    done = story.publish()
    assert done.code == 0, done.output
    assert f"belongs to widget {story.version}, which its quorum approved" in done.output
    bundle = story.office.folder / "published" / f"{story.release}.quorumseal.json"
    assert story.published() == bundle.read_bytes()
    after = story.publish()
    assert (after.code, "quorumseal" in after.output) == (0, False)
    runs = runs_in_two_days(read_example("github-release.yml")["on"]["schedule"][0]["cron"])
    each = median(run.seconds for run in pending) + WAITS
    seconds = asked.seconds + runs * each + done.seconds
    assert seconds < 60, [asked.seconds, *(run.seconds for run in pending), done.seconds]


def test_ten_reruns_on_new_machines_make_one_ceremony_about_the_same_bytes(story: Story) -> None:
    first = story.ask()
    built = story.kept()
    reruns = [story.ask() for _ in range(9)]
    assert [run.code for run in (first, *reruns)] == [0] * 10, first.output + reruns[-1].output
    assert all("nothing was signed anew" in run.output for run in reruns)
    assert story.kept() == built
    listed = story.said("list", "--product", "widget", "--version", story.version)["ceremonies"]
    assert len(listed) == 1
    shown = story.said("show", story.release)
    assert (shown["requester"], shown["on_behalf_of"]) == ("ci", "alice")


def test_a_machine_with_nothing_installed_installs_what_is_pinned(story: Story) -> None:
    story.forge.cached = None
    run = story.ask()
    assert run.code == 127  # nothing is pinned here
    assert "quorumseal: command not found" in run.output
    machine = max(story.forge.folder.glob("machine-*"))
    assert (machine / "work" / ".quorumseal" / "bin" / "pip").exists()


def test_whoever_the_machine_asked_for_does_not_count(story: Story) -> None:
    assert story.ask().code == 0
    story.office.artifact.write_bytes(story.kept())
    assert story.office.decide("approve", "alice", release=story.release) == 4


def test_other_bytes_in_the_forge_are_not_released(story: Story) -> None:
    assert story.ask().code == 0
    story.decide("approve", "bob", "erin", "carol", "dan")
    assert main(["wait", story.release, "--timeout", "20s", *story.office.home("rita")]) == 0
    story.replace(b"other bytes\n")
    run = story.publish()
    assert run.code == 1
    assert "[artifact.other_bytes]" in run.output
    assert story.published() is None


def test_what_was_rejected_is_not_released_and_can_be_asked_for_again(story: Story) -> None:
    assert story.ask().code == 0
    story.decide("reject", "carol", words=("--reason", "no changelog"))
    ended = story.publish()
    assert (ended.code, story.published()) == (1 if "exit code 10" in ended.output else 0, None)
    assert story.publish().code == 0  # it is said once
    again = story.ask()
    assert again.code == 0
    assert "asked for widget" in again.output
    story.decide("approve", "bob", "erin", "carol", "dan")
    assert main(["wait", story.release, "--timeout", "20s", *story.office.home("rita")]) == 0
    assert story.publish().code == 0
    assert story.published() is not None


def test_somebody_whom_nobody_knows_cannot_have_a_machine_ask(story: Story, repository: Path) -> None:
    (repository / "ci" / "people").write_text("Bob-at-Acme bob\n")
    run = story.ask()
    assert run.code != 0
    assert story.said("list", "--version", story.version)["ceremonies"] == []


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir()))
def test_no_example_shows_a_secret_to_a_process_list(name: str) -> None:
    text = (EXAMPLES / name).read_text()
    assert not re.search(r"--passphrase(?!-fd)|echo[^\n]*(PASSPHRASE|HOME_ARCHIVE|TOKEN)|set -x", text)
    assert "--passphrase-fd 3 3<" in text


def test_nobody_is_waited_for_longer_than_a_second() -> None:
    for path in EXAMPLES.iterdir():
        assert re.findall(r"wait .*--timeout (\S+)", path.read_text()) == [f"{WAITS:.0f}s"]


def test_no_expression_of_the_forge_stands_in_a_script() -> None:
    jobs = read_example("github-release.yml")["jobs"]
    scripts = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert len(scripts) >= 7
    assert [script for script in scripts if "${{" in script] == []
