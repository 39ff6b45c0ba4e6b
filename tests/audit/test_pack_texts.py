# SPDX-License-Identifier: Apache-2.0
"""What people wrote is in a pack where it was asked for; tables and page say what the log says."""

import csv
import io
import json
import re
from dataclasses import replace

import pytest

from quorumseal.audit.pack.judging import JudgedPack
from quorumseal.audit.pack.tables import record_json
from quorumseal.signatures import Timestamp
from tests.audit.packing import Written, codes, refitted, write_log
from tests.organisation import NOW

TEXT = "Release 4 is not ready."


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write_log(tmp_path_factory.mktemp("texts"), entries=24)


@pytest.fixture(scope="module")
def asked(written: Written) -> dict[str, bytes]:
    return written.pack(annexes=True)


@pytest.fixture(scope="module")
def judged(written: Written, asked: dict[str, bytes]) -> JudgedPack:
    return written.judge(asked)


def test_texts_are_there_where_they_were_asked_for(asked: dict[str, bytes], judged: JudgedPack) -> None:
    assert codes(judged) == []
    (name,) = [name for name in asked if name.startswith("annexes/")]
    assert TEXT in asked[name].decode()
    for table in ("decisions.csv", "ceremonies.jsonl", "log/annexes.jsonl"):
        assert TEXT in asked[table].decode()


def test_texts_are_nowhere_else(written: Written) -> None:
    assert not [name for name, data in written.pack().items() if TEXT.encode() in data]


def test_a_text_that_no_statement_commits_to_is_found(written: Written, asked: dict[str, bytes]) -> None:
    changed = {name: asked[name].replace(b"not ready", b"all ready") for name in asked}
    assert "audit.text_unknown" in codes(written.judge(refitted(asked, changed)))


def test_texts_that_nobody_asked_for_are_refused(written: Written, asked: dict[str, bytes]) -> None:
    plain = written.pack()
    changed = refitted(plain, {"log/annexes.jsonl": asked["log/annexes.jsonl"]})
    assert "audit.pack_format" in codes(written.judge(changed))


def rows(data: bytes) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(data.decode(), newline=""))]


def test_the_tables_say_what_the_log_says(asked: dict[str, bytes], judged: JudgedPack) -> None:
    population = judged.population
    assert population is not None
    table = rows(asked["ceremonies.csv"])
    assert [row["ceremony"] for row in table] == [each.id for each in population.ceremonies]
    assert [row["state"] for row in table] == [str(each.state) for each in population.ceremonies]
    decisions = rows(asked["decisions.csv"])
    assert judged.counted is not None
    assert len(decisions) == judged.counted.decisions
    (rejection,) = [row for row in decisions if row["choice"] == "rejection" and row["signer"] == "alice"]
    assert rejection["reason"] == TEXT
    records = [json.loads(line) for line in asked["ceremonies.jsonl"].splitlines()]
    assert [record["ceremony"] for record in records] == [row["ceremony"] for row in table]
    assert [moment["index"] for record in records for moment in record["timeline"]] == sorted(
        moment["index"] for record in records for moment in record["timeline"]
    )


def test_the_page_has_no_script_and_nothing_from_elsewhere(asked: dict[str, bytes]) -> None:
    page = asked["summary.html"].decode()
    assert page.startswith("<!doctype html>")
    assert "default-src 'none'" in page
    assert not re.search(r"<script|<link|<img|<iframe|\son[a-z]+=|javascript:|url\((?!#)|@import", page)
    assert set(re.findall(r"(?:src|href)=", page)) == set()
    assert page.count("<svg") == page.count("<desc") >= 9
    for caption in ("Ceremonies by outcome", "Emergencies", "Ended without approval", "All ceremonies"):
        assert caption in page


def test_a_record_names_no_authority_of_a_timestamp(judged: JudgedPack) -> None:
    assert judged.population is not None
    audited = judged.population.ceremonies[0]
    record = audited.record()
    opened, moment, *others = record.timeline
    assert moment.act is not None
    stamp = Timestamp(authority="clock.example", at=NOW, latest=NOW, token=b"")
    stamped = replace(moment, act=replace(moment.act, timestamp=stamp))
    value = record_json(audited, replace(record, timeline=(opened, stamped, *others)))
    assert "clock.example" not in json.dumps(value)
    assert "2026-11-20T14:00:00.000Z" in json.dumps(value)
