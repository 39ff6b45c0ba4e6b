# SPDX-License-Identifier: Apache-2.0
"""The compose file, rule by rule: nobody is root, nothing is written but what is named, secrets are files."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from coordinator.settings import read_all_settings

FOLDER = Path(__file__).parents[2] / "deploy" / "compose"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
COORDINATORS = {name: service for name, service in SERVICES.items() if name.startswith("coordinator")}


def test_two_coordinators_share_one_database() -> None:
    assert len(COORDINATORS) == 2
    ports = [service["ports"] for service in COORDINATORS.values()]
    assert ports[0] != ports[1]
    assert {name for name in SERVICES if name not in COORDINATORS} == {"postgresql"}


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_nobody_is_root_or_can_become_it(service: dict[str, Any]) -> None:
    assert all(int(number) > 0 for number in service["user"].split(":"))
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_nothing_is_written_but_what_is_named(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert all(
        {"noexec", "nosuid", "nodev"} <= set(each.split(":")[1].split(",")) for each in service["tmpfs"]
    )
    for volume in service["volumes"]:
        assert volume.get("read_only") or volume["source"] in COMPOSE["volumes"]


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_no_service_can_take_all_there_is(service: dict[str, Any]) -> None:
    assert service["pids_limit"] <= 256
    assert service["mem_limit"].endswith("g")


def test_every_secret_is_a_file_and_nobody_gets_one_that_they_do_not_read() -> None:
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}
    for service in SERVICES.values():
        assert set(service["secrets"]) <= COMPOSE["secrets"].keys()
        for name, value in service.get("environment", {}).items():
            assert "PASS" not in name or value.startswith("/run/secrets/")
    assert SERVICES["postgresql"]["secrets"] == ["postgres.password"]
    assert all("postgres.password" not in service["secrets"] for service in COORDINATORS.values())


def test_the_database_is_reached_by_the_coordinators_alone() -> None:
    assert SERVICES["postgresql"]["networks"] == ["back"]
    assert COMPOSE["networks"]["back"]["internal"] is True
    assert "ports" not in SERVICES["postgresql"]
    assert all(service["networks"] == ["front", "back"] for service in COORDINATORS.values())


def test_the_database_loses_nothing_that_it_confirmed() -> None:
    command = SERVICES["postgresql"]["command"]
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        assert f"{setting}=on" in command


def test_the_settings_name_nothing_but_what_the_containers_have() -> None:
    read = read_all_settings(FOLDER / "coordinator.toml")
    missing = sorted(str(problem).partition("got ")[2].partition(",")[0] for problem in read.problems)
    in_secrets = sorted(f"/run/secrets/{name}" for name in ("log.key.pem", "log.passphrase", "tls.key.pem"))
    mounted = [str(FOLDER / "certificates" / name) for name in ("ca.pem", "certificate.pem")]
    assert missing == sorted([*in_secrets, *mounted]), "only the files themselves are missing"
    service = next(iter(COORDINATORS.values()))
    assert {Path(name).name for name in in_secrets} <= set(service["secrets"])
    (folder,) = [each["target"] for each in service["volumes"] if each["type"] == "bind"]
    assert folder == "/etc/quorumseal/certificates"
    assert [str(path) for path in read.settings.publish_to] == ["/srv/published"]
