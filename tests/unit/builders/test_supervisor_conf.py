"""The configuration as supervisord itself reads it."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from supervisor.datatypes import RestartWhenExitUnexpected  # type: ignore[import-untyped]
from supervisor.options import ServerOptions  # type: ignore[import-untyped]
from tests.unit.builders.conftest import Build

import supervisor_conf


def _service(**changes: Any) -> dict[str, Any]:
    return {"name": "redis", "command": ["/bin/redis", "--port", "1"], "environment": {}, "volumes": [], **changes}


@pytest.fixture
def read_back(given: Build, tmp_path: Path) -> Any:
    """Write services, let supervisord parse the file, return its process configurations by name."""

    def run(*services: dict[str, Any]) -> dict[str, Any]:
        (tmp_path / "logs").mkdir(exist_ok=True)
        paths = given({"attrs": {"services": list(services)}})
        supervisor_conf.main()
        options = ServerOptions()
        # supervisord reads its environment into this when it starts.
        options.environ_expansions = {"ENV_WORKFLOW_STATE": str(tmp_path), "ENV_REDIS_CLIENT_PORT": "6380"}
        options.realize(args=["-c", str(paths["out"])], doc="")
        return {group.name: group.process_configs[0] for group in options.process_group_configs}

    return run


def test_services_start_in_the_order_of_the_topology(read_back: Any) -> None:
    configs = read_back(_service(name="redis"), _service(name="temporal"), _service(name="worker"))

    assert [config.priority for config in configs.values()] == [0, 1, 2]
    assert list(configs) == ["redis", "temporal", "worker"]


@pytest.mark.parametrize("argument", ["", "plain", "two words", "it's", 'say "hi"', "a;b", "a#b", "$HOME", "*", "a\\b"])
def test_argument_reaches_the_program_unchanged(argument: str, read_back: Any) -> None:
    config = read_back(_service(command=["/bin/redis", argument, "last"]))["redis"]

    assert shlex.split(config.command) == ["/bin/redis", argument, "last"]


def test_ports_come_from_the_environment_of_supervisord(read_back: Any) -> None:
    service = _service(
        command=["/bin/redis", "--port", "%(ENV_REDIS_CLIENT_PORT)s"],
        environment={"URL": "redis://127.0.0.1:%(ENV_REDIS_CLIENT_PORT)s/0"},
    )

    config = read_back(service)["redis"]

    assert shlex.split(config.command) == ["/bin/redis", "--port", "6380"]
    assert config.environment == {"URL": "redis://127.0.0.1:6380/0"}


@pytest.mark.parametrize(
    "value", ["", "plain", "two words", "a,b=c", "a\\b", '{"*": ["ticketId"]}', "it's", "a(b)", "a@b"]
)
def test_variable_reaches_the_program_unchanged(value: str, read_back: Any) -> None:
    assert read_back(_service(environment={"A": "1", "VALUE": value, "Z": "2"}))["redis"].environment == {
        "A": "1",
        "VALUE": value,
        "Z": "2",
    }


@pytest.mark.parametrize("value", ["both \" and '", "two\nlines"])
def test_variable_that_supervisord_cannot_hold_ends_the_build(
    value: str, given: Build, capsys: pytest.CaptureFixture[str]
) -> None:
    given({"attrs": {"services": [_service(environment={"VALUE": value})]}})

    with pytest.raises(SystemExit):
        supervisor_conf.main()

    assert capsys.readouterr().err.startswith("error: VALUE cannot be set by supervisord")


def test_misuse_is_not_tried_again_and_any_other_end_is(read_back: Any) -> None:
    config = read_back(_service())["redis"]

    assert config.exitcodes == [2]
    assert config.autorestart is RestartWhenExitUnexpected
    assert config.stopwaitsecs == 30
