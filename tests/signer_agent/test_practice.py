# SPDX-License-Identifier: Apache-2.0
"""``agent practice``: the real screens, an organisation of its own, and nobody accepts what is made there."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from quorumseal.ceremony.errors import PolicyError
from quorumseal.ceremony.policy import PRACTICE
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import authenticate
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.values import digest_of
from quorumseal.cli.main import main
from quorumseal.refusal import Refusal
from quorumseal.signatures import Envelope, PrivateKey
from quorumseal.strict_json import write
from quorumseal.verifier.bundle import make_bundle, write_bundle
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import verify
from scripts.documentation import acme
from signer_agent.agent import Agent
from signer_agent.artifacts import Sources
from signer_agent.deciding import look
from signer_agent.drafting import draft_decision, make_reason
from signer_agent.home import SETTINGS_FILE, Home
from signer_agent.journal import Journal
from signer_agent.practising.coordinator import PracticeCoordinator
from signer_agent.practising.lessons import ARTIFACT, LESSONS, ask, let_colleague_approve, put_artifact
from signer_agent.practising.organisation import found_practice
from signer_agent.signing import send, sign_and_store
from tests.cli.office import Office, copied_office
from tests.organisation import NOW, Organisation, key_of
from tests.signer_agent.desks import Randomness

ARTIFACTS = {ARTIFACT: digest_of(LESSONS[0].found)}
REAL: dict[str, SignedPolicy] = {
    "acme of the tests": Organisation().policy,
    "with guardians": Organisation(guardians=frozenset({"security"})).policy,
    "a drill of another name": Organisation(drill=True).policy,
    "a drill of the same name": Organisation(name=PRACTICE, drill=True).policy,
    "the next version": Organisation(version=2, previous="sha256:" + "1" * 64).policy,
    "acme of the documents": acme.tell().acme.policy,
}


def test_a_whole_practice_takes_less_than_a_minute_and_uses_the_real_screens(
    capsys: pytest.CaptureFixture[str],
) -> None:
    begun = time.monotonic()
    assert main(["agent", "practice", "--yes"]) == 0
    assert time.monotonic() - begun < 60
    said = capsys.readouterr().out
    assert said.splitlines()[0].startswith("✓ Practice for you, on this machine alone")
    for line in (
        "✓ You approved kettle 1.0: it is in the log, and the receipt is verified",
        "✓ You rejected kettle 1.1: it is in the log, and the receipt is verified",
        "  ✗ kettle.tar.gz: OTHER BYTES than",
        "  log        practice/",
    ):
        assert f"\n{line}" in said
    assert said.splitlines()[-1] == "quorumseal agent doctor"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return copied_office(tmp_path / "acme")


def test_with_the_own_key_nothing_is_left_in_the_own_home(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    home = office.folder / "people" / "alice"
    before = sorted(path.name for path in home.iterdir())
    assert main(["agent", "practice", "--yes", "--own-key", "--json", *office.home("alice")]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "organisation": PRACTICE,
        "name": "alice",
        "own_key": True,
        "states": ["approved", "rejected"],
    }
    assert sorted({*before, "state"}) == sorted(path.name for path in home.iterdir())
    assert not list((home / "state").glob("journal*"))


def test_without_a_terminal_nothing_is_signed_unless_somebody_says_yes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["agent", "practice"]) == 2
    assert "You approved" not in capsys.readouterr().out


class Practised:
    """A practice with a real key, and everything that was signed with it."""

    def __init__(self, folder: Path, key: PrivateKey) -> None:
        (folder / SETTINGS_FILE).touch()
        home = Home.open(folder)
        self.practice = found_practice("alice", key.public, at=NOW, randomness=Randomness())
        self.coordinator = PracticeCoordinator(self.practice, lambda: NOW)
        self.envelopes: list[Envelope] = []
        with Journal.open(home.journal_file) as journal:
            agent = Agent(
                name="alice",
                home=home,
                journal=journal,
                connection=self.coordinator,
                trust=self.practice.trust,
                now=lambda: NOW,
                randomness=Randomness(),
            )
            for lesson in LESSONS:
                ceremony = ask(self.coordinator, agent, lesson)
                review = look(agent, ceremony, sources=Sources(paths=(put_artifact(folder, lesson),)))
                reason = make_reason(lesson.reason, agent.randomness) if lesson.reason else None
                draft = draft_decision(review, lesson.choice, reason=reason)
                stored = send(
                    agent, sign_and_store(agent, draft, key, self.practice.policy), self.practice.policy
                )
                self.envelopes.append(stored.envelope)
                if lesson is LESSONS[0]:
                    let_colleague_approve(self.coordinator, agent, ceremony)
                    part = self.coordinator.ceremony(ceremony).part
                    self.bundle = write_bundle(make_bundle([self.practice.policy], part))


@pytest.fixture(scope="module")
def practised(tmp_path_factory: pytest.TempPathFactory) -> Practised:
    return Practised(tmp_path_factory.mktemp("practice"), key_of("alice"))


@pytest.mark.parametrize("policy", REAL.values(), ids=REAL)
def test_no_real_policy_takes_what_a_real_key_signed_in_practice(
    practised: Practised, policy: SignedPolicy
) -> None:
    assert len(practised.envelopes) == len(LESSONS)
    for envelope in practised.envelopes:
        assert read_statement(envelope.payload).context.organisation == PRACTICE
        with pytest.raises(Refusal):
            authenticate(envelope, policy)


@pytest.mark.parametrize("policy", REAL.values(), ids=REAL)
def test_no_real_trust_file_takes_a_bundle_of_a_practice(practised: Practised, policy: SignedPolicy) -> None:
    trust = Trust(organisation=policy.policy.organisation, policy=policy.digest, minimum_version=1)
    with pytest.raises(Refusal):
        verify(practised.bundle, trust, ARTIFACTS)


def test_even_whoever_trusts_a_practice_is_told_that_it_is_an_exercise(practised: Practised) -> None:
    with pytest.raises(Refusal) as refused:
        verify(practised.bundle, practised.practice.trust, ARTIFACTS)
    assert refused.value.code == "drill.exercise"


def test_a_real_key_signs_decisions_alone_in_practice(practised: Practised) -> None:
    assert practised.practice.policy.signers == (practised.practice.asker,)
    assert {read_statement(each.payload).context.signer for each in practised.envelopes} == {"alice"}


def test_no_organisation_in_earnest_has_the_name_of_the_practice() -> None:
    with pytest.raises(PolicyError, match="only practise"):
        replace(Organisation().policy.policy, organisation=PRACTICE)


@pytest.mark.parametrize("name", ["asker", "colleague"])
def test_the_others_have_other_names_than_whoever_practises(name: str) -> None:
    practice = found_practice(name, key_of(name).public, at=NOW, randomness=Randomness())
    assert len({name, practice.asker, practice.colleague}) == 3


@pytest.mark.parametrize("call", ["start", "act", "stand", "follow"])
def test_what_is_not_practised_is_refused(practised: Practised, call: str) -> None:
    with pytest.raises(Refusal, match="what is practised"):
        getattr(practised.coordinator, call)(write({}))
