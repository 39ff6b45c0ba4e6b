# SPDX-License-Identifier: Apache-2.0
"""The alert rules: of metrics that exist, explained in the manual, and firing when and only when they should.

What fires is judged by Prometheus' own promtool, on series of one number a minute.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple, cast

import pytest
import yaml

from coordinator.metrics.catalogue import METRICS, Metric, Sort

RULES: Final = Path(__file__).parents[2] / "deploy/prometheus/quorumseal.rules.yml"
ANNOTATIONS: Final = {"summary", "action"}
SEVERITIES: Final = {"critical", "warning", "info"}
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="alerts were not judged, for want of promtool")
_STRINGS: Final = re.compile(r'"[^"]*"')
_NAME: Final = re.compile(r"\b(?:quorumseal_\w+|up)\b")
_MATCHER: Final = re.compile(r'(quorumseal_\w+)\{(\w+)="([^"]+)"\}')
_SUFFIXES: Final = ("_bucket", "_sum", "_count")


class Rule(NamedTuple):
    """An alert as the file has it."""

    alert: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]


def rules() -> dict[str, Rule]:
    """Return every alert by its name."""
    document = cast("Mapping[str, list[Mapping[str, object]]]", yaml.safe_load(RULES.read_text()))
    listed = [
        cast("Mapping[str, object]", each)
        for group in document["groups"]
        for each in cast("list[object]", group["rules"])
    ]
    made = [
        Rule(
            alert=str(each["alert"]),
            expr=str(each["expr"]),
            labels=cast("dict[str, str]", each["labels"]),
            annotations=cast("dict[str, str]", each["annotations"]),
        )
        for each in listed
    ]
    assert len({each.alert for each in made}) == len(made)
    return {each.alert: each for each in made}


def series_of(metric: Metric) -> set[str]:
    """Return the names that Prometheus stores for a metric."""
    if metric.sort is Sort.HISTOGRAM:
        return {metric.name + suffix for suffix in _SUFFIXES}
    return {metric.name}


def test_every_metric_that_a_rule_names_is_one() -> None:
    known = {"up"}.union(*(series_of(each) for each in METRICS))
    for rule in rules().values():
        named = set(_NAME.findall(_STRINGS.sub('""', rule.expr)))
        assert named, rule.alert
        assert named <= known, f"{rule.alert}: {named - known}"


def test_every_label_that_a_rule_chooses_by_is_that_metrics_own() -> None:
    labels = {name: each.label for each in METRICS for name in series_of(each)}
    found = [match for rule in rules().values() for match in _MATCHER.findall(rule.expr)]
    assert found
    for name, label, _ in found:
        assert labels[name] == label


def test_every_alert_says_how_urgent_it_is_and_what_to_do() -> None:
    for rule in rules().values():
        assert rule.alert.startswith("Quorumseal")
        assert rule.labels.keys() == {"severity"}
        assert rule.labels["severity"] in SEVERITIES
        assert rule.annotations.keys() == ANNOTATIONS
        assert all(text.endswith(".") for text in rule.annotations.values())


def test_what_is_emergency_is_watched_on_every_side() -> None:
    """An emergency that nobody hears of is the one thing that must not happen."""
    watched = " ".join(rule.expr for rule in rules().values() if rule.labels["severity"] == "critical")
    for metric in ("open", "total", "ratify_by_timestamp_seconds", "notice_failures_total"):
        assert f"quorumseal_breakglass_{metric}" in watched


class Case(NamedTuple):
    """Series, one number a minute, and for what the alert fires at an instant."""

    alert: str
    series: dict[str, str]
    at: str
    fires: list[dict[str, str]]


A, B = 'instance="a"', 'instance="b"'
NOBODY: list[dict[str, str]] = []
ONCE: list[dict[str, str]] = [{}]


def one(alert: str, name: str, *rows: tuple[str, str, list[dict[str, str]]], also: str = "") -> list[Case]:
    """Return cases of an alert on one series of one coordinator."""
    labels = ", ".join(filter(None, [A, also]))
    return [Case(alert, {f"quorumseal_{name}{{{labels}}}": values}, at, fires) for values, at, fires in rows]


def both(
    alert: str, name: str, *rows: tuple[str, str, str, list[dict[str, str]]], also: str = ""
) -> list[Case]:
    """Return cases of an alert on a series of two coordinators."""
    first, second = (", ".join(filter(None, [each, also])) for each in (A, B))
    metric = f"quorumseal_{name}"
    return [
        Case(alert, {f"{metric}{{{first}}}": one, f"{metric}{{{second}}}": other}, at, fires)
        for one, other, at, fires in rows
    ]


def _short(available: str, at: str, fires: list[dict[str, str]]) -> Case:
    series = {
        f'quorumseal_role_available_signers{{{A}, role="security"}}': available,
        f'quorumseal_role_available_signers{{{A}, role="release"}}': "2x300",
        f'quorumseal_role_needed_signers{{{A}, role="security"}}': "2x300",
        f'quorumseal_role_needed_signers{{{A}, role="release"}}': "1x300",
    }
    return Case("QuorumsealRoleShort", series, at, fires)


def _agents(one: str, other: str, needed: int, fires: list[dict[str, str]]) -> Case:
    series = {
        f'quorumseal_agent_connected{{{A}, role="security"}}': one,
        f'quorumseal_agent_connected{{{B}, role="security"}}': other,
        f'quorumseal_role_needed_signers{{{A}, role="security"}}': f"{needed}x3000",
    }
    return Case("QuorumsealNoAgentOfRole", series, "30h", fires)


def _queue(waiting: str, at: str, fires: list[dict[str, str]]) -> Case:
    series = {
        f"quorumseal_writer_queue{{{A}}}": waiting,
        f"quorumseal_writer_queue_limit{{{A}}}": "4096x60",
    }
    return Case("QuorumsealQueueFills", series, at, fires)


def _commits(fast: str, fires: list[dict[str, str]]) -> Case:
    name = "quorumseal_writer_commit_seconds_bucket"
    return Case(
        "QuorumsealCommitsSlow",
        {
            f'{name}{{{A}, le="0.5"}}': fast,
            f'{name}{{{A}, le="1"}}': "0+100x60",
            f'{name}{{{A}, le="+Inf"}}': "0+100x60",
        },
        "40m",
        fires,
    )


CASES: Final = [
    *both(
        "QuorumsealBreakGlassOpen",
        "breakglass_open",
        ("0x60", "0x60", "30m", NOBODY),
        ("0x20 1x40", "0x20 1x40", "30m", ONCE),
        ("0x20 1x5 0x40", "0x20 1x5 0x40", "30m", NOBODY),
    ),
    *both(
        "QuorumsealBreakGlassUsed",
        "breakglass_total",
        ("3x200", "3x200", "2h", NOBODY),
        ("3x60 4x200", "3x60 4x200", "90m", [{"outcome": "provisional"}]),
        ("3x60 4x200", "3x60 4x200", "3h", NOBODY),
        ("_x60 4x200", "_x60 4x200", "90m", NOBODY),  # a coordinator that starts has not seen it happen
        also='outcome="provisional"',
    ),
    *both(
        "QuorumsealRatificationDue",
        "breakglass_ratify_by_timestamp_seconds",
        ("172800x200", "172800x200", "1h", NOBODY),
        ("90000x200", "90000x200", "2h", ONCE),
        ("_x200", "_x200", "1h", NOBODY),
    ),
    *both(
        "QuorumsealBreakGlassLapsed",
        "breakglass_total",
        ("1x200", "1x200", "2h", NOBODY),
        ("0x60 1x200", "0x60 1x200", "90m", [{"outcome": "lapsed"}]),
        also='outcome="lapsed"',
    ),
    *one(
        "QuorumsealReportLate",
        "breakglass_reports_late",
        ("0x200", "2h", NOBODY),
        ("1x200", "30m", NOBODY),
        ("1x200", "2h", ONCE),
    ),
    *both(
        "QuorumsealBreakGlassNoticeFails",
        "breakglass_notice_failures_total",
        ("0x60", "2x60", "30m", NOBODY),
        ("0x20 1x60", "2x60", "30m", ONCE),
    ),
    _short("2x300", "2h", NOBODY),
    _short("2x60 1x300", "90m", NOBODY),
    _short("2x60 1x300", "3h", [{"role": "security"}]),
    _agents("0x3000", "0x3000", 1, [{"role": "security"}]),
    _agents("0x3000", "1x3000", 1, NOBODY),
    _agents("0x3000", "0x3000", 0, NOBODY),
    *both(
        "QuorumsealCeremonyExpired",
        "ceremonies_total",
        ("7x200", "7x200", "2h", NOBODY),
        ("7x60 8x200", "7x60 8x200", "90m", [{"outcome": "expired"}]),
        also='outcome="expired"',
    ),
    *both(
        "QuorumsealNotificationsFail",
        "notification_failures_total",
        ("0+0.1x200", "0x200", "2h", NOBODY),
        ("0+0.2x200", "0+0.2x200", "2h", [{"channel": "chat"}]),
        also='channel="chat"',
    ),
    *both(
        "QuorumsealNoticeGivenUp",
        "notices",
        ("5x200", "5x200", "2h", NOBODY),
        ("5x90 6x200", "5x90 6x200", "2h", [{"state": "dead"}]),
        also='state="dead"',
    ),
    *one(
        "QuorumsealBundleNotPublished",
        "outbox_oldest_seconds",
        ("0x60", "1h", NOBODY),
        ("0+60x60", "16m", NOBODY),
        ("0+60x60", "40m", ONCE),
        ("0+60x14 0x60", "40m", NOBODY),
    ),
    *both(
        "QuorumsealAwaitingWitnesses",
        "publications",
        ("0x60", "0x60", "1h", NOBODY),
        ("1x10 0x50", "1x10 0x50", "1h", NOBODY),
        ("2x60", "2x60", "30m", [{"state": "awaiting witnesses"}]),
        also='state="awaiting witnesses"',
    ),
    *both(
        "QuorumsealLogShrank",
        "checkpoint_size",
        ("0+5x60", "0+5x60", "30m", NOBODY),
        ("0+5x20 90+5x30", "0+5x60", "25m", ONCE),
    ),
    *both(
        "QuorumsealCoordinatorsDisagree",
        "checkpoint_size",
        ("0+50x60", "0+50x60", "40m", NOBODY),
        ("0+50x60", "100x60", "40m", ONCE),
        ("100x60", "100x60", "40m", NOBODY),
    ),
    *one(
        "QuorumsealReadOnly",
        "refusals_total",
        ("9x60", "30m", NOBODY),
        ("0x27 3x60", "30m", [{"code": "coordinator.read_only", "instance": "a"}]),
        ("0x10 3x60", "30m", NOBODY),
        also='code="coordinator.read_only"',
    ),
    Case("QuorumsealDown", {f'up{{job="quorumseal", {A}}}': "1x60"}, "30m", NOBODY),
    Case("QuorumsealDown", {f'up{{job="other", {A}}}': "0x60"}, "30m", NOBODY),
    Case(
        "QuorumsealDown",
        {f'up{{job="quorumseal", {A}}}': "1x20 0x60"},
        "30m",
        [{"job": "quorumseal", "instance": "a"}],
    ),
    *one(
        "QuorumsealDatabaseDown",
        "database_up",
        ("1x60", "30m", NOBODY),
        ("1x29 0x60", "31m", NOBODY),
        ("1x20 0x60", "30m", [{"instance": "a"}]),
    ),
    *one(
        "QuorumsealRewound",
        "rewound",
        ("0x60", "30m", NOBODY),
        ("0x20 1x60", "30m", [{}]),
    ),
    *one(
        "QuorumsealPartEnded",
        "ended_threads",
        ("0x60", "30m", NOBODY),
        ("0x20 1x60", "30m", [{"instance": "a"}]),
    ),
    *one(
        "QuorumsealUnforeseenErrors",
        "refusals_total",
        ("4x60", "30m", NOBODY),
        ("0x20 1x60", "30m", [{"code": "internal", "instance": "a"}]),
        also='code="internal"',
    ),
    *one(
        "QuorumsealStorageFails",
        "refusals_total",
        ("4x60", "30m", NOBODY),
        ("4x27 8x60", "30m", [{"code": "coordinator.storage", "instance": "a"}]),
        also='code="coordinator.storage"',
    ),
    _queue("100x60", "30m", NOBODY),
    _queue("0x29 4000 0x60", "30m", NOBODY),
    _queue("0x20 4000x60", "30m", [{"instance": "a"}]),
    _commits("0+100x60", NOBODY),
    _commits("0+50x60", ONCE),
    *one(
        "QuorumsealSiemBlocked",
        "siem_blocked_seconds",
        ("0+60x9 0x50", "30m", NOBODY),
        ("0+60x60", "30m", ONCE),
    ),
    *one(
        "QuorumsealCertificateEnds",
        "certificate_expiry_timestamp_seconds",
        (f"{15 * 86_400}x60", "30m", NOBODY),
        (f"{13 * 86_400}x60", "30m", [{"certificate": "server"}]),
        also='certificate="server"',
    ),
    *one(
        "QuorumsealKeyEnds",
        "key_expiry_timestamp_seconds",
        (f"{31 * 86_400}x60", "30m", NOBODY),
        (f"{29 * 86_400}x60", "30m", ONCE),
    ),
    *one(
        "QuorumsealPolicyEnds",
        "policy_expiry_timestamp_seconds",
        (f"{31 * 86_400}x60", "30m", NOBODY),
        (f"{29 * 86_400}x60", "30m", ONCE),
    ),
    *one(
        "QuorumsealPolicyEndsSoon",
        "policy_expiry_timestamp_seconds",
        (f"{8 * 86_400}x60", "30m", NOBODY),
        (f"{6 * 86_400}x60", "30m", ONCE),
    ),
    *one(
        "QuorumsealCertificateEndsSoon",
        "certificate_expiry_timestamp_seconds",
        (f"{13 * 86_400}x60", "30m", NOBODY),
        (f"{86_400}x60", "30m", [{"certificate": "server"}]),
        also='certificate="server"',
    ),
]


def _test_group(number: int, case: Case) -> dict[str, object]:
    rule = rules()[case.alert]
    return {
        "name": f"{number}: {case.alert}",
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "promql_expr_test": [
            {
                "expr": f'ALERTS{{alertname="{case.alert}", alertstate="firing"}}',
                "eval_time": case.at,
                "exp_samples": [
                    {"labels": _sample(case.alert, {**labels, **rule.labels}), "value": 1}
                    for labels in case.fires
                ],
            }
        ],
    }


def _sample(alert: str, labels: Mapping[str, str]) -> str:
    every = {"alertname": alert, "alertstate": "firing", **labels}
    return "ALERTS{" + ", ".join(f'{name}="{value}"' for name, value in every.items()) + "}"


def promtool(*arguments: str) -> str:
    """Run promtool; return what it said."""
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    for fires in (True, False):
        assert {case.alert for case in CASES if bool(case.fires) is fires} == rules().keys()


@needs_promtool
def test_prometheus_reads_the_rules() -> None:
    assert f"SUCCESS: {len(rules())} rules found" in promtool("check", "rules", str(RULES))


@needs_promtool
def test_alerts_fire_when_they_should_and_only_then(tmp_path: Path) -> None:
    file = tmp_path / "cases.yml"
    groups = [_test_group(number, case) for number, case in enumerate(CASES)]
    file.write_text(
        yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": groups})
    )
    assert "SUCCESS" in promtool("test", "rules", str(file))
