# SPDX-License-Identifier: Apache-2.0
"""Entries for a SIEM: every one, in order, at least once, whatever becomes of the sink."""

import json
import logging
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jsonschema
import pytest

from coordinator.founding import found
from coordinator.metrics.catalogue import SIEM_FAILURES
from coordinator.metrics.observing import Observation
from coordinator.notifying.connecting import tls_context
from coordinator.notifying.posting import http_address
from coordinator.siem.cursor import Cursor
from coordinator.siem.errors import CursorError, SinkError
from coordinator.siem.exporting import BLOCKED_SECONDS, LONGEST_PAUSE, LOOK_SECONDS, Exporting
from coordinator.siem.line import line_of, statement_of
from coordinator.siem.sinks import FileSink, HttpSink, Sink
from coordinator.storage import EntryRow, Storage
from quorumseal.strict_json import read
from quorumseal.tlog import hash_text, leaf_hash
from tests.coordinator.workshop import Workshop
from tests.organisation import NOW, Organisation

SCHEMA = Path(__file__).parents[3] / "docs" / "schema" / "siem.schema.json"


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """A log of one approved release."""
    folder, organisation = tmp_path_factory.mktemp("log"), Organisation()
    url = f"sqlite:///{folder / 'log.db'}"
    found(url, organisation.log_key, organisation.policy, at=NOW - timedelta(days=1))
    shop = Workshop(url, organisation, folder / "published")
    desk, _ = shop.approved()
    yield desk.storage
    shop.close()


@dataclass
class Export:
    """An export whose clock stands still until a test moves it."""

    storage: Storage
    folder: Path
    sink: Sink
    now: float = 0.0
    failures: int = 0
    pauses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.exporting = self.begin()

    def begin(self) -> Exporting:
        """Begin as after a start of the coordinator."""
        return Exporting(
            self.storage,
            self.sink,
            self.folder / "siem.cursor",
            size=self.storage.log.size,
            whose=("acme.example", "log.acme.example/test"),
            elapsed=lambda: self.now,
            observe=self.observe,
        )

    def observe(self, observation: Observation) -> None:
        assert observation.metric is SIEM_FAILURES
        self.failures += 1

    def turn(self, times: int = 1) -> None:
        self.pauses = [self.exporting.work() for _ in range(times)]

    @property
    def cursor(self) -> int:
        return Cursor.load(self.folder / "siem.cursor").next


@dataclass
class Taken:
    """A sink that fails as often as it is told to, before or after it has the lines."""

    before: int = 0
    after: int = 0
    lines: list[bytes] = field(default_factory=list)

    def take(self, lines: Sequence[bytes]) -> None:
        if self.before:
            self.before -= 1
            raise SinkError("expected room, got none")
        self.lines += lines
        if self.after:
            self.after -= 1
            raise SinkError("expected an answer, got none")

    def close(self) -> None:
        pass


def indices(lines: Sequence[bytes]) -> list[int]:
    return [json.loads(line)["index"] for line in lines]


def whole_lines(path: Path) -> list[bytes]:
    """Return what a reader gets that leaves out what is no JSON."""
    kept = []
    for line in path.read_bytes().split(b"\n"):
        try:
            json.loads(line)
        except ValueError:
            continue
        kept.append(line)
    return kept


def test_every_entry_is_handed_on_once_and_in_order(storage: Storage, tmp_path: Path) -> None:
    sink = Taken()
    export = Export(storage, tmp_path, sink)
    export.turn(3)
    assert indices(sink.lines) == [*range(storage.log.size())]
    assert export.pauses[1:] == [LOOK_SECONDS] * 2
    assert export.cursor == storage.log.size()
    assert export.exporting.progress().waiting == 0


def test_a_line_holds_the_entry_byte_for_byte_and_is_what_the_schema_says(storage: Storage) -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for row in storage.log.entries(0, storage.log.size()):
        line = line_of(row, organisation="acme.example", log="log.acme.example/test")
        assert b"\n" not in line
        assert line.endswith(b',"entry":' + row.payload + b"}")
        said = json.loads(line)
        jsonschema.validate(said, schema)
        assert said["hash"] == hash_text(leaf_hash(row.payload))
        assert (said["index"], said["type"], said["ceremony"]) == (row.index, row.type, row.ceremony)
        if row.type in ("opened", "decided"):
            assert said["statement"]["predicate"]["signer"] == said["signer"]
        if row.type == "approved":
            assert (said["statement"], said["signer"]) == (None, None)


@pytest.mark.parametrize("payload", ["!", "e30", "bm8ganNvbg==", 7, None])
def test_a_statement_that_cannot_be_read_keeps_no_entry_back(payload: str | int | None) -> None:
    assert statement_of({"body": {"envelope": {"payload": payload}}}) is None


def test_after_a_restart_it_goes_on_where_it_was(storage: Storage, tmp_path: Path) -> None:
    sink = Taken()
    export = Export(storage, tmp_path, sink)
    first = storage.log.entries(0, 3)
    Cursor(next=3, last=hash_text(leaf_hash(first[2].payload))).save(tmp_path / "siem.cursor")
    export.turn(2)
    assert indices(sink.lines) == [*range(3, storage.log.size())]


def test_what_was_taken_without_an_answer_comes_again_under_the_same_index(
    storage: Storage, tmp_path: Path
) -> None:
    sink = Taken(after=1)
    export = Export(storage, tmp_path, sink)
    export.turn()
    export.exporting = export.begin()
    export.turn(2)
    whole = [*range(storage.log.size())]
    assert indices(sink.lines) == whole + whole
    assert len(set(sink.lines)) == len(whole), "the same bytes"


def test_a_sink_that_fails_is_left_alone_for_longer_each_time_and_is_seen(
    storage: Storage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sink = Taken(before=9)
    export = Export(storage, tmp_path, sink)
    with caplog.at_level(logging.INFO):
        for _ in range(9):
            export.turn()
            export.now += 10
        assert export.pauses == [LONGEST_PAUSE]
        progress = export.exporting.progress()
        assert (progress.waiting, progress.blocked_seconds) == (storage.log.size(), 90)
        assert progress.blocked
        assert export.failures == 9
        assert [record.message for record in caplog.records] == [
            f"{storage.log.size()} entries wait for the SIEM: expected room, got none"
        ], "once, not nine times"
        export.turn()
    assert export.exporting.progress().blocked_seconds == 0
    assert "takes entries again after 90 s" in caplog.text
    assert indices(sink.lines) == [*range(storage.log.size())]


def test_a_short_pause_is_no_alarm(storage: Storage, tmp_path: Path) -> None:
    export = Export(storage, tmp_path, Taken(before=1))
    export.turn()
    export.now = BLOCKED_SECONDS - 1
    assert not export.exporting.progress().blocked


def test_a_log_that_is_older_than_the_export_is_not_handed_on(
    storage: Storage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sink = Taken()
    Cursor(next=storage.log.size() + 1, last="x").save(tmp_path / "siem.cursor")
    export = Export(storage, tmp_path, sink)
    export.turn()
    assert "recover the log" not in caplog.text
    assert "as many as were handed on" in caplog.text
    assert (sink.lines, export.failures) == ([], 1)


def test_another_log_is_not_handed_on(
    storage: Storage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sink = Taken()
    Cursor(next=2, last="sha256:" + "0" * 64).save(tmp_path / "siem.cursor")
    Export(storage, tmp_path, sink).turn()
    assert "expected entry 1 to be the one that was handed on, got another" in caplog.text
    assert sink.lines == []


@pytest.mark.parametrize(
    "data", [b"", b"{}", b'{"format":1,"last":"","next":0}', b'{"next":-1}', b"\xff" * 9999]
)
def test_a_cursor_that_cannot_be_read_is_no_reason_to_begin_anew(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "siem.cursor").write_bytes(data)
    with pytest.raises(CursorError):
        Cursor.load(tmp_path / "siem.cursor")


def test_a_batch_is_bounded_by_bytes(tmp_path: Path) -> None:
    class Large:
        def entries(self, start: int, end: int) -> list[EntryRow]:
            payload = b'{"x":"' + b"y" * (600 << 10) + b'"}'
            return [EntryRow(index, "opened", None, index, payload) for index in range(start, end)]

    class Everything:
        log = Large()

    sink = Taken()
    exporting = Exporting(
        Everything(),  # type: ignore[arg-type] # as much of a storage as is asked
        sink,
        tmp_path / "siem.cursor",
        size=lambda: 10,
        whose=("acme.example", "log"),
        elapsed=lambda: 0.0,
    )
    exporting.work()
    assert indices(sink.lines) == [0]


# Files


def test_a_file_is_appended_to_and_opened_again_when_it_was_moved_away(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"before":1}\n')
    sink = FileSink(path)
    sink.take([b"1", b"2"])
    path.rename(tmp_path / "log.jsonl.1")
    sink.take([b"3"])
    path.unlink()
    sink.take([b"4"])
    sink.close()
    assert (tmp_path / "log.jsonl.1").read_bytes() == b'{"before":1}\n1\n2\n'
    assert path.read_bytes() == b"4\n"
    assert path.stat().st_mode & 0o777 & ~0o640 == 0, "others cannot read it"


def test_a_line_that_was_cut_off_is_ended_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"index":0}\n{"ind')
    sink = FileSink(path)
    sink.take([b'{"index":1}'])
    sink.close()
    assert indices(whole_lines(path)) == [0, 1]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_disk_that_is_full_loses_nothing(storage: Storage, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    export = Export(storage, tmp_path, FileSink(path))
    with largest_file(5000):
        export.turn(3)
        assert (export.failures, export.cursor) == (3, 0)
        assert path.stat().st_size == 5000, "a line was cut off"
    export.turn()
    export.exporting.close()
    assert sorted(set(indices(whole_lines(path)))) == [*range(storage.log.size())]


def test_a_pipe_that_nobody_reads_holds_nothing_up(storage: Storage, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    export = Export(storage, tmp_path, FileSink(path, seconds=0.2))
    begun = time.monotonic()
    export.turn()
    assert export.failures == 1, "nobody has it open"
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        os.set_blocking(reader, False)
        fill(path)
        export.turn()
        assert export.failures == 2, "it is full"
        assert time.monotonic() - begun < 2
        whole = read_all(reader)
        got: list[bytes] = []
        reading = threading.Thread(target=lambda: got.append(read_until(reader, b'"type":"approved"')))
        reading.start()
        export.turn()
        reading.join(10)
        assert export.failures == 2
        seen = [line for line in (whole + got[0]).split(b"\n") if line.endswith(b"}}")]
        assert set(range(storage.log.size())) <= {
            json.loads(line)["index"] for line in seen if line[:1] == b"{"
        }
    finally:
        export.exporting.close()
        os.close(reader)


def fill(path: Path) -> None:
    """Leave a pipe room for half a line."""
    writer = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(writer, b"x" * 4095 + b"\n")
    except BlockingIOError:
        os.close(writer)


def read_all(reader: int) -> bytes:
    data = b""
    try:
        while piece := os.read(reader, 65536):
            data += piece
    except BlockingIOError:
        pass
    return data


def read_until(reader: int, text: bytes) -> bytes:
    data, end = b"", time.monotonic() + 5
    while text not in data and time.monotonic() < end:
        data += read_all(reader)
        time.sleep(0.01)
    return data + read_all(reader)


def test_what_is_no_file_and_no_pipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="directory"):
        FileSink(tmp_path).take([b"1"])


# HTTP


@dataclass
class Receiver:
    """A receiver on loopback."""

    status: int = 200
    slow: float = 0.0
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @contextmanager
    def serving(self) -> Iterator[int]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.headers.append(dict(self.headers))
                receiver.bodies.append(body)
                time.sleep(receiver.slow)
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                pass

        server = Server(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def http_sink(port: int, seconds: float = 5.0) -> HttpSink:
    return HttpSink(
        http_address(f"http://127.0.0.1:{port}/ingest?x=1"),
        {"Authorization": "Splunk 1234"},
        tls=tls_context(None),
        own_ports=tuple,
        seconds=seconds,
    )


def test_a_receiver_gets_lines_with_what_it_knows_us_by(storage: Storage, tmp_path: Path) -> None:
    receiver = Receiver()
    with receiver.serving() as port:
        export = Export(storage, tmp_path, http_sink(port))
        export.turn(2)
    (body,) = receiver.bodies
    assert indices(body.splitlines()) == [*range(storage.log.size())]
    (headers,) = receiver.headers
    assert headers["Content-Type"] == "application/x-ndjson"
    assert headers["Authorization"] == "Splunk 1234"


@pytest.mark.parametrize("status", [301, 400, 403, 413, 429, 500, 503])
def test_a_receiver_that_refuses_is_asked_again_and_nothing_is_left_out(
    storage: Storage, tmp_path: Path, status: int
) -> None:
    receiver = Receiver(status=status)
    with receiver.serving() as port:
        export = Export(storage, tmp_path, http_sink(port))
        export.turn()
        assert (export.failures, export.cursor) == (1, 0)
        receiver.status = 204
        export.turn()
    assert receiver.bodies[0] == receiver.bodies[1]
    assert export.cursor == storage.log.size()


def test_a_slow_receiver_is_given_up_in_time_and_gets_the_same_again(
    storage: Storage, tmp_path: Path
) -> None:
    receiver = Receiver(slow=1.5)
    with receiver.serving() as port:
        export = Export(storage, tmp_path, http_sink(port, seconds=0.3))
        begun = time.monotonic()
        export.turn()
        assert time.monotonic() - begun < 1.2
        assert export.failures == 1
        receiver.slow = 0.0
        export.turn()
    assert indices(receiver.bodies[-1].splitlines()) == [*range(storage.log.size())]


def test_a_receiver_that_is_gone_is_a_failure(storage: Storage, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    export = Export(storage, tmp_path, http_sink(port))
    export.turn()
    assert export.failures == 1


def test_the_cursor_is_what_its_specification_says(tmp_path: Path) -> None:
    path = tmp_path / "siem.cursor"
    Cursor(next=3, last="sha256:0").save(path)
    assert read(path.read_bytes()) == {"format": 0, "last": "sha256:0", "next": 3}
    assert not (tmp_path / "siem.cursor.new").exists()
    with pytest.raises(CursorError, match="to write"):
        Cursor().save(tmp_path / "none" / "siem.cursor")
