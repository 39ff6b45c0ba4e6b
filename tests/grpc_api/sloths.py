# SPDX-License-Identifier: Apache-2.0
"""Readers that open a stream and never read: ``python -m tests.grpc_api.sloths ADDRESS NUMBER FOLDER``."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

from quorumseal.client.connection import TlsFiles, credentials_of
from quorumseal.v1 import coordinator_pb2 as wire
from quorumseal.v1.coordinator_pb2_grpc import CoordinatorServiceStub
from tests.running_coordinator import Site

_ROOT = Path(__file__).parents[2]


@contextmanager
def sloths(site: Site, address: str, number: int) -> Iterator[None]:
    """Let so many sloths hang on to the server, under Alice's certificate."""
    site.client_files("alice")
    command = [sys.executable, "-m", "tests.grpc_api.sloths", address, str(number), str(site.folder)]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


def resident_mib() -> int:
    """Return how much memory this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 >> 20


def timed(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    began = time.monotonic()
    call()
    return time.monotonic() - began


def hang(address: str, number: int, folder: Path) -> None:
    """Open streams and read none of them."""
    files = TlsFiles(
        ca=folder / "authority.crt", certificate=folder / "signer-alice.crt", key=folder / "signer-alice.key"
    )
    small_windows = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 64 << 10)]
    stub = CoordinatorServiceStub(grpc.secure_channel(address, credentials_of(files), small_windows))
    streams = [stub.Follow(wire.FollowRequest()) for _ in range(number)]
    sys.stdin.read()
    del streams


if __name__ == "__main__":
    hang(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
