"""Small trees with one program in them."""

import shlex
from pathlib import Path

import pytest
from tests.unit.builders.conftest import Build

import compiled
import json_file
import program
import script


def test_program_gets_a_name_of_its_own(given: Build, tmp_path: Path) -> None:
    (tmp_path / "bash-static").write_bytes(b"\x7fELF")
    output = given({"source": str(tmp_path / "bash-static"), "program": "bash"})["out"]

    program.main()

    assert (output / "bin/bash").read_bytes() == b"\x7fELF"
    assert (output / "bin/bash").stat().st_mode & 0o777 == 0o755


def test_script_passes_its_arguments_on(given: Build) -> None:
    output = given({"name": "fmt", "argv": ["/loader", "/with blank/ruff", "format"]})["out"]

    script.main()

    shebang, command = (output / "bin/fmt").read_text().splitlines()
    assert shebang == "#!/bin/sh"
    assert shlex.split(command) == ["exec", "/loader", "/with blank/ruff", "format", "$@"]
    assert (output / "bin/fmt").stat().st_mode & 0o777 == 0o755


def test_compiled_adds_byte_code_beside_the_source(given: Build, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "thing.py").write_text("X = 1\n")
    output = given({"source": str(tmp_path / "tree")})["out"]

    compiled.main()

    assert (output / "thing.py").read_text() == "X = 1\n"
    assert [path.name for path in (output / "__pycache__").iterdir()] == ["thing.cpython-313.pyc"]


def test_builders_that_do_not_compile_end_the_build(given: Build, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "thing.py").write_text("X =\n")
    given({"source": str(tmp_path / "tree")})

    with pytest.raises(SystemExit) as ended:
        compiled.main()

    assert ended.value.code == 1


def test_json_file_holds_the_content_in_a_fixed_order(given: Build) -> None:
    output = given({"content": {"b": 1, "a": [2]}})["out"]

    json_file.main()

    assert output.read_text() == '{\n  "a": [\n    2\n  ],\n  "b": 1\n}\n'
