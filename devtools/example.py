"""`./dev run FILE`: the main job on real input, against the running stack. Host process only.

The work is in devtools/follow.py, which needs the project's own packages and so runs in the locked environment.
"""

import os
import subprocess
from pathlib import Path

from devtools import nixcli
from devtools.errors import DevError, MistakeError
from devtools.paths import ROOT
from devtools.stack import record


def run(definition: str) -> int:
    """Publish, send, follow; 0 when the run succeeded, 1 when not, 2 when the files cannot be played."""
    path = Path(definition).resolve()
    if not path.is_file():
        raise MistakeError(f"there is no file {definition}; try examples/ticket-follow-up.json")
    stack = record.load()
    if stack is None:
        raise DevError("nothing of this checkout runs: start it with ./dev up")
    environment = nixcli.build(["environment"])["environment"]
    variables = {**os.environ, **stack.environment(), "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    argv = [str(environment / "bin" / "python3"), "-m", "devtools.follow", str(path)]
    return subprocess.run(argv, env=variables, check=False).returncode
