# SPDX-License-Identifier: Apache-2.0
"""The running log of a real coordinator: who was refused what, and nothing that is nobody's business."""

import json
from pathlib import Path

import grpc
import pytest

from coordinator.certificates import Kind
from coordinator.grpc_api.callers import SERVICE
from tests.grpc_api.knocking import knock
from tests.running_coordinator import Site

FORMATS = ["text", "json"]


def run(folder: Path, style: str) -> list[str]:
    """Let a coordinator refuse all sorts of callers; return the lines that it wrote."""
    site = Site(folder, more=f'[logging]\nformat = "{style}"')
    with site.subprocess() as coordinator:
        with knock(site, coordinator.address, site.client("alice")) as alice:
            assert alice.refusal("Start", b"\xff swordfish").code == "message.malformed"
        with knock(site, coordinator.address, site.client("olga", Kind.AUDITOR)) as olga:
            assert olga.refusal("Start").code == "caller.not_allowed"
        with knock(site, coordinator.address, None) as nobody, pytest.raises(grpc.RpcError):
            nobody.call("GetOrganisation", timeout=2)
        assert coordinator.terminate() == 0
    return (folder / "coordinator.log").read_text().splitlines()


def test_every_line_is_an_object_where_the_settings_say_so(tmp_path: Path) -> None:
    told = [json.loads(line) for line in run(tmp_path, "json")]
    refused = [line for line in told if line["message"] == "refused a call"]
    assert [(line["code"], line.get("caller"), line["call"]) for line in refused] == [
        ("message.malformed", "signer", f"/{SERVICE}/Start"),
        ("caller.not_allowed", None, f"/{SERVICE}/Start"),
    ]


def test_the_same_is_told_in_text_where_they_do_not(tmp_path: Path) -> None:
    refused = [line for line in run(tmp_path, "text") if "refused a call" in line]
    assert [line.partition("refused a call")[2] for line in refused] == [
        f" code=message.malformed caller=signer call=/{SERVICE}/Start",
        f" code=caller.not_allowed call=/{SERVICE}/Start",
    ]


@pytest.mark.parametrize("style", FORMATS)
def test_no_name_no_secret_and_nothing_that_callers_sent_is_told(tmp_path: Path, style: str) -> None:
    lines = "\n".join(run(tmp_path, style))
    key = (tmp_path / "log.key").read_text().splitlines()[1]
    for private in ("alice", "olga", "swordfish", key, "PRIVATE KEY"):
        assert private not in lines
