"""Runs Nix expressions of this checkout for tests. Test process; needs `nix` on PATH."""

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from devtools import nixcli
from devtools.paths import ROOT

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class EvaluationError(Exception):
    """What Nix said, without colours and without its own hint about traces."""


def nix(*argv: str | Path, cwd: Path = ROOT) -> str:
    """Standard output of a nix command under the settings of this project; raises EvaluationError."""
    environment = {**os.environ, **nixcli.environment()}
    done = subprocess.run(["nix", *argv], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = _COLOUR.sub("", done.stderr).strip().splitlines()
        raise EvaluationError("\n".join(line for line in lines if "--show-trace" not in line).strip())
    return done.stdout


def evaluate(expression: str) -> Any:
    """The JSON value of an expression; relative paths are below the checkout. Raises EvaluationError."""
    return json.loads(nix("eval", "--impure", "--json", "--expr", expression))


def evaluate_with(function: str, argument: object) -> Any:
    """The JSON value of a Nix function applied to JSON data of any size. Raises EvaluationError."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(argument, file)
        file.flush()
        return evaluate(f"({function}) (builtins.fromJSON (builtins.readFile {file.name}))")
