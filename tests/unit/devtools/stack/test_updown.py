"""`./dev up` and `./dev down`: which way to run, what is asked for, what survives."""

from pathlib import Path
from typing import Any

import pytest
from devtools import fetch, nixcli
from devtools.archives import Archive
from devtools.errors import DevError
from devtools.stack import composed, embedded, readiness, record, updown
from devtools.stack.record import Stack

FACTS = {
    "topology": {
        "services": ["redis", "workflow-worker"],
        "published": {"redis": {"client": 16379}, "workflow-worker": {"health": 14000}, "temporal": {"ui": 18233}},
    },
    "images": {
        "redis": {"owns": {"queues": []}},
        "workflow-worker": {"owns": {"queues": ["workflow-runtime-v2"]}},
    },
}


class Machine:
    """A machine with or without an engine, and what was started and stopped on it."""

    def __init__(self) -> None:
        self.engine: tuple[list[str] | None, str] = (None, "no container engine answers")
        self.started: list[Stack] = []
        self.variables: dict[str, str] = {}
        self.stopped: list[tuple[str, bool]] = []
        self.alive = True

    def start(self, mode: Any, definition: str, ports: dict[str, int], variables: dict[str, str]) -> Stack:
        """Remember a start."""
        stack = Stack(mode, definition, ports, pid=1, started="2")
        self.started.append(stack)
        self.variables = variables
        return stack


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Everything `up` reaches, as a record of calls."""
    machine = Machine()
    values = {"lib.stack": FACTS, "lib.stack.passEnvironment": ["LOG_LEVEL", "AI_MODEL"]}
    for module in (updown, record):
        monkeypatch.setattr(module, "STATE", tmp_path)
    monkeypatch.setattr(record, "_FILE", tmp_path / "stack.json")
    monkeypatch.setattr(fetch, "fetch", lambda: None)
    monkeypatch.setattr(nixcli, "evaluate", values.__getitem__)
    monkeypatch.setattr(nixcli, "build", lambda names: {name: Path("/nix/store") / name for name in names})
    monkeypatch.setattr(
        updown, "build_images", lambda names: {name: Archive(Path("/x"), name, "ab" * 16, 1) for name in names}
    )
    monkeypatch.setattr(readiness, "wait_ready", lambda ports, problem: None)
    monkeypatch.setattr(composed, "engine", lambda: machine.engine)
    monkeypatch.setattr(composed, "load_images", lambda images: None)
    monkeypatch.setattr(
        composed,
        "start",
        lambda compose, file, variables, ports, name: machine.start("compose", file, ports, variables),
    )
    monkeypatch.setattr(composed, "stop", lambda stack, wipe: machine.stopped.append(("compose", wipe)))
    monkeypatch.setattr(
        embedded,
        "start",
        lambda environment, file, variables, ports: machine.start("embedded", file, ports, variables),
    )
    monkeypatch.setattr(embedded, "stop", lambda stack: machine.stopped.append(("embedded", False)))
    monkeypatch.setattr(embedded, "wipe", lambda: machine.stopped.append(("data", True)))
    monkeypatch.setattr(embedded, "running", lambda stack: machine.alive)
    return machine


def test_machine_without_an_engine_runs_processes_and_says_why(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    updown.up(None, 0)

    assert [stack.mode for stack in machine.started] == ["embedded"]
    captured = capsys.readouterr()
    assert "running embedded: no container engine answers" in captured.err
    assert "ready (embedded). Next: ./dev run examples/ticket-follow-up.json" in captured.out


def test_machine_with_an_engine_runs_the_compose_file(machine: Machine) -> None:
    machine.engine = (["docker", "compose"], "a container engine answers")

    updown.up(None, 0)

    assert [(stack.mode, stack.definition) for stack in machine.started] == [("compose", "/nix/store/compose")]


def test_processes_can_be_chosen_although_an_engine_answers(machine: Machine) -> None:
    machine.engine = (["docker", "compose"], "a container engine answers")

    updown.up("embedded", 0)

    assert [stack.mode for stack in machine.started] == ["embedded"]


def test_containers_without_an_engine_are_refused_with_the_way_out(machine: Machine) -> None:
    with pytest.raises(DevError, match=r"no container engine answers: start one, or .* \./dev up --embedded"):
        updown.up("compose", 0)
    assert machine.started == []


def test_table_shows_who_owns_what_and_where_it_is(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    updown.up(None, 100)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["SERVICE", "DIGEST", "OWNS", "QUEUES", "ADDRESS"]
    assert lines[1].split() == ["redis", "abababababab", "-", "redis://127.0.0.1:16479"]
    assert lines[2].split() == ["workflow-worker", "abababababab", "workflow-runtime-v2", "http://127.0.0.1:14100"]


def test_settings_of_the_person_reach_the_services(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AI_MODEL", "small")
    monkeypatch.delenv("LOG_LEVEL", raising=False)

    updown.up(None, 0)

    assert (machine.variables["AI_MODEL"], machine.variables["LOG_LEVEL"]) == ("small", "")
    assert machine.variables["REDIS_CLIENT_PORT"] == "16379"
    assert Path(machine.variables["WORKFLOW_SECRETS_DIR"]).stat().st_mode & 0o777 == 0o755


def test_second_up_of_an_unchanged_stack_starts_nothing(machine: Machine) -> None:
    updown.up(None, 0)
    updown.up(None, 0)

    assert len(machine.started) == 1
    assert machine.stopped == []


def test_second_up_of_a_changed_stack_replaces_it(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    updown.up(None, 0)
    monkeypatch.setattr(nixcli, "build", lambda names: {name: Path("/nix/store/new") / name for name in names})
    updown.up(None, 0)

    assert len(machine.started) == 2
    assert machine.stopped == [("embedded", False)]


def test_second_up_in_the_other_way_is_refused(machine: Machine) -> None:
    updown.up("embedded", 0)
    machine.engine = (["docker", "compose"], "a container engine answers")

    with pytest.raises(DevError, match=r"the stack runs already, embedded: \./dev down first, or \./dev up --embedded"):
        updown.up(None, 0)


def test_stack_that_has_ended_is_started_anew(machine: Machine) -> None:
    updown.up(None, 0)
    machine.alive = False
    updown.up(None, 0)

    assert len(machine.started) == 2


@pytest.mark.parametrize(
    ("wipe", "done"), [(False, [("embedded", False)]), (True, [("embedded", False), ("data", True)])]
)
def test_down_stops_what_up_started_and_keeps_data_unless_wiped(
    wipe: bool, done: list[tuple[str, bool]], machine: Machine
) -> None:
    updown.up(None, 0)

    updown.down(wipe=wipe)

    assert machine.stopped == done
    assert record.load() is None


def test_down_without_a_stack_stops_nothing(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    updown.down(wipe=False)

    assert machine.stopped == []
    assert "nothing of this checkout runs" in capsys.readouterr().err
