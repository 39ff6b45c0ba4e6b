# SPDX-License-Identifier: Apache-2.0
"""Re-approvals decided on together: what is signed is the list that was shown, all of it or nothing."""

from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import CheckOutcome, Decision, Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.client.errors import CoordinatorRefusedError, CoordinatorUnreachableError
from quorumseal.signatures import PrivateKey
from quorumseal.terminal import Look, Screen
from quorumseal.terminal.words import four_words
from signer_agent.artifacts import Sources
from signer_agent.errors import GridChangedError, GridRowError, NoReceiptError, UsageError
from signer_agent.grid import Grid, Settled, look_at_all, require_same, sign_all, write_all
from signer_agent.grid_screen import draw_grid, draw_settled, grid_json, settled_json
from tests.burning import reapproval
from tests.signer_agent.releases import SHORT, Releases, bytes_of
from tests.simulated_coordinator import Message

NAMES = [f"widget@{version}" for version in SHORT]
NOWHERE = Sources()


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    made = Releases(tmp_path)
    made.ask()
    return made


def shown(releases: Releases, person: str = "bob", sources: Sources = NOWHERE, **fields: Any) -> Grid:
    return look_at_all(releases.desk(person).agent, sources, **fields)


def signed(releases: Releases, grid: Grid, person: str = "bob") -> tuple[Settled, ...]:
    desk, opened = releases.desk(person), list[PrivateKey]()

    def key() -> PrivateKey:
        opened.append(desk.key)
        return desk.key

    settled = sign_all(desk.agent, grid, write_all(grid), key)
    assert len(opened) <= 1, "the key is opened once"
    return settled


def folders(at: Path, *versions: str, other: str = "") -> Sources:
    """Put the artifacts of versions where a grid looks for them."""
    for version in versions:
        folder = at / f"widget@{version}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "widget.tar.gz").write_bytes(b"other bytes" if version == other else bytes_of(version))
    return Sources(paths=(at,))


def lines(draw: Callable[[Screen], None]) -> list[str]:
    out = StringIO()
    draw(Screen(out, StringIO(), look=Look(width=80), err_look=Look()))
    return out.getvalue().splitlines()


def test_all_that_wait_are_in_one_table_with_who_approved_before_and_what_is_short(
    releases: Releases,
) -> None:
    grid = shown(releases)
    assert [row.name for row in grid.rows] == NAMES
    document = grid_json(grid)
    assert document["words"] == four_words(grid.digest)
    first = grid.rows[0]
    assert first.review.background.about is not None
    assert first.review.background.about.chain.id == releases.ceremonies["1.0"]
    screen = lines(lambda drawn: draw_grid(drawn, grid))
    assert screen[0].endswith("3 re-approvals wait for your decision")
    assert all(len(line) <= 80 for line in screen)
    whole = " ".join(" ".join(screen).split())
    for word in (
        "widget@1.2",
        "alice, bob",
        "2 engineering",
        "the same as approved",
        grid.digest,
    ):
        assert word in whole, word


def test_each_row_gets_a_signature_of_its_own_by_one_key(releases: Releases) -> None:
    grid = shown(releases)
    settled = signed(releases, grid)
    assert all(each.stored is not None for each in settled)
    assert len(releases.desk("bob").key.signed) == len(SHORT)
    for row in grid.rows:
        ceremony = releases.coordinator.chains[row.review.request.statement.ceremony].ceremony
        assert ceremony.decisions["bob"].statement.subjects == row.review.request.statement.subjects
    assert shown(releases).rows == (), "nothing waits for bob any more"
    for person in ("erin", "carol", "dan"):
        signed(releases, shown(releases, person), person)
    states = {releases.coordinator.state(row.review.request.statement.ceremony) for row in grid.rows}
    assert states == {State.APPROVED}
    assert "3 of 3 approvals" in lines(lambda drawn: draw_settled(drawn, settled, grid))[0]


def test_who_asked_and_who_has_no_role_see_none(releases: Releases) -> None:
    assert shown(releases, "rita").rows == ()
    assert shown(releases, "mallory").rows == ()
    screen = lines(lambda drawn: draw_grid(drawn, shown(releases, "rita")))
    assert screen[0].endswith("No re-approval waits for you")


def test_an_approval_says_whether_the_bytes_were_hashed(releases: Releases, tmp_path: Path) -> None:
    grid = shown(releases, sources=folders(tmp_path / "dist", "1.0"))
    outcomes = []
    for draft in write_all(grid):
        assert isinstance(draft.statement, Decision)
        outcomes.append(draft.statement.checks[0].outcome)
    assert outcomes == [CheckOutcome.PASS, CheckOutcome.UNKNOWN, CheckOutcome.UNKNOWN]
    whole = " ".join(" ".join(lines(lambda drawn: draw_grid(drawn, grid))).split())
    assert "hashed here" in whole


def test_what_this_agent_hashed_for_the_release_is_said(tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    subjects = (Subject(name="widget.tar.gz", digest=digest_of(bytes_of("2.0"))),)
    request = releases.organisation.request(
        version="2.0", subjects=subjects, number=200, at=releases.coordinator.now
    )
    ceremony, desk = releases.coordinator.open(request), releases.desk("bob")
    desk.artifact.write_bytes(bytes_of("2.0"))
    releases.approve(ceremony, "alice")
    hashed_at = releases.coordinator.now
    desk.decide(ceremony)
    releases.approve(ceremony, "carol", "dan")
    releases.ask()
    rows = {row.name: row for row in shown(releases).rows}
    assert rows["widget@2.0"].hashed_before == hashed_at
    assert rows["widget@1.0"].hashed_before is None


def test_a_row_that_came_between_is_refused_and_nothing_is_signed(tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    releases.ask()
    grid = shown(releases)
    chain = releases.coordinator.chains[releases.ceremonies["1.4"]]
    subjects = chain.ceremony.request.statement.subjects
    request = replace(reapproval(chain, number=300, at=releases.coordinator.now), subjects=subjects)
    releases.coordinator.open(request)
    with pytest.raises(GridChangedError, match=r"widget@1\.4"):
        require_same(grid, shown(releases))
    assert releases.desk("bob").key.signed == []
    require_same(grid, shown(releases, without=["widget@1.4"]))


def test_other_bytes_that_came_between_are_refused(releases: Releases, tmp_path: Path) -> None:
    sources = folders(tmp_path / "dist", *SHORT)
    grid = shown(releases, sources=sources)
    require_same(grid, shown(releases, sources=sources))
    folders(tmp_path / "dist", *SHORT, other="1.1")
    with pytest.raises(GridChangedError, match="other bytes"):
        require_same(grid, shown(releases, sources=sources))


def test_a_row_of_other_bytes_is_approved_by_nobody_until_it_is_left_out(
    releases: Releases, tmp_path: Path
) -> None:
    sources = folders(tmp_path / "dist", *SHORT, other="1.1")
    grid = shown(releases, sources=sources)
    with pytest.raises(GridRowError, match=r"widget@1\.1.*artifact\.other_bytes") as refused:
        write_all(grid)
    assert "--without widget@1.1" in refused.value.hint
    screen = lines(lambda drawn: draw_grid(drawn, grid))
    assert "1 of them nobody should approve" in screen[0] + screen[1]
    rest = shown(releases, sources=sources, without=["widget@1.1"])
    assert [each.row.name for each in signed(releases, rest)] == ["widget@1.0", "widget@1.2"]


def test_what_is_left_out_must_be_in_the_list(releases: Releases) -> None:
    with pytest.raises(UsageError, match=r"widget@9\.9"):
        shown(releases, without=["widget@9.9"])


def test_a_file_is_no_folder_of_releases(releases: Releases, tmp_path: Path) -> None:
    file = tmp_path / "widget.tar.gz"
    file.write_bytes(b"bytes")
    with pytest.raises(UsageError, match="one folder for each release"):
        shown(releases, sources=Sources(paths=(file,)))


def test_a_row_about_something_else_than_it_names_is_refused(tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    chain = releases.coordinator.chains[releases.ceremonies["1.1"]]
    honest = reapproval(chain, number=300, at=releases.coordinator.now)
    assert honest.subjects != chain.ceremony.request.statement.subjects
    releases.coordinator.open_unasked(honest)
    (row,) = shown(releases).rows
    assert row.refusal is not None
    assert row.refusal.code == "re_approval.other"


def test_what_is_refused_of_one_does_not_keep_the_others(tmp_path: Path) -> None:
    asked = 0

    def refuses_the_second(message: Message) -> Any:
        nonlocal asked
        if message.method == "decide" and not message.reply:
            asked += 1
            if asked == 2:
                raise CoordinatorRefusedError("ceremony.ended", "expected an open ceremony")
        return message.content

    releases = Releases(tmp_path, hostile={"bob": refuses_the_second})
    releases.ask()
    grid = shown(releases)
    settled = signed(releases, grid)
    assert [each.stored is not None for each in settled] == [True, False, True]
    document = settled_json(settled, grid)
    assert isinstance(document["settled"], list)
    screen = lines(lambda drawn: draw_settled(drawn, settled, grid))
    assert "2 of 3 approvals" in screen[0]
    assert any("ceremony.ended" in line for line in screen)


def test_an_outage_leaves_the_rest_unsigned_and_what_was_signed_is_sent_again(tmp_path: Path) -> None:
    down = True

    def is_down(message: Message) -> Any:
        if message.method == "decide" and message.reply and down:
            raise CoordinatorUnreachableError("expected an answer, got none")
        return message.content

    releases = Releases(tmp_path, hostile={"bob": is_down})
    releases.ask()
    grid = shown(releases)
    (only,) = signed(releases, grid)
    assert isinstance(only.refusal, NoReceiptError)
    assert any(
        "nothing was signed" in line for line in lines(lambda drawn: draw_settled(drawn, (only,), grid))
    )
    down = False
    again = shown(releases)
    assert all(each.stored is not None for each in signed(releases, again))
    assert len(releases.desk("bob").key.signed) == len(SHORT), "nothing is signed twice"
    assert shown(releases).rows == ()
