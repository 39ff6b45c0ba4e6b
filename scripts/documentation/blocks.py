# SPDX-License-Identifier: Apache-2.0
"""Every marked block of the documents by its name: examples of the formats, tables, diagrams."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final

import yaml

from coordinator.grpc_api.callers import CALLERS, SERVICE
from coordinator.grpc_api.refusals import STATUSES
from coordinator.limits import Limits
from coordinator.metrics.catalogue import METRICS, Metric, Scope
from quorumseal.audit.questions.table import QUESTIONS
from quorumseal.ceremony.events import Event
from quorumseal.ceremony.lifecycle import TRANSITIONS, State
from quorumseal.ceremony.quorum import explain
from quorumseal.ceremony.statements import Choice
from quorumseal.refusal import Refusal
from quorumseal.tlog import Checkpoint, add_lines, cosign, fork_proof, verifier_key
from quorumseal.verifier.outcomes import Outcome
from scripts.documentation import acme, notices
from scripts.documentation.refusals import EXIT_MEANINGS, ROOT, codes_of

_PROTO: Final = ROOT / "protos/quorumseal/v1/coordinator.proto"
_RPC: Final = re.compile(r"((?:  //.*\n)+)?  rpc (\w+)\((stream )?\w+\) returns \((stream )?\w+\)")
_LIMIT: Final = re.compile(r'    (\w+): int = .+\n(?:    """(.+)""")?')
_ITEMS_SHOWN: Final = 2
_TEXT_SHOWN: Final = 100
_FENCE: Final = "```"
_PLACEHOLDER: Final = re.compile(r"\{\{ \$labels\.(\w+) \}\}")


def policy_source() -> str:
    """Show ``policy.toml`` up to its first signer."""
    source, signer, _ = acme.policy_source().split("\n[signers.", 2)
    return _fenced("toml", f"{source}\n[signers.{signer}")


def policy() -> str:
    """Show a policy's payload."""
    return _payload(acme.tell().acme.policy.payload)


def request() -> str:
    """Show a request's payload."""
    return _payload(acme.tell().request.envelope.payload)


def approval() -> str:
    """Show an approval's payload."""
    return _payload(acme.decided(Choice.APPROVAL))


def rejection() -> str:
    """Show a rejection's payload."""
    return _payload(acme.decided(Choice.REJECTION))


def cancellation() -> str:
    """Show a cancellation's payload."""
    return _payload(acme.cancelled())


def envelope() -> str:
    """Show an envelope."""
    return _json(acme.tell().request.envelope.to_json())


def pre_authentication() -> str:
    """Show the first bytes that are signed."""
    payload = acme.tell().request.envelope.payload
    kind = "application/vnd.in-toto+json"
    return _fenced("text", f"DSSEv1 {len(kind)} {kind} {len(payload)} {payload.decode()[:60]}…")


def opening_entry() -> str:
    """Show the first entry of a ceremony."""
    return _json(json.loads(acme.tell().entries[0].payload))


def concluding_entry() -> str:
    """Show the last entry of an approved ceremony."""
    return _json(json.loads(acme.tell().entries[-1].payload))


def chain() -> str:
    """List the entries of a ceremony."""
    rows = [
        f"| {e.seq} | `{e.type}` | {e.at:%H:%M:%S} | `{(e.prev or 'null')[:16]}…` | `{e.hash[:16]}…` |"
        for e in acme.tell().entries
    ]
    return _table("| seq | type | at | prev | hash of the entry |", rows)


def bundle() -> str:
    """Show a bundle."""
    return _json(json.loads(acme.tell().bundle))


def trust() -> str:
    """Show a trust file."""
    return _json(json.loads(acme.files()["trust.json"]))


def checkpoint() -> str:
    """Show a checkpoint."""
    return _fenced("text", acme.tell().log.checkpoint().decode())


def forked() -> str:
    """Show the file that convicts a log of one size and two roots."""
    one, other = acme.tell().log, acme.tell(acme.APPROVERS[::-1]).log
    key = one.organisation.log_key.public
    return _json(json.loads(fork_proof(one.checkpoint(), other.checkpoint(), acme.ORIGIN, [key]).write()))


def cosigned() -> str:
    """Show a checkpoint that a witness cosigned."""
    story = acme.tell()
    log, at = story.log, datetime(2026, 11, 20, 14, 21, tzinfo=UTC)
    checkpoint = Checkpoint(acme.ORIGIN, log.size, log.roots[log.size])
    line = cosign(checkpoint, story.acme.witness_key("carol"), "acme.example/witness/carol", at=at)
    return _fenced("text", add_lines(log.checkpoint(), [line]).decode())


def log_key() -> str:
    """Show the log's key as other tools are configured with it."""
    return _fenced("text", verifier_key(acme.ORIGIN, acme.tell().acme.log_key.public))


def key_id() -> str:
    """Show a key and its id."""
    key = acme.tell().acme.key("alice").public
    spki = base64.b64encode(key.spki).decode()
    return _fenced("text", f"scheme  {key.scheme}\nspki    {spki}\nkey id  {key.key_id}")


def annex() -> str:
    """Show how a text is committed to."""
    from tests.organisation import REASON, REASON_DIGEST, SALT

    return _fenced("text", f"salt    {SALT.hex()}\ntext    {REASON}\nreason  {REASON_DIGEST}")


def one_short() -> str:
    """Show what a tally says while something is missing."""
    story = acme.tell(acme.APPROVERS[:-1])
    return _fenced("text", "\n".join(explain(story.chain.ceremony.tally(at=story.chain.last_at))))


def lifecycle() -> str:
    """Draw the state machine from its table."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.OPEN}: CeremonyOpened"]
    for state, moves in TRANSITIONS.items():
        lines += [f"    {state} --> {after}: {event.__name__}" for event, after in moves.items()]
        lines += [] if _moves_on(moves, state) else [f"    {state} --> [*]"]
    return _fenced("mermaid", "\n".join(lines))


def _moves_on(moves: dict[type[Event], State], state: State) -> bool:
    return any(after is not state for after in moves.values())


def exit_codes() -> str:
    """List the exit codes."""
    rows = [f"| {int(o)} | {o.name.lower().replace('_', ' ')} | {EXIT_MEANINGS[o]} |" for o in Outcome]
    return _table("| exit | outcome | meaning |", rows)


def calls() -> str:
    """List the calls, who may make them, and what they are for."""
    proto = _PROTO.read_text()
    rows = []
    for comment, name, to_server, to_client in _RPC.findall(proto):
        about = " ".join(line.strip().removeprefix("//").strip() for line in comment.splitlines())
        shape = " stream in" * bool(to_server) + " stream out" * bool(to_client) or " unary"
        rows.append(f"| `{name}` |{shape} | {_callers(f'/{SERVICE}/{name}')} | {about} |")
    others = sorted(method for method in CALLERS if not method.startswith(f"/{SERVICE}/"))
    rows += [f"| `{method[1:]}` | | {_callers(method)} | |" for method in others]
    return _table("| call | shape | who may call | what it does |", rows)


def _callers(method: str) -> str:
    return ", ".join(sorted(CALLERS[method]))


def statuses() -> str:
    """List which gRPC status carries which refusals."""
    by_status: dict[str, list[str]] = {}
    for prefix, status in sorted(STATUSES.items()):
        by_status.setdefault(status.name, []).append(f"`{prefix}`")
    rows = [f"| `{status}` | {', '.join(prefixes)} |" for status, prefixes in sorted(by_status.items())]
    return _table(
        "| status | codes, by their longest prefix |", [*rows, "| `FAILED_PRECONDITION` | any other |"]
    )


def limits() -> str:
    """List the limits of a coordinator with their defaults."""
    about = dict(_LIMIT.findall((ROOT / "coordinator/limits.py").read_text()))
    rows = [f"| `{f.name}` | {getattr(Limits(), f.name)} | {about[f.name].strip()} |" for f in fields(Limits)]
    return _table("| limit | default | |", rows)


def shared_metrics() -> str:
    """List the numbers that every coordinator of a database says alike."""
    return _metrics(Scope.SHARED)


def own_metrics() -> str:
    """List the numbers of one coordinator."""
    return _metrics(Scope.OWN)


def _metrics(scope: Scope) -> str:
    rows = [_metric(each) for each in METRICS if each.scope is scope]
    return _table("| metric | sort | |", rows)


def _metric(metric: Metric) -> str:
    name = f"{metric.name}{{{metric.label}}}" if metric.label else metric.name
    return f"| `{name}` | {metric.sort} | {metric.about} |"


def alerts() -> str:
    """List the alerts for Prometheus with what to do about them."""
    groups = yaml.safe_load((ROOT / "deploy/prometheus/quorumseal.rules.yml").read_text())["groups"]
    return _table(
        "| alert | severity | it means | what to do |",
        [_alert(rule) for each in groups for rule in each["rules"]],
    )


def _alert(rule: dict[str, Any]) -> str:
    means = _PLACEHOLDER.sub(r"*\1*", rule["annotations"]["summary"])
    return f"| `{rule['alert']}` | {rule['labels']['severity']} | {means} | {rule['annotations']['action']} |"


def audit_questions() -> str:
    """List what ``audit ask`` answers."""
    rows = [f"| `{word}` | {each.asks} | {each.asked_by} |" for word, each in QUESTIONS.items()]
    return _table("| ask | question | asked for by |", rows)


def scheme_codes() -> str:
    """List the refusals of keys and signatures."""
    rows = [f"| `{code}` | {about} |" for code, about in codes_of(Refusal, ("key.", "signature."))]
    return _table("| code | refused because |", rows)


def timestamp_codes() -> str:
    """List the refusals of timestamps."""
    rows = [f"| `{code}` | {about} |" for code, about in codes_of(Refusal, ("timestamp.",))]
    return _table("| code | refused because |", rows)


def strict_codes() -> str:
    """List the refusals of the strict reader."""
    rows = [f"| `{code}` | {about} |" for code, about in codes_of(Refusal, ("json.",))]
    return _table("| code | refused because |", rows)


def notice_types() -> str:
    """List the types of notices."""
    return _table("| type | who is told | what happened |", notices.rows())


def notice_event() -> str:
    """Show a notice as a webhook gets it."""
    return _json(notices.as_event())


def notice_signed() -> str:
    """Show a signature of a webhook."""
    return _fenced("text", notices.as_signed())


def notice_card() -> str:
    """Show a notice as a chat gets it."""
    return _fenced("json", json.dumps(notices.as_card(), indent=2))


def notice_letter() -> str:
    """Show a notice as a mail server gets it."""
    return _fenced("text", notices.as_letter())


def notice_codes() -> str:
    """List the refusals of receivers."""
    rows = [f"| `{code}` | {about} |" for code, about in codes_of(Refusal, ("notice.",))]
    return _table("| code | refused because |", rows)


def _payload(payload: bytes) -> str:
    return _json(json.loads(payload))


def _json(value: object) -> str:
    return _fenced("json", json.dumps(_short(value), indent=2, ensure_ascii=False))


def _short(value: object) -> object:
    """Cut what a reader need not see: long lists of objects and long texts."""
    match value:
        case dict():
            return {key: _short(item) for key, item in value.items()}
        case list() if len(value) > _ITEMS_SHOWN and not _names(value):
            return [*map(_short, value[:1]), f"… {len(value) - 1} more"]
        case list():
            return [_short(item) for item in value]
        case str() if len(value) > _TEXT_SHOWN:
            return f"{value[:_TEXT_SHOWN]}… ({len(value)} characters)"
    return value


def _names(value: list[object]) -> bool:
    return all(isinstance(item, str) and len(item) < _TEXT_SHOWN for item in value)


def _table(head: str, rows: list[str]) -> str:
    return "\n".join([head, "|" + "---|" * (head.count("|") - 1), *rows])


def _fenced(language: str, text: str) -> str:
    return f"{_FENCE}{language}\n{text.rstrip()}\n{_FENCE}"


BLOCKS: Final[dict[str, Callable[[], str]]] = {
    made.__name__.replace("_", "-"): made
    for made in (
        policy_source,
        policy,
        request,
        approval,
        rejection,
        cancellation,
        envelope,
        pre_authentication,
        opening_entry,
        concluding_entry,
        chain,
        bundle,
        trust,
        checkpoint,
        forked,
        cosigned,
        log_key,
        key_id,
        annex,
        one_short,
        lifecycle,
        exit_codes,
        calls,
        statuses,
        limits,
        shared_metrics,
        own_metrics,
        alerts,
        audit_questions,
        scheme_codes,
        timestamp_codes,
        strict_codes,
        notice_types,
        notice_event,
        notice_signed,
        notice_card,
        notice_letter,
        notice_codes,
    )
}
