"""`./dev test`: pytest in the locked environment. Host process only."""

import os
import subprocess

from devtools import fetch, install, nixcli
from devtools.paths import ROOT


def test(arguments: list[str]) -> int:
    """Install Node if it is missing, fetch, build the environment, run pytest; its exit code."""
    install.ensure_node()
    fetch.fetch()
    environment = nixcli.build(["environment"])["environment"]
    rest = arguments[1:] if arguments[:1] == ["--"] else arguments
    variables = {**os.environ, **nixcli.environment(), "PATH": f"{environment / 'bin'}:{os.environ['PATH']}"}
    return subprocess.run(
        [environment / "bin" / "python3", "-m", "pytest", *rest], cwd=ROOT, env=variables, check=False
    ).returncode
