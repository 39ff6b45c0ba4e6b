# SPDX-License-Identifier: Apache-2.0
"""What a coordinator, or a network, can do to an honest agent: nothing is signed that was not shown.

Every reply in the course of a decision is exchanged with every other reply of the same method that anybody
ever got from this log, from its past, from another ceremony, and from a second history of it; every request
is exchanged too; and every byte field is damaged.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from quorumseal.ceremony.statements import Choice, Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.client.values import Annex, CeremonyRecord, CeremonySummary
from quorumseal.refusal import Refusal
from quorumseal.strict_json import write
from signer_agent.errors import BlockedError, ForkError, HiddenEntriesError, OlderPolicyError
from signer_agent.inbox import open_inbox
from signer_agent.naming import find_ceremony, require_meant
from signer_agent.requesting import Wanted, pending_request, start, write_request
from signer_agent.signing import sign_and_store
from tests.organisation import ARTIFACT, SUBJECTS, Organisation, ceremony_number, changed
from tests.signer_agent.desks import Desk, envelopes_of
from tests.signer_agent.eyes import Eyes
from tests.simulated_coordinator import Hostile, Message, SimulatedConnection, SimulatedCoordinator

OTHER = b"the bytes of widget 1.0 with a back door\n"
MINUTE = timedelta(minutes=1)


@dataclass
class World:
    """A coordinator with two ceremonies, one for the bytes on the desk and one for others."""

    coordinator: SimulatedCoordinator
    ceremony: str
    other: str


@pytest.fixture
def world() -> World:
    organisation = Organisation()
    coordinator = SimulatedCoordinator(organisation)
    ceremony = coordinator.open(organisation.request(number=1))
    other = coordinator.open(
        organisation.request(
            number=2,
            product="gadget",
            subjects=(Subject(name="widget.tar.gz", digest=digest_of(OTHER)),),
        )
    )
    coordinator.decide_as("carol", ceremony)
    return World(coordinator, ceremony, other)


class Recorder:
    """Keeps every reply that passes."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def __call__(self, message: Message) -> Any:
        self.messages.append(message)
        return message.content


@dataclass
class SwapAt:
    """Exchanges the content of one message, by its number."""

    number: int
    content: Any
    seen: int = -1

    def __call__(self, message: Message) -> Any:
        self.seen += 1
        return self.content if self.seen == self.number else message.content


def replies(folder: Path, coordinator: SimulatedCoordinator, ceremony: str, signer: str) -> list[Message]:
    """Return every message in the course of a decision, on a coordinator of its own."""
    recorder = Recorder()
    artifact = ARTIFACT if ceremony == ceremony_number(1) else OTHER
    desk = Desk(folder, coordinator.fork(), signer, hostile=recorder, artifact=artifact)
    desk.decide(ceremony)
    return recorder.messages


def substitutes(tmp_path: Path, world: World) -> list[Message]:
    """Return what a liar has at hand: the past, another ceremony, another signer, and a second history."""
    past = replies(tmp_path / "past", world.coordinator, world.ceremony, "alice")
    elsewhere = replies(tmp_path / "elsewhere", world.coordinator, world.other, "alice")
    someone = replies(tmp_path / "someone", world.coordinator, world.ceremony, "erin")
    second = world.coordinator.fork()
    second.pass_time(MINUTE)
    second.decide_as("erin", world.ceremony)
    second.decide_as("dan", world.other)
    history = replies(tmp_path / "history", second, world.ceremony, "alice")
    return [*past, *elsewhere, *someone, *history]


def test_every_message_exchanged_with_every_other_gets_no_unseen_signature(
    tmp_path: Path, world: World
) -> None:
    lies = substitutes(tmp_path, world)
    honest = replies(tmp_path / "honest", world.coordinator, world.ceremony, "alice")
    tried = completed = 0
    for number, true in enumerate(honest):
        for at, lie in enumerate(lies):
            if (lie.method, lie.reply) != (true.method, true.reply):
                continue
            coordinator = world.coordinator.fork()
            coordinator.pass_time(MINUTE)
            desk = Desk(tmp_path / f"desk-{number}-{at}", coordinator, hostile=SwapAt(number, lie.content))
            eyes = Eyes()
            try:
                stored = eyes.decide(desk, world.ceremony)
            except Refusal:
                pass
            else:
                completed += 1
                assert stored.envelope in envelopes_of(coordinator, world.ceremony)
            assert eyes.require_all_seen(desk) <= 1
            assert desk.agent.journal.pending() == () or desk.key.signed
            tried += 1
            desk.agent.journal.close()
    assert {true.method for true in honest} == {"organisation", "ceremony", "decide", "consistency"}
    assert tried >= 4 * len(honest)
    assert completed < tried


def test_every_damaged_field_is_refused_or_harmless(
    tmp_path: Path, world: World, count: Callable[..., int]
) -> None:
    random = Random(8)
    honest = replies(tmp_path / "honest", world.coordinator, world.ceremony, "alice")
    for turn in range(count(150, deep=10_000)):
        number = random.randrange(len(honest))
        coordinator = world.coordinator.fork()
        desk = Desk(tmp_path / f"desk-{turn}", coordinator, hostile=_damage_at(number, random))
        eyes = Eyes()
        try:
            stored = eyes.decide(desk, world.ceremony)
        except Refusal:
            pass
        else:
            assert stored.envelope in envelopes_of(coordinator, world.ceremony)
        eyes.require_all_seen(desk)
        desk.agent.journal.close()


def test_display_fields_that_differ_never_reach_a_screen(tmp_path: Path, world: World) -> None:
    def lie(message: Message) -> Any:
        if message.method != "list_ceremonies":
            return message.content
        if not message.reply:
            return ((), "", "")
        return replace(message.content, ceremonies=tuple(map(_dressed_up, message.content.ceremonies)))

    desk = Desk(tmp_path / "alice", world.coordinator, hostile=lie)
    inbox = open_inbox(desk.agent)
    assert [r.request.statement.product for r in inbox.waiting] == ["widget", "gadget"]
    assert {r.request.signer for r in inbox.waiting} == {"mallory"}
    named = find_ceremony(desk.agent, "gizmo@9.9")
    with pytest.raises(Refusal, match=r"expected a ceremony about gizmo@9.9") as refused:
        require_meant(desk.look(named).ceremony, "gizmo@9.9")
    assert refused.value.code == "log.other_answer"


def test_a_ceremony_left_out_of_the_list_is_still_in_the_inbox_once_it_was_seen(
    tmp_path: Path, world: World
) -> None:
    def leave_out(message: Message) -> Any:
        if message.method == "list_ceremonies" and message.reply:
            return replace(message.content, ceremonies=())
        return message.content

    desk = Desk(tmp_path / "alice", world.coordinator)
    assert len(open_inbox(desk.agent).waiting) == 2
    desk = desk.reopened(hostile=leave_out)
    assert len(open_inbox(desk.agent).waiting) == 2


def test_another_payload_behind_the_same_ceremony_is_not_signed(tmp_path: Path, world: World) -> None:
    def swap(message: Message) -> Any:
        if message.method == "ceremony" and message.reply:
            return world.coordinator.record(world.other, 0)
        return message.content

    desk = Desk(tmp_path / "alice", world.coordinator, hostile=swap, artifact=OTHER)
    with pytest.raises(Refusal, match="expected ceremony") as refused:
        desk.decide(world.ceremony)
    assert refused.value.code == "log.other_answer"
    assert desk.key.signed == []


def test_a_second_look_between_showing_and_signing_does_not_happen(tmp_path: Path, world: World) -> None:
    desk = Desk(tmp_path / "alice", world.coordinator)
    review = desk.look(world.ceremony)
    world.coordinator.calls.clear()
    draft = desk.draft(review)
    sign_and_store(desk.agent, draft, desk.key, review.observation.policy)
    assert world.coordinator.calls == []


def test_entries_that_were_shown_cannot_be_hidden_later(tmp_path: Path, world: World) -> None:
    world.coordinator.decide_as("dan", world.ceremony, choice=Choice.ABSTENTION)
    desk = Desk(tmp_path / "alice", world.coordinator)
    desk.look(world.ceremony)

    def hide(message: Message) -> Any:
        if message.method == "ceremony" and message.reply:
            return world.coordinator.record(world.ceremony, world.coordinator.log.size, length=2)
        return message.content

    desk = desk.reopened(hostile=hide)
    with pytest.raises(HiddenEntriesError) as refused:
        desk.decide(world.ceremony)
    assert refused.value.code == "log.hidden_entries"
    assert desk.key.signed == []


def test_ones_own_decision_cannot_be_hidden_after_its_receipt(tmp_path: Path, world: World) -> None:
    desk = Desk(tmp_path / "alice", world.coordinator)
    desk.decide(world.ceremony)

    def hide(message: Message) -> Any:
        if message.method == "ceremony" and message.reply:
            return world.coordinator.record(world.ceremony, world.coordinator.log.size, length=2)
        return message.content

    desk = desk.reopened(hostile=hide)
    with pytest.raises(HiddenEntriesError):
        desk.decide(world.ceremony, Choice.ABSTENTION)
    assert len(desk.key.signed) == 1


def test_an_older_policy_than_one_seen_is_refused(tmp_path: Path, world: World) -> None:
    desk = Desk(tmp_path / "alice", world.coordinator)
    newer = changed(world.coordinator.organisation, version=2, previous=digest_of(b"1"))
    desk.agent.journal.keep_policy(newer.policy, at=desk.agent.now())
    with pytest.raises(OlderPolicyError) as refused:
        desk.decide(world.ceremony)
    assert refused.value.code == "policy_chain.below_seen"
    assert desk.key.signed == []


def test_another_policy_of_the_same_version_is_refused(tmp_path: Path, world: World) -> None:
    desk = Desk(tmp_path / "alice", world.coordinator)
    weaker = changed(world.coordinator.organisation, quorum={"engineering": 1})
    desk.agent.journal.keep_policy(weaker.policy, at=desk.agent.now())
    with pytest.raises(OlderPolicyError, match="expected policy version 1 to be") as refused:
        desk.decide(world.ceremony)
    assert "two policies" in refused.value.hint
    assert desk.key.signed == []


def test_a_policy_that_was_not_pinned_is_refused(tmp_path: Path, world: World) -> None:
    weaker = changed(world.coordinator.organisation, quorum={"engineering": 1})
    trust = world.coordinator.log.trust
    world.coordinator.log.versions = [weaker.policy.envelope]
    desk = Desk(tmp_path / "alice", world.coordinator)
    desk.agent = replace(desk.agent, trust=trust)
    with pytest.raises(Refusal) as refused:
        desk.decide(world.ceremony)
    assert refused.value.code == "policy_chain.broken"
    assert desk.key.signed == []


RECEIPTS: dict[str, Callable[[World, Any], Any]] = {
    "another signer's receipt": lambda world, honest: replace(
        honest, receipt=world.coordinator.receipt(world.coordinator.entries[world.ceremony][1])
    ),
    "the opening's receipt": lambda world, honest: replace(
        honest, receipt=world.coordinator.receipt(world.coordinator.entries[world.ceremony][0])
    ),
    "another ceremony's receipt": lambda world, honest: replace(
        honest, receipt=world.coordinator.receipt(world.coordinator.entries[world.other][0])
    ),
    "an index beyond the log": lambda _, honest: replace(
        honest, receipt=replace(honest.receipt, index=10_000)
    ),
    "another index": lambda _, honest: replace(
        honest, receipt=replace(honest.receipt, index=honest.receipt.index - 1)
    ),
    "no inclusion": lambda _, honest: replace(honest, receipt=replace(honest.receipt, inclusion=())),
    "a checkpoint from before": lambda world, honest: replace(
        honest, receipt=replace(honest.receipt, checkpoint=world.coordinator.log.checkpoint(2))
    ),
    "a checkpoint that somebody else signed": lambda _, honest: replace(
        honest,
        receipt=replace(
            honest.receipt,
            checkpoint=SimulatedCoordinator(
                changed(Organisation(), origin="log.mallory.example")
            ).log.checkpoint(),
        ),
    ),
    "nothing that can be read": lambda _, honest: replace(
        honest, receipt=replace(honest.receipt, entry=b"{}")
    ),
}


@pytest.mark.parametrize("lie", RECEIPTS.values(), ids=RECEIPTS.keys())
def test_no_receipt_is_believed_but_ones_own(
    tmp_path: Path, world: World, lie: Callable[[World, Any], Any]
) -> None:
    def hostile(message: Message) -> Any:
        if message.method == "decide" and message.reply:
            return lie(world, message.content)
        return message.content

    desk = Desk(tmp_path / "alice", world.coordinator, hostile=hostile)
    with pytest.raises(Refusal):
        desk.decide(world.ceremony)
    (pending,) = desk.agent.journal.pending()
    settled = desk.reopened().decide(world.ceremony)
    assert settled.digest == pending.digest
    assert len(desk.key.signed) == 1
    assert len(envelopes_of(world.coordinator, world.ceremony)) == 2


def test_a_swallowed_decision_is_noticed_at_once(tmp_path: Path, world: World) -> None:
    def swallow(message: Message) -> Any:
        if message.method == "decide" and not message.reply:
            return (_sealed_by_carol(world), None)
        return message.content

    desk = Desk(tmp_path / "alice", world.coordinator, hostile=swallow)
    with pytest.raises(Refusal):
        desk.decide(world.ceremony)
    assert len(desk.agent.journal.pending()) == 1
    assert len(envelopes_of(world.coordinator, world.ceremony)) == 1


def test_text_that_no_decision_commits_to_is_not_shown_as_its_reason(tmp_path: Path, world: World) -> None:
    def invent(message: Message) -> Any:
        if message.method == "ceremony" and message.reply:
            record: CeremonyRecord = message.content
            return replace(
                record, annexes=(*record.annexes, Annex(salt=b"\x01" * 32, text="looks good to me"))
            )
        return message.content

    desk = Desk(tmp_path / "alice", world.coordinator, hostile=invent)
    assert desk.look(world.ceremony).observation.reasons == {}


def test_an_approval_in_another_name_is_refused_with_the_whole_ceremony(tmp_path: Path, world: World) -> None:
    honest = world.coordinator.part(world.ceremony)
    opened, (carols,) = honest.entries[0], envelopes_of(world.coordinator, world.ceremony)
    organisation = world.coordinator.organisation
    request = world.coordinator.chains[world.ceremony].ceremony.request
    bobs = organisation.seal(organisation.decision("bob", request), key=organisation.key("mallory"))
    old, new = (b64encode(text).decode() for text in (carols.payload, bobs.payload))
    forged = honest.entries[1].replace(old.encode(), new.encode())
    assert forged != honest.entries[1]

    def forge(message: Message) -> Any:
        if message.method == "ceremony" and message.reply:
            return replace(message.content, part=replace(honest, entries=(opened, forged)))
        return message.content

    desk = Desk(tmp_path / "alice", world.coordinator, hostile=forge)
    with pytest.raises(Refusal) as refused:
        desk.decide(world.ceremony)
    assert refused.value.code == "statement.signature"
    assert desk.key.signed == []


def test_a_second_history_is_written_down_and_nothing_is_signed_until_an_operator_says_so(
    tmp_path: Path, world: World
) -> None:
    second = world.coordinator.fork()
    world.coordinator.decide_as("erin", world.ceremony)
    second.decide_as("dan", world.other)
    desk = Desk(tmp_path / "alice", world.coordinator)
    desk.look(world.ceremony)
    desk.coordinator = second
    desk = desk.reopened()
    with pytest.raises(ForkError) as found:
        desk.decide(world.other)
    assert found.value.code == "fork.found"
    (proof,) = (tmp_path / "alice" / "state").glob("fork-proof-*.json")
    assert str(proof) in str(found.value)
    # the honest history again: blocked all the same
    desk.coordinator = world.coordinator
    desk = desk.reopened()
    with pytest.raises(BlockedError):
        desk.decide(world.ceremony)
    assert desk.key.signed == []
    desk.agent.home.block_file.unlink()
    assert desk.decide(world.ceremony).state == "open"
    assert proof.exists()


def test_a_fork_is_found_within_one_more_exchange(tmp_path: Path, count: Callable[..., int]) -> None:
    for seed in range(count(60, deep=10_000)):
        random = Random(seed)
        first = SimulatedCoordinator()
        for number in range(random.randint(1, 4)):
            first.open(first.organisation.request(number=number, version=f"1.{number}"))
        second = first.fork()
        _grow(first, random.randint(1, 5), 100)
        _grow(second, random.randint(1, 5), 200)
        desk = Desk(tmp_path / str(seed), first)
        desk.look(next(iter(first.chains)))
        desk.coordinator = second
        desk = desk.reopened()
        if second.log.size < first.log.size:  # a shorter log is no proof yet: the next entries are
            with pytest.raises(Refusal):
                desk.look(next(iter(second.chains)))
            _grow(second, first.log.size - second.log.size, 300)
        with pytest.raises(ForkError):
            desk.look(next(iter(second.chains)))
        assert list((tmp_path / str(seed) / "state").glob("fork-proof-*.json"))
        desk.agent.journal.close()


def test_a_log_that_is_behind_is_no_fork(tmp_path: Path, world: World) -> None:
    late = world.coordinator.fork()
    world.coordinator.decide_as("erin", world.ceremony)
    desk = Desk(tmp_path / "alice", world.coordinator)
    desk.look(world.ceremony)
    desk.coordinator = late
    desk = desk.reopened()
    with pytest.raises(Refusal) as behind:
        desk.decide(world.ceremony)
    assert behind.value.code in ("log.behind", "log.size_ahead")
    assert not desk.agent.home.block_file.exists()
    late.decide_as("erin", world.ceremony)
    assert desk.decide(world.ceremony).state == "open"


@pytest.mark.parametrize(
    ("more", "refusal"),
    [(0, ForkError), (1, Refusal)],
    ids=["of the same size: a fork", "of another size: no receipt"],
)
def test_a_receipt_from_a_second_history_is_not_believed(
    tmp_path: Path, world: World, more: int, refusal: type[Refusal]
) -> None:
    second = world.coordinator.fork()
    second.pass_time(MINUTE)
    _grow(second, more, 100)

    def other_history(message: Message) -> Any:
        if message.method != "decide" or not message.reply:
            return message.content
        (pending,) = desk.agent.journal.pending()
        return second.decide(pending.envelope, None)

    desk = Desk(tmp_path / "alice", world.coordinator, hostile=other_history)
    with pytest.raises(refusal):
        desk.decide(world.ceremony)
    assert desk.agent.home.block_file.exists() is (refusal is ForkError)
    assert len(desk.agent.journal.pending()) == 1


def test_a_request_is_not_moved_to_another_ceremony(tmp_path: Path, world: World) -> None:
    def elsewhere(message: Message) -> Any:
        if message.method == "start" and message.reply:
            return replace(
                message.content,
                ceremony=world.other,
                created=False,
                receipt=world.coordinator.receipt(world.coordinator.entries[world.other][0]),
            )
        return message.content

    desk = Desk(tmp_path / "rita", world.coordinator, "rita", hostile=elsewhere)
    policy = world.coordinator.organisation.policy
    draft = write_request(desk.agent, policy, Wanted(product="widget", version="2.0", subjects=SUBJECTS))
    with pytest.raises(Refusal, match="about another") as refused:
        start(desk.agent, draft, desk.key, policy)
    assert refused.value.code == "log.receipt"
    assert pending_request(desk.agent, draft) is not None


def test_every_method_of_a_connection_is_attacked_here() -> None:
    attacked = {"organisation", "ceremony", "consistency", "list_ceremonies", "start", "decide"}
    assert set(SimulatedConnection.METHODS) == attacked | {"act", "stand", "standing", "evidence"}


def _sealed_by_carol(world: World) -> bytes:
    (envelope,) = envelopes_of(world.coordinator, world.ceremony)
    return write(envelope.to_json())


def _grow(coordinator: SimulatedCoordinator, entries: int, number: int) -> None:
    for at in range(entries):
        coordinator.open(coordinator.organisation.request(number=number + at, version=f"{number}.{at}"))


def _dressed_up(summary: CeremonySummary) -> CeremonySummary:
    return replace(summary, product="gizmo", version="9.9", requester="rita", state="open")


def _damage_at(number: int, random: Random) -> Hostile:
    seen = iter(range(10_000))

    def hostile(message: Message) -> Any:
        return _damaged(message.content, random) if next(seen) == number else message.content

    return hostile


def _damaged(value: Any, random: Random) -> Any:
    """Return the value with one leaf of it changed."""
    paths = list(_leaves(value))
    if not paths:
        return value
    return _with(value, random.choice(paths), random)


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if is_dataclass(value):
        for field in fields(value):
            yield from _leaves(getattr(value, field.name), (*path, field.name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    elif isinstance(value, bytes | str | int):
        yield path


def _with(value: Any, path: tuple[Any, ...], random: Random) -> Any:
    if not path:
        match value:
            case bytes():
                if not value:
                    return b"\x00"
                at = random.randrange(len(value))
                return value[:at] + bytes([value[at] ^ 1 << random.randrange(8)]) + value[at + 1 :]
            case bool():
                return not value
            case int():
                return max(0, value + random.choice((-1, 1, 1000)))
            case str():
                return value[:-1] + random.choice("abc019") if value else "x"
    head, *rest = path
    if isinstance(value, tuple):
        return (*value[:head], _with(value[head], tuple(rest), random), *value[head + 1 :])
    return replace(value, **{head: _with(getattr(value, head), tuple(rest), random)})
