"""`./dev test`: pytest in the locked environment. Host process only."""

import os
import subprocess
from typing import Final

from devtools import fetch, install, nixcli
from devtools.paths import ROOT

_MOST_PROCESSES: Final = 2
"""Most tests are themselves several processes, and wait for them; and some keep all processors busy."""


def test(arguments: list[str]) -> int:
    """Install Node if it is missing, fetch, build the environment, run pytest; its exit code.

    All tests together run in as many processes as are worth it here; with ``arguments`` it is for them to say.
    """
    install.ensure_node()
    fetch.fetch()
    environment = nixcli.build(["environment"])["environment"]
    rest = arguments[1:] if arguments[:1] == ["--"] else arguments
    rest = rest or [f"--numprocesses={min(_MOST_PROCESSES, os.cpu_count() or 1)}"]
    variables = {**os.environ, **nixcli.environment(), "PATH": f"{environment / 'bin'}:{os.environ['PATH']}"}
    return subprocess.run(
        [environment / "bin" / "python3", "-m", "pytest", *rest], cwd=ROOT, env=variables, check=False
    ).returncode
