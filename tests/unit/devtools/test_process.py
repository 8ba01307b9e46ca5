"""Running other programs: their output, or their last words."""

from pathlib import Path

import pytest
from devtools.errors import DevError
from devtools.process import run
from tests.fixtures.interpreter import python

PYTHON = python()


def test_output_is_returned() -> None:
    assert run([*PYTHON, "-c", "print('done')"], what="printing") == "done\n"


def test_input_directory_and_environment_reach_the_program(tmp_path: Path) -> None:
    code = "import os, sys; print(sys.stdin.read(), os.getcwd(), os.environ['WORD'], 'PATH' in os.environ)"

    text = run([*PYTHON, "-c", code], what="echoing", cwd=tmp_path, env={"WORD": "x", "PATH": ""}, stdin="in")

    assert text.split() == ["in", str(tmp_path), "x", "True"]


def test_failure_quotes_the_last_lines_and_the_code() -> None:
    code = "import sys; print(*range(40), sep='\\n', file=sys.stderr); sys.exit(3)"

    with pytest.raises(DevError) as failure:
        run([*PYTHON, "-c", code], what="counting")

    first, *quoted = str(failure.value).splitlines()
    assert first == "counting failed (exit 3):"
    assert quoted == [str(number) for number in range(28, 40)]


def test_failure_without_errors_quotes_the_output() -> None:
    with pytest.raises(DevError, match=r"checking failed \(exit 1\):\nno such group"):
        run([*PYTHON, "-c", "print('no such group'); raise SystemExit(1)"], what="checking")


def test_program_that_is_not_installed_is_named() -> None:
    with pytest.raises(DevError, match="brewing: the program coffee-machine is not installed"):
        run(["coffee-machine"], what="brewing")
