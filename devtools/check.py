"""`./dev check`: the import boundary of the working tree without building images. Host process only.

The program and the documents are those of the image build; only the first-party sources are the working tree's.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from devtools import fetch, nixcli
from devtools.paths import ROOT, STATE


def check(output: str) -> int:
    """Check every image with Python in it; the exit code of the check."""
    fetch.require_sources()
    documents: dict[str, Any] = json.loads(nixcli.build(["boundary-inputs"])["boundary-inputs"].read_text())
    with tempfile.TemporaryDirectory() as scratch:
        argv = ["--format", output, "--cache", str(STATE / "boundary")]
        for name, document in documents["images"].items():
            path = Path(scratch) / f"{name}.json"
            path.write_text(json.dumps({**document, "sourceRoot": str(ROOT / "src")}))
            argv += ["--manifest", str(path)]
        command = [*documents["python"], "-I", "-B", str(ROOT / "nix" / "builders"), "boundary", *argv]
        return subprocess.run(command, cwd=ROOT, env={"PATH": os.environ["PATH"]}, check=False).returncode
