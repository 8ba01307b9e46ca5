"""The virtual environment of a closure on a host: linked trees, an interpreter, and named programs."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from tests.unit.builders.conftest import Build

import environment


def _tree(path: Path, *files: str) -> str:
    for file in files:
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).write_text(file)
    return str(path)


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    """Two wheels, of which one brings a program."""
    return {
        "name": "worker",
        "trees": [
            _tree(tmp_path / "a", "lib/python3.13/site-packages/a/__init__.py", "bin/tool"),
            _tree(tmp_path / "b", "lib/python3.13/site-packages/b/__init__.py"),
        ],
        "base": "/store/base",
        "python": ["/store/loader", "--argv0", "@python@", "/store/base/usr/bin/python3.13"],
        "pythonVersion": "3.13",
        "programs": {"redis-cli": ["/store/loader", "/store/redis cli"], "pytest": ["@python@", "-m", "pytest"]},
    }


def _argv(script: Path) -> list[str]:
    shebang, command = script.read_text().splitlines()
    assert shebang == "#!/bin/sh"
    assert script.stat().st_mode & 0o777 == 0o755
    return shlex.split(command)


def test_trees_are_joined(given: Build, document: dict[str, Any]) -> None:
    prefix = given(document)["out"]

    environment.main()

    packages = prefix / "lib/python3.13/site-packages"
    assert (packages / "a/__init__.py").exists()
    assert (packages / "b/__init__.py").exists()
    assert (prefix / "bin/tool").read_text() == "bin/tool"
    assert (prefix / "pyvenv.cfg").read_text() == "home = /store/base/usr/bin\ninclude-system-site-packages = false\n"


def test_interpreter_and_programs_start_through_the_loader(given: Build, document: dict[str, Any]) -> None:
    prefix = given(document)["out"]

    environment.main()

    python = str(prefix / "bin/python3")
    loader = ["/store/loader", "--argv0", python, "/store/base/usr/bin/python3.13"]
    assert _argv(prefix / "bin/python3") == ["exec", *loader, "$@"]
    assert (prefix / "bin/python").readlink() == Path("python3")
    assert _argv(prefix / "bin/redis-cli") == ["exec", "/store/loader", "/store/redis cli", "$@"]
    assert _argv(prefix / "bin/pytest") == ["exec", python, "-m", "pytest", "$@"]


def test_program_of_a_tree_is_not_written_through(given: Build, document: dict[str, Any], tmp_path: Path) -> None:
    given(document)

    environment.main()

    assert sorted(path.name for path in (tmp_path / "a/bin").iterdir()) == ["tool"]


def test_environment_without_programs_has_an_interpreter(given: Build, document: dict[str, Any]) -> None:
    prefix = given({**document, "trees": document["trees"][1:], "programs": {}})["out"]

    environment.main()

    assert sorted(path.name for path in (prefix / "bin").iterdir()) == ["python", "python3"]


def test_clash_of_two_trees_ends_the_build(
    given: Build, document: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document["trees"].append(_tree(tmp_path / "c", "bin/tool"))
    given(document)

    with pytest.raises(SystemExit):
        environment.main()

    assert "bin/tool would be the same file" in capsys.readouterr().err
