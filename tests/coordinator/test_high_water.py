# SPDX-License-Identifier: Apache-2.0
"""A coordinator whose database was set back notices, writes nothing, and never signs a second history."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.commands import Repeated, Written
from coordinator.errors import AnchorError, RewoundError
from coordinator.intake import Intake
from coordinator.log_keys import LogKeys
from quorumseal.ceremony.statements import SeenCheckpoint
from quorumseal.signatures.encodings import encode_base64
from quorumseal.tlog import Checkpoint, hash_text, open_checkpoint, sign_checkpoint, signature_on
from tests.coordinator.rewinding import cut_back
from tests.coordinator.workshop import Desk, Workshop
from tests.organisation import Organisation, key_of

OTHER = Organisation(origin="log.other.example")


def rewound(desk: Desk, workshop: Workshop) -> RewoundError:
    """Return why nothing is written, once that is seen."""
    size, note = desk.storage.log.size(), desk.reader.newest_checkpoint().note
    (refusal,) = desk.write(workshop.start(workshop.organisation.request(number=77, version="7.7")))
    assert isinstance(refusal, RewoundError)
    assert (desk.storage.log.size(), desk.reader.newest_checkpoint().note) == (size, note)
    return refusal


def set_back(workshop: Workshop, size: int = 3) -> bytes:
    """Bring a ceremony to its approval, cut the log back, and return the checkpoint that it had."""
    desk, _ = workshop.approved()
    note = desk.reader.newest_checkpoint().note
    cut_back(desk.storage, size)
    return note


def test_the_anchor_shows_that_the_database_was_set_back(workshop: Workshop, tmp_path: Path) -> None:
    anchor = tmp_path / "anchor"
    first, start = workshop.desk(anchor=anchor), workshop.start()
    first.written(start)
    receipts = [first.written(workshop.decide(who, start)).receipt for who in ("alice", "erin")]
    assert anchor.read_bytes() == receipts[-1].checkpoint
    cut_back(first.storage, 2)
    desk = workshop.desk(anchor=anchor)
    assert "at least 4 entries, of which its own anchor shows" in str(rewound(desk, workshop))
    assert anchor.read_bytes() == receipts[-1].checkpoint
    without = workshop.desk()
    rewound(without, workshop)  # what one coordinator found out binds all of the database


def test_an_agent_shows_it_where_the_anchor_was_set_back_too(workshop: Workshop, tmp_path: Path) -> None:
    anchor, note = tmp_path / "anchor", set_back(workshop)
    desk = workshop.desk(anchor=anchor)
    assert desk.high_water.rewound is None
    desk.high_water.show(note, by="the agent of alice")
    assert "the agent of alice shows" in str(rewound(desk, workshop))
    rewound(workshop.desk(anchor=anchor), workshop)  # after a restart too


def test_another_coordinator_of_the_database_is_stopped_in_the_middle(workshop: Workshop) -> None:
    note = set_back(workshop)
    one, other, start = (
        workshop.desk(),
        workshop.desk(),
        workshop.start(workshop.organisation.request(number=5, version="5")),
    )
    one.written(start)
    other.high_water.show(note, by="bob")
    size = one.storage.log.size()
    (refusal,) = one.write(workshop.decide("alice", start))
    assert isinstance(refusal, RewoundError)
    assert one.storage.log.size() == size


@pytest.mark.parametrize("size", [1, 2])
def test_a_writer_notices_that_its_database_was_set_back_beneath_it(workshop: Workshop, size: int) -> None:
    desk, start = workshop.desk(), workshop.start()
    desk.written(start)
    desk.written(workshop.decide("alice", start))
    cut_back(desk.storage, size)
    assert "this coordinator shows" in str(rewound(desk, workshop))


def test_another_root_at_a_size_that_the_log_has_is_a_second_history(workshop: Workshop) -> None:
    desk, _ = workshop.approved()
    key = workshop.organisation.log_key
    desk.high_water.show(
        sign_checkpoint(Checkpoint(workshop.organisation.origin, 3, b"\7" * 32), key), by="carol"
    )
    assert "another under the same key" in str(rewound(desk, workshop))


def _claims(workshop: Workshop) -> dict[str, bytes]:
    origin, root = workshop.organisation.origin, b"\7" * 32
    huge = Checkpoint(origin, 999, root)
    return {
        "nothing": b"",
        "noise": bytes(range(256)),
        "another key": sign_checkpoint(huge, key_of("mallory")),
        "another log": sign_checkpoint(Checkpoint(OTHER.origin, 999, root), workshop.organisation.log_key),
        "another key's name": sign_checkpoint(huge, workshop.organisation.log_key, OTHER.origin),
        "a changed size": sign_checkpoint(huge, workshop.organisation.log_key).replace(b"999", b"998"),
        "too long": sign_checkpoint(huge, workshop.organisation.log_key) + b"x" * (16 << 10),
    }


def test_what_the_log_did_not_sign_stops_nobody(workshop: Workshop) -> None:
    desk = workshop.desk()
    for note in _claims(workshop).values():
        assert desk.high_water.show(note, by="mallory") is None
    assert desk.storage.rewound.shown() == []
    desk.written(workshop.start())


def test_what_the_log_contains_stops_nobody(workshop: Workshop) -> None:
    desk, start = workshop.desk(), workshop.start()
    notes = [desk.reader.newest_checkpoint().note, desk.written(start).receipt.checkpoint]
    desk.written(workshop.decide("alice", start))
    for note in notes:
        desk.high_water.show(note, by="alice")
    desk.written(workshop.decide("erin", start))


def test_a_statement_shows_the_checkpoint_that_its_signer_had_seen(workshop: Workshop) -> None:
    organisation, note = workshop.organisation, set_back(workshop)
    desk, keys = workshop.desk(), [organisation.log_key.public]
    seen = open_checkpoint(note, organisation.origin, keys)
    request = organisation.request(number=8, version="8")
    context = replace(
        request.context,
        checkpoint=SeenCheckpoint(
            size=seen.size,
            root=hash_text(seen.root),
            signature=encode_base64(signature_on(note, organisation.origin, keys)),
        ),
    )
    signed = organisation.sign_request(replace(request, context=context))
    intake = Intake(
        desk.storage,
        desk.policies,
        LogKeys(organisation.log_key),
        now=lambda: workshop.time.now,
        shown=desk.high_water.show,
    )
    with pytest.raises(Exception, match="expected a checkpoint that this log signed"):
        intake.request(signed.envelope, [], None, signed.signer)
    assert f"{signed.signer} shows" in str(rewound(desk, workshop))


def test_a_missing_anchor_is_made_and_said_to_have_been_missing(
    workshop: Workshop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    workshop.approved()
    with caplog.at_level(logging.WARNING):
        desk = workshop.desk(anchor=tmp_path / "anchor")
    assert "there was no anchor in" in caplog.text
    assert (tmp_path / "anchor").read_bytes() == desk.reader.newest_checkpoint().note


def test_a_log_that_was_just_founded_has_had_no_anchor_and_nobody_is_warned(
    workshop: Workshop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        desk = workshop.desk(anchor=tmp_path / "anchor")
    assert [each.levelno for each in caplog.records if "anchor" in each.message] == [logging.INFO]
    assert (tmp_path / "anchor").read_bytes() == desk.reader.newest_checkpoint().note


@pytest.mark.parametrize(
    ("what", "harm"),
    [
        ("corrupt", lambda note, _: note.replace(b"\n", b" ", 1)),
        ("empty", lambda _, __: b""),
        ("endless", lambda note, _: note * 5000),
        ("of another log", lambda _, shop: _claims(shop)["another log"]),
        ("by another key", lambda _, shop: _claims(shop)["another key"]),
    ],
)
def test_nothing_begins_on_an_anchor_that_is_not_this_logs(
    workshop: Workshop, tmp_path: Path, what: str, harm: Callable[[bytes, Workshop], bytes]
) -> None:
    anchor = tmp_path / "anchor"
    workshop.desk(anchor=anchor)
    harmed = harm(anchor.read_bytes(), workshop)
    anchor.write_bytes(harmed)
    with pytest.raises(AnchorError, match=r"expected a checkpoint of log log\.acme\.example/test in"):
        workshop.desk(anchor=anchor)
    assert anchor.read_bytes() == harmed, what


@pytest.mark.parametrize("where", ["nowhere/anchor", "."])
def test_nothing_begins_on_an_anchor_that_cannot_be_written(
    workshop: Workshop, tmp_path: Path, where: str
) -> None:
    with pytest.raises(AnchorError, match="the anchor"):
        workshop.desk(anchor=tmp_path / where)


def test_nothing_is_acknowledged_that_is_not_anchored(workshop: Workshop, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    desk, start = workshop.desk(anchor=folder / "anchor"), workshop.start()
    desk.written(start)
    folder.rename(tmp_path / "gone")
    for _ in range(2):
        (refusal,) = desk.write(workshop.decide("alice", start))
        assert isinstance(refusal, AnchorError)
        assert refusal.retryable
    assert desk.storage.log.size() == 3  # on record, once
    (tmp_path / "gone").rename(folder)
    (repeated,) = desk.write(workshop.decide("alice", start))
    assert isinstance(repeated, Repeated)
    assert (folder / "anchor").read_bytes() == desk.reader.newest_checkpoint().note
    assert isinstance(desk.written(workshop.decide("erin", start)), Written)
