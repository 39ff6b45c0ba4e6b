# SPDX-License-Identifier: Apache-2.0
"""Everything that a peer can send or hold has a limit; these are the defaults."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one caller, one call and all callers together may take."""

    message_bytes: int = MIB
    """The largest message that is received."""
    evidence_bytes: int = 16 * MIB
    """The largest file of evidence."""
    calls: int = 16_384
    """Calls and streams in progress, of all callers."""
    calls_per_caller: int = 1024
    transfers_per_caller: int = 4
    streams_per_caller: int = 16
    streams_per_connection: int = 1024
    """HTTP/2 streams, that is calls of every sort; more of them wait in the client."""
    waiting_calls: int = 8192
    """Calls that have arrived and are not yet taken up; more are turned away unread."""
    call_seconds: int = 30
    """How long a call may take; and how long the message that opens a transfer or stream may."""
    transfer_seconds: int = 300
    stream_seconds: int = 86_400
    """How long one stream may be open before it has to be resumed."""
    write_seconds: int = 20
    """How long one message may wait for a reader before the stream is dropped."""
    drain_seconds: int = 20
    """How long calls in progress may take to finish when the coordinator stops."""
