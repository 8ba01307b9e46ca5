"""Gives one program of a tree a name of its own: ``bin/NAME``. Runs inside a Nix build.

Document: ``{version, source, program}``.
"""

import shutil
from pathlib import Path

from document import output, read_document


def main() -> None:
    """Copy the program."""
    document = read_document()
    target = output() / "bin" / document["program"]
    target.parent.mkdir(parents=True)
    shutil.copyfile(Path(document["source"]), target)
    target.chmod(0o755)


if __name__ == "__main__":
    main()
