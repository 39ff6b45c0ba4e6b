# SPDX-License-Identifier: Apache-2.0
"""A log that was set back gets its end back from the agents, byte for byte, and goes on from there."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete

from coordinator.anchor import Anchor
from coordinator.commands import Written
from coordinator.errors import AnchorError, HandedBackError, NothingLostError, RecoveryError, RewoundError
from coordinator.handing_back import HandingBack
from coordinator.log_keys import LogKeys
from coordinator.rebuilding import rebuild_in
from coordinator.recovering import Recovered, anchored_size, prepare, recover_log
from coordinator.storage import LogHead, LostRaceError, Storage
from coordinator.storage.schema import evidence, evidence_chunks
from coordinator.sweeping import Sweeping
from coordinator.uploading import KEPT
from coordinator.values import Annex
from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.recovery import read_recovery
from quorumseal.ceremony.standing_chain import replay_standing
from quorumseal.ceremony.statements import Choice, Evidence
from quorumseal.ceremony.values import digest_of
from quorumseal.tlog import Checkpoint, sign_checkpoint
from tests.coordinator.rewinding import cut_back
from tests.coordinator.workshop import Desk, Workshop
from tests.organisation import REASON, SALT, key_of

Held = dict[int, bytes]
KINDS = {"alice", "bob", "carol", "dan", "erin", "mallory", "rita", "ci"}


class Lost:
    """A log with three ceremonies, of which the end is lost; what it was is known to the test."""

    def __init__(self, workshop: Workshop, *, left: int, number: int = 1) -> None:
        self.workshop = workshop
        desk, organisation = workshop.desk(), workshop.organisation
        first = workshop.start(organisation.request(number=number, version=f"{number}.0"))
        second = workshop.start(organisation.request(number=number + 1, product="gadget"))
        third = workshop.start(organisation.request(number=number + 2, version=f"{number + 2}.0"))
        desk.written(first)
        desk.written(second)
        for who in ("alice", "erin", "carol", "rita"):
            desk.written(workshop.decide(who, first))
        desk.written(workshop.decide("alice", second))
        desk.written(third)
        desk.written(
            replace(workshop.decide("carol", third, Choice.REJECTION), annex=Annex(salt=SALT, text=REASON))
        )
        self.head: LogHead = desk.storage.log.head()
        self.rows = desk.storage.log.entries(0, self.head.size)
        self.lists = desk.storage.ceremonies.all()
        self.notes = [desk.storage.log.checkpoint(size) for size in range(1, self.head.size + 1)]
        self.bundle = desk.reader.bundle(first.request.statement.ceremony)
        self.note = desk.reader.newest_checkpoint().note
        self.ceremonies = [each.request.statement.ceremony for each in (first, second, third)]
        self.open = second
        cut_back(desk.storage, left)
        self.left = left
        self.desk: Desk = workshop.desk()
        self.storage: Storage = self.desk.storage
        self.keys = LogKeys(organisation.log_key)
        self.handing = HandingBack(self.storage, self.desk.high_water, now=lambda: workshop.time.now)

    def held(self, start: int | None = None, end: int | None = None) -> Held:
        """Return what an agent kept that followed from one index to another."""
        kept = self.rows[self.left if start is None else start : end]
        return {row.index: row.payload for row in kept}

    def hand_back(
        self, signer: str, held: Held, *texts: tuple[str, Annex], note: bytes | None = None
    ) -> None:
        """Let somebody's agent hand back what it holds."""
        self.handing.take(self.note if note is None else note, [*held.items()], texts, signer=signer)

    def recover(self, *, certain: bool = True) -> Recovered:
        """Recover, knowing how far the log reached, or not."""
        return recover_log(
            self.storage,
            self.keys,
            at=self.workshop.time.now,
            certain=self.head.size if certain else 0,
            destinations=["directory:test"],
        )

    def check(self) -> None:
        """See that everything is as it was, and goes on."""
        size, log = self.head.size, self.storage.log
        assert log.entries(0, size) == self.rows
        assert log.root_at(size) == self.head.root
        assert [each for each in (log.checkpoint(n) for n in range(1, size + 1)) if each] != []
        for known in filter(None, self.notes):
            assert log.checkpoint(known.size) == known
        assert self.storage.ceremonies.all() == self.lists
        assert rebuild_in(self.storage).differing == ()
        (recovered,) = log.entries(size, log.size())
        recovery = read_recovery(read_entry(recovered.payload).body)
        assert (recovered.type, recovery.before.size, recovery.after.size) == ("recovered", self.left, size)
        assert replay_standing(row.payload for row in log.standing()).hashes
        assert self.desk.reader.bundle(self.ceremonies[0]) == self.bundle
        assert self.storage.rewound.shown() == []
        again = self.desk.written(self.workshop.decide("carol", self.open))
        self.workshop.check(again.receipt)


@pytest.mark.parametrize("left", [1, 2, 5, 6, 8, 9, 10])
def test_everything_comes_back_byte_for_byte_wherever_the_log_was_cut(workshop: Workshop, left: int) -> None:
    lost = Lost(workshop, left=left)
    middle = (left + lost.head.size) // 2
    lost.hand_back("alice", lost.held(end=middle))
    lost.hand_back("bob", lost.held(start=middle))
    assert lost.desk.high_water.rewound is not None
    recovered = lost.recover()
    assert recovered.recovery.handed_back == ("alice", "bob")
    lost.check()


def test_texts_come_back_where_somebody_holds_them_and_only_those_that_belong(workshop: Workshop) -> None:
    lost = Lost(workshop, left=3)
    third = lost.ceremonies[2]
    reason, other = Annex(salt=SALT, text=REASON), Annex(salt=SALT, text="something else")
    lost.hand_back("carol", lost.held(), (third, reason), (third, other), (lost.ceremonies[1], reason))
    assert lost.recover().texts_missing == 0
    for ceremony, count in zip(lost.ceremonies, (0, 0, 1), strict=True):
        assert len(lost.storage.ceremonies.annexes(ceremony)) == count


def test_texts_that_nobody_holds_are_counted(workshop: Workshop) -> None:
    lost = Lost(workshop, left=3)
    lost.hand_back("alice", lost.held())
    assert lost.recover().texts_missing == 1


@pytest.mark.parametrize("when", ["before the recovery", "after it"])
def test_evidence_that_is_sent_again_stays_for_the_request_that_names_it(
    workshop: Workshop, when: str
) -> None:
    file, other = b"the bill of materials", b"nobody names this"
    named = Evidence(kind="sbom", name="sbom.json", media_type="application/json", digest=digest_of(file))
    desk, stored = workshop.desk(), workshop.organisation.request()
    desk.storage.evidence.put(digest_of(file), file, uploader="rita", until=workshop.time.now)
    desk.written(workshop.start(replace(stored, evidence=(named,))))
    lost = Lost(workshop, left=1, number=11)
    with lost.storage.engines.writing() as connection:
        for table in (evidence, evidence_chunks):
            connection.execute(delete(table))
    lost.hand_back("alice", lost.held())
    until = workshop.time.now + KEPT

    def send_again() -> None:
        for data in (file, other):
            lost.storage.evidence.put(digest_of(data), data, uploader="rita", until=until)

    if when == "before the recovery":
        send_again()
        assert lost.recover().evidence_missing == ()
    else:
        assert lost.recover().evidence_missing == (digest_of(file),)
        send_again()
    assert lost.storage.evidence.waiting() == len(other)
    workshop.time.pass_by(KEPT * 2)
    Sweeping(lost.storage, clock=workshop.time.clock()).sweep()
    assert lost.storage.evidence.chunk(digest_of(file), 0) == file
    assert lost.storage.evidence.size(digest_of(other)) is None


def test_an_index_that_nobody_holds_is_named_and_nothing_is_written(workshop: Workshop) -> None:
    lost = Lost(workshop, left=3)
    held = lost.held()
    del held[6]
    lost.hand_back("alice", held)
    with pytest.raises(RecoveryError, match=r"got none for 6$"):
        lost.recover()
    assert lost.storage.log.size() == 3
    lost.hand_back("bob", {6: lost.rows[6].payload})
    lost.recover()
    lost.check()


def test_who_was_not_heard_may_have_seen_more(workshop: Workshop) -> None:
    lost = Lost(workshop, left=3)
    for signer in sorted(KINDS - {"dan", "ci"}):
        lost.hand_back(signer, lost.held() if signer == "alice" else {})
    with pytest.raises(RecoveryError, match="got nothing from ci, dan"):
        lost.recover(certain=False)
    lost.hand_back("ci", {}, note=b"")  # has never seen the log, and says so
    recovered = recover_log(lost.storage, lost.keys, at=workshop.time.now, without_unheard=True)
    assert recovered.recovery.unheard == ("dan",)


def test_forged_entries_are_left_out_and_who_handed_them_back_is_named(workshop: Workshop) -> None:
    lost = Lost(workshop, left=3)
    forged = dict.fromkeys(lost.held(), lost.rows[1].payload)
    lost.hand_back("mallory", forged)
    lost.hand_back("alice", lost.held())
    recovered = lost.recover()
    assert (recovered.left_out, recovered.recovery.handed_back) == (("mallory",), ("alice",))
    lost.check()


def test_what_is_no_entry_of_any_log_is_refused(workshop: Workshop) -> None:
    lost = Lost(workshop, left=3)
    lost.hand_back("alice", {})
    for payload in (b"", b"{}", b"\0" * 100, b'{"type":"policy"}'):
        with pytest.raises(Exception, match="expected"):
            lost.hand_back("mallory", {5: payload})
    assert lost.storage.rewound.handed_back() == []


def test_more_than_an_agent_can_hold_is_refused(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = Lost(workshop, left=3)
    monkeypatch.setattr("coordinator.handing_back.MOST_BYTES", 3000)
    lost.hand_back("mallory", {4: lost.rows[4].payload})
    held = lost.held()
    with pytest.raises(HandedBackError, match="at most 3000 bytes of mallory"):
        lost.hand_back("mallory", held)
    assert len(lost.storage.rewound.handed_back()) == 1


def test_many_short_texts_are_more_than_an_agent_can_hold(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a text takes beside its letters counts: else one letter a text would fill a disk."""
    lost = Lost(workshop, left=3)
    monkeypatch.setattr("coordinator.handing_back.MOST_BYTES", 3000)
    texts = [(lost.ceremonies[0], Annex(salt=bytes([number]) * len(SALT), text="x")) for number in range(9)]
    lost.hand_back("mallory", {}, *texts[:3])
    with pytest.raises(HandedBackError, match="at most 3000 bytes of mallory"):
        lost.hand_back("mallory", {}, *texts[3:6])
    assert len(lost.storage.rewound.texts()) == 3


def test_what_lies_outside_of_what_is_lost_is_not_kept(workshop: Workshop) -> None:
    lost = Lost(workshop, left=3)
    lost.hand_back("alice", {0: lost.rows[0].payload, 2: lost.rows[2].payload, 4000: lost.rows[3].payload})
    assert lost.storage.rewound.handed_back() == []


def test_a_log_that_has_lost_nothing_takes_nothing_back(workshop: Workshop) -> None:
    desk, _ = workshop.approved()
    handing = HandingBack(desk.storage, desk.high_water, now=lambda: workshop.time.now)
    answer = handing.take(desk.reader.newest_checkpoint().note, [(99, b"x")], [], signer="alice")
    assert not answer.rewound
    assert desk.storage.rewound.handed_back() == []
    with pytest.raises(NothingLostError):
        recover_log(desk.storage, LogKeys(workshop.organisation.log_key), at=workshop.time.now)


def test_who_shows_no_checkpoint_of_this_log_hands_back_nothing(workshop: Workshop) -> None:
    lost = Lost(workshop, left=3)
    huge = sign_checkpoint(Checkpoint(workshop.organisation.origin, 999, b"\7" * 32), key_of("mallory"))
    with pytest.raises(HandedBackError):
        lost.hand_back("mallory", lost.held(), note=huge)
    assert lost.desk.high_water.rewound is None


def test_nothing_is_recovered_into_two_histories(workshop: Workshop) -> None:
    lost = Lost(workshop, left=3)
    lost.hand_back("alice", lost.held())
    key, origin = workshop.organisation.log_key, workshop.organisation.origin
    for size in (2, 6):
        lost.desk.high_water.show(sign_checkpoint(Checkpoint(origin, size, b"\7" * 32), key), by="bob")
        with pytest.raises(RewoundError, match="expected one history"):
            lost.recover()
        assert lost.storage.log.size() == 3


def test_a_recovery_that_dies_in_its_transaction_has_written_nothing(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = Lost(workshop, left=3)
    lost.hand_back("alice", lost.held())
    monkeypatch.setattr("coordinator.storage.appending._write_ceremonies", _die)
    with pytest.raises(KeyboardInterrupt):
        lost.recover()
    assert (lost.storage.log.size(), len(lost.storage.rewound.shown())) == (3, 1)
    monkeypatch.undo()
    lost.recover()
    lost.check()
    with pytest.raises(NothingLostError):
        lost.recover()


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_of_two_recoveries_at_once_one_is_written(workshop: Workshop) -> None:
    lost = Lost(workshop, left=3)
    lost.hand_back("alice", lost.held())
    one, other = (
        prepare(
            lost.storage,
            lost.keys,
            at=lost.workshop.time.now,
            certain=99,
            without_unheard=False,
            destinations=[],
        )
        for _ in range(2)
    )
    lost.storage.append(one.append)
    with pytest.raises(LostRaceError):
        lost.storage.append(other.append)


def test_a_coordinator_that_runs_meanwhile_goes_on_by_itself(workshop: Workshop) -> None:
    lost = Lost(workshop, left=3)
    lost.hand_back("alice", lost.held())
    (refusal,) = lost.desk.write(workshop.decide("carol", lost.open))
    assert isinstance(refusal, RewoundError)
    lost.recover()
    assert isinstance(lost.desk.written(workshop.decide("carol", lost.open)), Written)


def test_a_damaged_anchor_is_named_before_anything_is_recovered(workshop: Workshop, tmp_path: Path) -> None:
    anchor = Anchor(tmp_path / "anchor")
    desk = workshop.desk(anchor=anchor.file)
    size = desk.storage.log.size()
    assert anchored_size(desk.storage, LogKeys(workshop.organisation.log_key), anchor) == size
    assert anchored_size(desk.storage, LogKeys(workshop.organisation.log_key), Anchor(tmp_path / "none")) == 0
    assert anchored_size(desk.storage, LogKeys(workshop.organisation.log_key), None) == 0
    anchor.file.write_bytes(anchor.file.read_bytes()[:-9])
    with pytest.raises(AnchorError, match="got: ") as refused:
        anchored_size(desk.storage, LogKeys(workshop.organisation.log_key), anchor)
    assert "name this log's own anchor" in refused.value.hint
