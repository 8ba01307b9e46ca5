"""Small trees with one program in them."""

import shlex
from pathlib import Path

from tests.unit.builders.conftest import Build

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
