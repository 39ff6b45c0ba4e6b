# SPDX-License-Identifier: Apache-2.0
"""A release from the first question to the consumer's answer, told by the commands that people would type."""

import shlex
from typing import Final

from demo.stage import PEOPLE, DemoError, Stage, free_port

AGENTS: Final = ("alice", "bob", "carol", "dan", "rita")
RELEASE: Final = "widget@1.0"
SHORT_DEADLINE: Final = "10s"


def found(stage: Stage) -> None:
    """Make the organisation's directory."""
    stage.telling.chapter("1. An organisation: releases need two engineers, one of security, one of release")
    stage.telling.remark(
        "Alice, Bob and Mallory are engineers, Carol and Dan security, Rita release. Mallory asks."
    )
    stage.write_passphrase()
    stage.write("people", PEOPLE.encode())
    stage.must(
        *("org", "init", "--local", "acme", "--people", PEOPLE, "--products", "widget,gadget"),
        *("--spare-keys", "alice", "--rejection", "count"),
        *("--listen", f"127.0.0.1:{free_port()}", "--passphrase-file", stage.passphrase_file),
        brief=True,
        typed={PEOPLE: '"$(cat people)"'},
    )
    stage.give_agents_the_passphrase()


def run_programs(stage: Stage) -> None:
    """Start the coordinator, and an agent for each signer."""
    stage.telling.chapter("2. A coordinator, and on each signer's machine an agent")
    coordinator = stage.background("coordinator", "coordinator", "run", "--settings", stage.settings_file)
    stage.telling.said(coordinator.wait_for("listens on"))
    agents = [stage.background(name, "agent", "run", "--home", stage.home(name)) for name in AGENTS]
    for agent in agents:
        stage.telling.said(agent.wait_for(agent.name))


def ask(stage: Stage) -> None:
    """Let the release manager ask; see that every agent hears of it."""
    stage.telling.chapter("3. Mallory asks for a release")
    stage.must("start", "widget", "1.0", stage.artifact("widget", "1.0"), "--home", stage.home("mallory"))
    for agent in stage.running[1:]:
        stage.telling.said(f"{agent.name:<5} │ {agent.wait_for('widget 1.0').strip()}")


def decide(stage: Stage) -> None:
    """Let people in three roles look at it and sign."""
    stage.telling.chapter("4. People in three roles hash it themselves, read what they would sign, and sign")
    artifact = stage.artifact("widget", "1.0")
    stage.must("review", RELEASE, "--artifacts", artifact, "--home", stage.home("carol"))
    for signer in ("carol", "alice"):
        stage.must(*stage.approval(signer, "widget", "1.0"), brief=True)
    stage.must("why", RELEASE, "--home", stage.home("mallory"))
    for signer in ("rita", "bob"):
        stage.must(*stage.approval(signer, "widget", "1.0"), brief=True)
    stage.must("wait", RELEASE, "--timeout", "30s", "--home", stage.home("mallory"))


def verify(stage: Stage) -> None:
    """Let a consumer verify, who has the artifact, the bundle and the trust file, and no network."""
    stage.telling.chapter("5. Anybody verifies it offline, from artifact, bundle and trust file")
    artifact, bundle = stage.artifact("widget", "1.0"), stage.published("widget", "1.0")
    stage.must("verify", artifact, "--bundle", bundle, "--trust", stage.trust_file, "--explain")
    stage.telling.remark("One approval as files, for a tool that has never heard of Quorumseal:")
    extract = ("bundle", "extract", bundle, "--signer", "carol", "--out", "approval")
    check = shlex.split(stage.must(*extract, "--trust", stage.trust_file).lines[-1])
    ran = stage.telling.run([*map(shlex.quote, check)], check, folder=stage.folder)
    if ran.code:
        raise DemoError(f"expected openssl to verify the approval of carol, got exit code {ran.code}")


def prepare_frauds(stage: Stage) -> None:
    """Ask for the releases that the frauds are about; leave Bob out of two, let Dan be outvoted on one."""
    stage.telling.remark("Three more releases. Alice, Carol and Rita approve the two widgets; Bob does not.")
    _ask_for(stage, "gadget", "2.0")
    _ask_for(stage, "widget", "1.1")
    _approve_without_bob(stage, "widget 1.1")
    _ask_for(stage, "widget", "1.2", "--deadline", SHORT_DEADLINE)
    _approve_without_bob(stage, "widget 1.2")
    stage.telling.remark("Dan rejects the gadget, and is outvoted, as this organisation's rule allows.")
    words = ("reject", "gadget@2.0", "--reason", "it failed its scan", "--artifacts")
    stage.must(*words, stage.artifact("gadget", "2.0"), "--yes", "--home", stage.home("dan"), brief=True)
    for name in ("alice", "bob", "rita"):
        stage.send(name, stage.person(name).approve(stage.request("gadget 2.0"), stage.policy))
    stage.must(*stage.approval("carol", "gadget", "2.0"), brief=True)


def _ask_for(stage: Stage, product: str, version: str, *more: str) -> None:
    artifact, home = stage.artifact(product, version), stage.home("mallory")
    stage.must("start", product, version, artifact, *more, "--home", home, brief=True)


def _approve_without_bob(stage: Stage, release: str) -> None:
    request = stage.request(release)
    for name in ("alice", "carol", "rita"):
        state = stage.send(name, stage.person(name).approve(request, stage.policy))
        if state != "open":
            raise DemoError(f"expected {release} to be open without bob, got {state}")
