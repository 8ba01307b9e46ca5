"""Running other programs, with their last words in the error when they fail. Host process only."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from devtools.errors import DevError


def run(
    argv: Sequence[str | Path],
    *,
    what: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> str:
    """Standard output of ``argv``; raises DevError naming ``what`` and quoting the end of its standard error."""
    try:
        done = subprocess.run(
            [str(part) for part in argv],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise DevError(f"{what}: the program {argv[0]!s} is not installed") from None
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
        raise DevError(f"{what} failed (exit {done.returncode}):\n{tail}")
    return done.stdout
