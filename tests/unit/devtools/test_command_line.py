"""The command line: exit codes, and arguments that reach their command."""

import subprocess
from typing import Any

import pytest
from devtools import __main__ as command_line
from devtools import builds, dlq, example, fetch, install, rebuild, testing
from devtools.errors import DevError, MistakeError
from devtools.stack import updown
from tests.fixtures.interpreter import python


@pytest.fixture(autouse=True)
def nix_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with Nix."""
    monkeypatch.setattr(install, "ensure_nix", lambda: None)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Which commands ran, with their arguments."""
    calls: list[Any] = []
    monkeypatch.setattr(fetch, "fetch", lambda: calls.append("fetch"))
    monkeypatch.setattr(builds, "build", lambda images: calls.append(("build", images)))
    monkeypatch.setattr(updown, "up", lambda mode, offset: calls.append(("up", mode, offset)))
    monkeypatch.setattr(updown, "down", lambda wipe: calls.append(("down", wipe)))
    monkeypatch.setattr(example, "run", lambda definition: _code(1, calls, ("run", definition)))
    monkeypatch.setattr(rebuild, "rebuild", lambda tenant, run: _code(1, calls, ("rebuild", tenant, run)))
    monkeypatch.setattr(testing, "test", lambda arguments: _code(5, calls, ("test", arguments)))
    return calls


def _code(code: int, calls: list[Any], call: object) -> int:
    calls.append(call)
    return code


@pytest.mark.parametrize(
    ("argv", "call", "code"),
    [
        (["fetch"], "fetch", 0),
        (["build"], ("build", []), 0),
        (["build", "redis", "temporal"], ("build", ["redis", "temporal"]), 0),
        (["up"], ("up", None, 0), 0),
        (["up", "--embedded"], ("up", "embedded", 0), 0),
        (["up", "--compose", "--port-offset", "100"], ("up", "compose", 100), 0),
        (["down"], ("down", False), 0),
        (["down", "--wipe"], ("down", True), 0),
        (["run", "examples/a.json"], ("run", "examples/a.json"), 1),
        (["test"], ("test", []), 5),
        (["rebuild-projections"], ("rebuild", None, None), 1),
        (["rebuild-projections", "--tenant", "acme", "--run", "r"], ("rebuild", "acme", "r"), 1),
    ],
)
def test_command_gets_its_arguments_and_gives_its_code(
    argv: list[str], call: object, code: int, called: list[Any]
) -> None:
    assert command_line.main(argv) == code
    assert called == [call]


@pytest.mark.parametrize("arguments", [["--", "-q", "-k", "name"], ["tests/unit", "-q"]])
def test_arguments_of_test_go_to_pytest(arguments: list[str], called: list[Any]) -> None:
    command_line.main(["test", *arguments])

    [(_, passed)] = called
    assert [word for word in passed if word != "--"] == [word for word in arguments if word != "--"]


def test_error_is_one_line_and_code_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> None:
        raise DevError("no disk: make room")

    monkeypatch.setattr(fetch, "fetch", broken)

    assert command_line.main(["fetch"]) == 1
    assert capsys.readouterr() == ("", "dev: no disk: make room\n")


def test_mistake_is_one_line_and_code_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def mistaken(options: object) -> None:
        raise MistakeError("there is no such letter")

    monkeypatch.setattr(dlq, "show", mistaken)

    assert command_line.main(["dlq", "show", "1-1"]) == 2
    assert capsys.readouterr() == ("", "dev: there is no such letter\n")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["dlq", "show", "+"], "'+' is no dead letter's ID: ./dev dlq list shows them"),
        (["explain", "x"], "'x' is no event id: it is a UUID, as the publisher sent or was answered"),
        (["retry", "x"], "'x' is no event id: it is a UUID, as the publisher sent or was answered"),
    ],
)
def test_what_cannot_be_an_id_is_one_line_and_code_2(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(argv) == 2
    assert capsys.readouterr() == ("", f"dev: {said}\n")


def test_the_person_on_call_needs_no_nix(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(install, "ensure_nix", lambda: calls.append("nix"))
    monkeypatch.setattr(dlq, "list_letters", lambda options: calls.append("list"))

    assert command_line.main(["dlq", "list"]) == 0
    assert calls == ["list"]


def test_interrupt_is_code_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch, "fetch", interrupted)

    assert command_line.main(["fetch"]) == 130
    assert capsys.readouterr().err == "dev: interrupted\n"


@pytest.mark.parametrize("argv", [[], ["fly"], ["run"], ["up", "--fast"]])
def test_misuse_is_code_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.main(argv)

    assert ended.value.code == 2
    assert "usage: ./dev" in capsys.readouterr().err


TALKATIVE = """
import sys
from devtools import __main__ as command_line
from devtools import fetch, install
install.ensure_nix = lambda: None
fetch.fetch = lambda: print("\\n".join("one of many lines" for _ in range(100_000)))
sys.exit(command_line.main(["fetch"]))
"""


def test_a_reader_that_has_enough_is_no_error() -> None:
    with subprocess.Popen([*python(), "-c", TALKATIVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.readline()
        command.stdout.close()
        assert (command.stderr.read(), command.wait()) == (b"", 0)
