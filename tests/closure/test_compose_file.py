"""The generated compose file of the declared images: what may go out, come in, be written and be waited for."""

import re
from typing import Any

import pytest
from devtools.paths import ROOT
from tests.closure import declared
from tests.nix.evaluate import evaluate

pytestmark = pytest.mark.nix

FORBIDDEN = {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc", "user", "userns_mode"}
PUBLISHED = re.compile(r"127\.0\.0\.1:\$\{[A-Z0-9_]+_PORT:-([0-9]+)\}:([0-9]+)")
SHELL = re.compile(r"^(CMD-SHELL|.*/(ba|da)?sh)$")


@pytest.fixture(scope="module")
def topology() -> dict[str, Any]:
    """images/topology.nix as data."""
    found: dict[str, Any] = evaluate("import ./images/topology.nix")
    return found


@pytest.fixture(params=declared.NAMES)
def service(request: pytest.FixtureRequest, compose: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Each service in turn, with its name."""
    return request.param, compose["services"][request.param]


type Service = tuple[str, dict[str, Any]]


def test_every_declared_image_is_a_service(compose: dict[str, Any], topology: dict[str, Any]) -> None:
    assert sorted(compose["services"]) == sorted(topology["services"]) == declared.NAMES


def test_service_has_no_rights_and_a_read_only_root(service: Service) -> None:
    _, settings = service

    assert settings["read_only"] is True
    assert settings["cap_drop"] == ["ALL"]
    assert settings["security_opt"] == ["no-new-privileges:true"]
    assert settings["tmpfs"] == ["/tmp"]
    assert settings.keys() & FORBIDDEN == set()


def test_ports_are_published_on_loopback_only(service: Service, topology: dict[str, Any]) -> None:
    name, settings = service
    published = topology["published"][name]
    inside = declared.declarations()[name]["ports"]

    found = [PUBLISHED.fullmatch(port) for port in settings["ports"]]
    assert [match and (int(match[1]), int(match[2])) for match in found] == [
        (published[port], inside[port]) for port in sorted(published)
    ]


def test_published_ports_do_not_clash(topology: dict[str, Any]) -> None:
    numbers = [number for ports in topology["published"].values() for number in ports.values()]

    assert len(numbers) == len(set(numbers))


def test_service_starts_after_what_it_needs_is_healthy(service: Service, compose: dict[str, Any]) -> None:
    name, settings = service
    needs = declared.declarations()[name].get("needs", [])

    assert settings.get("depends_on", {}) == {need: {"condition": "service_healthy"} for need in needs}
    assert all("healthcheck" in compose["services"][need] for need in needs)


def test_health_check_needs_no_shell(service: Service) -> None:
    _, settings = service
    kind, program, *arguments = settings["healthcheck"]["test"]

    assert kind == "CMD"
    assert program.startswith("/")
    assert [word for word in (program, *arguments) if SHELL.match(word) or word == "-c"] == []


def test_every_volume_is_named_and_declared(service: Service, compose: dict[str, Any]) -> None:
    name, settings = service
    volumes = declared.declarations()[name].get("volumes", {})
    named = [mount for mount in settings.get("volumes", []) if not mount.endswith(":ro")]

    assert named == [f"{name}-{volume}:{path}" for volume, path in sorted(volumes.items())]
    assert {f"{name}-{volume}" for volume in volumes} <= set(compose["volumes"])


def test_directories_of_the_host_are_read_only(service: Service) -> None:
    name, settings = service
    directories = declared.declarations()[name].get("directories", {})
    mounted = [mount for mount in settings.get("volumes", []) if mount.endswith(":ro")]

    assert mounted == [
        f"${{{variable}:-./{name}}}:/run/workflow/{name}:ro" for name, variable in sorted(directories.items())
    ]
    for directory, variable in directories.items():
        assert settings["environment"][variable] == f"/run/workflow/{directory}"


def test_no_secret_is_written_into_the_file(compose: dict[str, Any]) -> None:
    for settings in compose["services"].values():
        for variable, value in settings.get("environment", {}).items():
            assert value.startswith(("${", "/run/workflow/")), variable


def test_volumes_are_only_those_of_services(compose: dict[str, Any]) -> None:
    used = {mount.split(":")[0] for settings in compose["services"].values() for mount in settings.get("volumes", [])}

    assert set(compose["volumes"]) <= used


OF_THE_STACK = {"REDIS_URL", "REDIS_CLUSTER", "BIND_HOST", "PORT", "WORKFLOW_RUNTIME_V2_EVENT_CONSUMER_GROUP"}
"""What the stack decides itself, beside the address and the credentials of Temporal."""


def test_every_documented_setting_of_a_person_reaches_its_process(compose: dict[str, Any]) -> None:
    table = (ROOT / "docs" / "OPERATIONS.md").read_text().partition("## Settings")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| `")]
    secrets = {name.upper() for name in compose["secrets"]}
    python = [name for name, image in declared.declarations().items() if image["base"] == "python"]
    lost = []
    for names, _, processes in rows:
        owners = [name for name in python if processes.startswith("all") or name in processes]
        for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", names):
            of_the_stack = name in OF_THE_STACK or (
                name.startswith("TEMPORAL_") and not name.endswith(("QUEUES", "URL"))
            )
            if of_the_stack or name.removesuffix("_FILE") in secrets:
                continue
            lost += [(name, owner) for owner in owners if name not in compose["services"][owner]["environment"]]
    assert rows
    assert lost == []
