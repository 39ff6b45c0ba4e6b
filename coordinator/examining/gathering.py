# SPDX-License-Identifier: Apache-2.0
"""Finding out how a coordinator is: the only part of ``doctor`` that looks at anything."""

import shutil
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from coordinator.certificates import Seen, look_at
from coordinator.examining.facts import Answer, Database, Facts, Room
from coordinator.examining.settings import examine
from coordinator.high_water import rewound_in
from coordinator.policies import Policies
from coordinator.server import read_log_key
from coordinator.settings import Settings, read_settings
from coordinator.siem.cursor import Cursor
from coordinator.storage import existing_storage, file_of
from coordinator.storage.hanging import Hanging
from quorumseal.refusal import Refusal
from quorumseal.signatures import PublicKey

PATIENCE_SECONDS = 5
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is asked instead


def gather(path: Path, *, at: datetime, backup: Path | None) -> Facts:
    """Find out everything; only settings that cannot be read at all are a refusal."""
    settings = read_settings(path)
    return Facts(
        at=at,
        settings=examine(path, at=at).findings,
        answer=knock(settings.listen),
        server=next(iter(_certificates(settings.tls.certificate)), None),
        authorities=_certificates(settings.tls.client_authorities),
        log_keys=_log_keys(settings),
        database=_database(settings.database),
        rooms=_rooms(settings),
        siem=_siem(settings),
        backup=None if backup is None else _age(backup, at),
        backup_named="" if backup is None else str(backup),
    )


def knock(listen: str) -> Answer:
    """Begin a TLS handshake without a certificate of our own, and look at what is presented."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # what it presents is compared, and nothing is said to it
    try:
        address = (_ANYWHERE.get(host, host), int(port))
        with (
            socket.create_connection(address, PATIENCE_SECONDS) as connected,
            context.wrap_socket(connected) as secured,
        ):
            presented = secured.getpeercert(binary_form=True) or b""
        (seen,) = look_at(ssl.DER_cert_to_PEM_cert(presented).encode())
    except (OSError, ValueError, Refusal) as error:
        return Answer(address=listen, certificate=None, reason=str(error))
    return Answer(address=listen, certificate=seen)


def ask_health(settings: Settings, certificate: Path | None, key: Path | None) -> str:
    """Return why the coordinator of these settings does not serve; nothing where it does."""
    answer = knock(settings.listen)
    if answer.certificate is None:
        return answer.reason
    if refusal := _rewound(settings.database):
        return refusal
    if certificate is None or key is None:
        return ""
    status = _asked(settings, answer.certificate, certificate, key)
    return "" if status == "SERVING" else status


def ask_siem(settings: Settings, certificate: Path | None, key: Path | None) -> str | None:
    """Return how the export to a SIEM is, where there is one and whoever asks may know."""
    presented = knock(settings.listen).certificate if settings.siem is not None else None
    if presented is None or certificate is None or key is None:
        return None
    from coordinator.grpc_api.server import SIEM

    return "current" if _asked(settings, presented, certificate, key, SIEM) == "SERVING" else "blocked"


def _asked(settings: Settings, presented: Seen, certificate: Path, key: Path, service: str = "") -> str:
    from coordinator.grpc_api.asking import serving

    host, _, port = settings.listen.rpartition(":")
    return serving(
        f"{_ANYWHERE.get(host.strip('[]'), host)}:{port}",
        authorities=settings.tls.client_authorities.read_bytes(),
        certificate=certificate.read_bytes(),
        key=key.read_bytes(),
        server_name=min(presented.hosts, default=host),
        seconds=PATIENCE_SECONDS,
        service=service,
    )


def _rewound(url: str) -> str:
    """Return why nothing is written; nothing where all is well, or the database does not say."""
    try:
        with existing_storage(url) as storage:
            return str(rewound_in(storage) or "")
    except Refusal:
        return ""  # while the organisation is founded; and whether the database answers, the port says


def _certificates(path: Path) -> tuple[Seen, ...]:
    try:
        return look_at(path.read_bytes())
    except (OSError, Refusal):
        return ()  # the settings' own findings say why


def _log_keys(settings: Settings) -> tuple[PublicKey, ...] | Refusal:
    try:
        return tuple(read_log_key(files).public for files in settings.log_keys)
    except Refusal as refusal:
        return refusal


def _database(url: str) -> Database | Refusal:
    try:
        with existing_storage(url) as storage:
            head = storage.log.head()
            return Database(
                kind="PostgreSQL" if storage.engines.postgresql else "SQLite",
                policy=Policies(storage).newest.policy,
                entries=head.size,
                head=head.at,
                counts=storage.counting.counts(),
                due=Hanging(storage.engines).due(),
                rewound=rewound_in(storage),
            )
    except Refusal as refusal:
        return refusal


def _rooms(settings: Settings) -> tuple[Room, ...]:
    file = file_of(settings.database)
    places = [*settings.publish_to, *([file.parent] if file is not None else [])]
    found = {str(place): shutil.disk_usage(place) for place in places if place.is_dir()}
    return tuple(Room(path=path, free=usage.free, total=usage.total) for path, usage in found.items())


def _siem(settings: Settings) -> Cursor | Refusal | None:
    if settings.siem is None:
        return None
    try:
        return Cursor.load(settings.siem.cursor)
    except Refusal as refusal:
        return refusal


def _age(backup: Path, at: datetime) -> timedelta | None:
    try:
        return at - datetime.fromtimestamp(backup.stat().st_mtime, UTC)
    except OSError:
        return None
