# SPDX-License-Identifier: Apache-2.0
"""Finding out how a coordinator is: the only part of ``doctor`` that looks at anything."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from coordinator.certificates import Seen, look_at
from coordinator.examining.facts import Database, Facts, Room
from coordinator.examining.knocking import PATIENCE_SECONDS, knock, reached
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

BLOCKED, UNKNOWN = "blocked", "unknown"


def gather(path: Path, *, at: datetime, backup: Path | None) -> Facts:
    """Find out everything; only settings that cannot be read at all are a refusal."""
    settings = read_settings(path)
    return Facts(
        at=at,
        settings_file=path,
        settings=examine(path, at=at).findings,
        answer=knock(settings.listen),
        server=next(iter(_certificates(settings.tls.certificate)), None),
        authorities=_certificates(settings.tls.client_authorities),
        log_keys=_log_keys(settings),
        database=_database(settings.database),
        rooms=_rooms(settings),
        siem=_siem(settings),
        witnesses=tuple(each.name for each in settings.witnesses),
        backup=None if backup is None else _age(backup, at),
        backup_named="" if backup is None else str(backup),
    )


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
    """Return how the export to a SIEM is; none where there is none.

    Only whoever shows a client certificate is told, so without one it is unknown.
    """
    if settings.siem is None:
        return None
    presented = knock(settings.listen).certificate
    if presented is None or certificate is None or key is None:
        return UNKNOWN
    from coordinator.grpc_api.server import SIEM

    told = _asked(settings, presented, certificate, key, SIEM)
    return {"SERVING": "current", "NOT_SERVING": BLOCKED}.get(told, UNKNOWN)


def _asked(settings: Settings, presented: Seen, certificate: Path, key: Path, service: str = "") -> str:
    from coordinator.grpc_api.asking import serving

    host, port = reached(settings.listen)
    return serving(
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
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
