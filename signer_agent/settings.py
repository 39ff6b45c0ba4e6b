# SPDX-License-Identifier: Apache-2.0
"""``agent.toml``: who this agent signs for, whom it talks to, and where its files are."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from quorumseal.ceremony.errors import ValueFormatError
from quorumseal.ceremony.values import digest, name
from quorumseal.client.connection import TlsFiles
from quorumseal.client.timestamping import AuthorityAddress, TimestampUrlError, read_address
from quorumseal.strict_json import Fields, JsonValue, StrictJsonError
from signer_agent.errors import SettingsError

FORMAT = 0
LARGEST_ARTIFACT = 64 << 30
MAX_SETTINGS_BYTES = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactSettings:
    """Where artifacts are looked for when no path is given."""

    directory: Path | None = None
    fetch: bool = False
    """Whether the request's locators may be followed without being asked to."""
    largest: int = LARGEST_ARTIFACT


@dataclass(frozen=True, slots=True, kw_only=True)
class NextKey:
    """A key that takes the place of another, and its id: it is not opened to see which it is."""

    file: Path
    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampSettings:
    """Who is asked to say when something was decided."""

    address: AuthorityAddress
    required: bool = False
    """Whether nothing is sent without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What ``agent.toml`` says; its paths are absolute."""

    name: str
    coordinator: str
    trust: Path
    tls: TlsFiles
    key_file: Path
    server_name: str | None = None
    passphrase_file: Path | None = None
    witness_key: Path | None = None
    """The key that cosigns checkpoints and never approves; those who did not enrol have none."""
    next_key: NextKey | None = None
    """While the key rotates: under the same passphrase, and used wherever a policy knows it."""
    artifacts: ArtifactSettings = ArtifactSettings()
    timestamps: TimestampSettings | None = None
    approve_matching: bool = False
    """For machine signers: whether ``agent run`` approves by itself when every artifact matches."""


def read_settings(file: Path) -> Settings:
    """Return what ``agent.toml`` says, or name the field that is wrong."""
    try:
        source = file.read_bytes()
        if len(source) > MAX_SETTINGS_BYTES:
            raise SettingsError(f"expected at most {MAX_SETTINGS_BYTES} bytes, got {len(source)}")
        return _settings(Fields(_plain(tomllib.loads(source.decode())), file.name), file.parent)
    except OSError as reason:
        raise SettingsError(f"expected to read {file}: {reason.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as reason:
        raise SettingsError(f"{file.name}: expected TOML, got: {reason}") from None
    except (StrictJsonError, ValueFormatError) as reason:
        raise SettingsError(str(reason), hint=reason.hint or f"look at {file}") from None


def settings_text(
    *,
    name: str,
    coordinator: str,
    server_name: str | None = None,
    trust: str = "trust.json",
    ca: str = "ca.pem",
    certificate: str = "certificate.pem",
    tls_key: str = "tls.key.pem",
    key_file: str = "signing.key.pem",
    passphrase_file: str | None = None,
    witness_key: str | None = None,
    approve_matching: bool = False,
) -> str:
    """Write an ``agent.toml`` with its comments; paths are relative to it."""
    other_host = '# server_name = "…"  # where the certificate names another host'
    asked = '# passphrase_file = "passphrase"'
    machine = "\n[machine]\napprove_matching = true  # approve by itself where every artifact matches\n"
    witness = (
        f"\n[witness]\nfile = {_quoted(witness_key)} # not encrypted: it never approves\n"
        if witness_key
        else ""
    )
    return f"""\
format = 0
name = {_quoted(name)}
coordinator = {_quoted(coordinator)}
{f"server_name = {_quoted(server_name)}" if server_name else other_host}
trust = {_quoted(trust)}

[tls]
ca = {_quoted(ca)}
certificate = {_quoted(certificate)}
key = {_quoted(tls_key)}

[key]
file = {_quoted(key_file)}
# Only you may be able to read it.  Without it you are asked, or --passphrase-fd is read.
{f"passphrase_file = {_quoted(passphrase_file)}" if passphrase_file else asked}
{witness}
[artifacts]
# directory = "/srv/builds"  # your own copy of what you are asked to approve
fetch = false  # whether to follow the requester's locators (file:// and https://) without --fetch

# Have an authority that the policy names say when you decided (RFC 3161).
# [timestamps]
# url = "https://clock.example/tsa"
# required = false  # whether to send no decision without
{machine if approve_matching else ""}"""


def _settings(fields: Fields, base: Path) -> Settings:
    fields.constant("format", FORMAT)
    tls, key = fields.object("tls"), fields.object("key")
    witness = fields.optional_object("witness")
    artifacts, machine = fields.optional_object("artifacts"), fields.optional_object("machine")
    timestamps = fields.optional_object("timestamps")
    settings = Settings(
        name=name(fields.text("name")),
        coordinator=_filled(fields, "coordinator"),
        server_name=_filled(fields, "server_name") if "server_name" in fields else None,
        trust=_path(fields, "trust", base),
        tls=TlsFiles(
            ca=_path(tls, "ca", base),
            certificate=_path(tls, "certificate", base),
            key=_path(tls, "key", base),
        ),
        key_file=_path(key, "file", base),
        passphrase_file=_optional_path(key, "passphrase_file", base),
        witness_key=_path(witness, "file", base) if witness else None,
        next_key=_next_key(key, base) if "next" in key or "next_id" in key else None,
        artifacts=_artifacts(artifacts, base) if artifacts else ArtifactSettings(),
        timestamps=_timestamps(timestamps) if timestamps else None,
        approve_matching=machine.flag("approve_matching") if machine else False,
    )
    fields.done()
    return settings


def _next_key(fields: Fields, base: Path) -> NextKey:
    return NextKey(file=_path(fields, "next", base), key_id=digest(fields.text("next_id")))


def _artifacts(fields: Fields, base: Path) -> ArtifactSettings:
    return ArtifactSettings(
        directory=_optional_path(fields, "directory", base),
        fetch=fields.flag("fetch") if "fetch" in fields else False,
        largest=fields.optional_integer("largest", at_least=1) or LARGEST_ARTIFACT,
    )


def _timestamps(fields: Fields) -> TimestampSettings:
    try:
        address = read_address(fields.text("url"))
    except TimestampUrlError as reason:
        raise SettingsError(f"{fields.path('url')}: {reason}", hint=reason.hint) from None
    return TimestampSettings(
        address=address, required=fields.flag("required") if "required" in fields else False
    )


def _filled(fields: Fields, field: str) -> str:
    text = fields.text(field)
    if not text or not text.isprintable():
        raise fields.invalid(field, "a printable text that is not empty")
    return text


def _path(fields: Fields, field: str, base: Path) -> Path:
    return base / Path(_filled(fields, field)).expanduser()


def _optional_path(fields: Fields, field: str, base: Path) -> Path | None:
    return _path(fields, field, base) if field in fields else None


def _plain(value: object) -> JsonValue:
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case str() | bool() | int():
            return value
    raise SettingsError(f"agent.toml: expected texts, whole numbers, true or false, and tables, got {value}")


def _quoted(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"a setting is printable: {text!a}")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
