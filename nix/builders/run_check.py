"""Runs one command over copies of some sources; its failure fails the build. Runs inside a Nix build.

Document: ``{version, name, argv, sources: {relative path: store path}, env: {NAME: value}}``.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from document import output, read_document


def main() -> int:
    """Copy the sources into the build directory, run the command there, write its output on success."""
    document = read_document()
    root = Path.cwd() / "tree"
    for relative, source in document["sources"].items():
        _copy(Path(source), root / relative)
    environment = {"HOME": str(Path.cwd()), "PATH": "", "TMPDIR": str(Path.cwd()), **document["env"]}
    done = subprocess.run(document["argv"], cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    sys.stdout.write(done.stdout)
    if done.returncode == 0:
        output().write_text(done.stdout)
    return done.returncode


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=shutil.copyfile)
        for directory, _names, files in os.walk(target):
            for path in (Path(directory), *(Path(directory, name) for name in files)):
                path.chmod(0o755)
    else:
        shutil.copyfile(source, target)


if __name__ == "__main__":
    sys.exit(main())
