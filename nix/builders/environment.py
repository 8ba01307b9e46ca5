"""Links the trees of a closure into one virtual environment that runs on the host. Runs inside a Nix build.

Document: ``{version, name, trees: [directory], base, python: [argv with @python@], pythonVersion, programs: {name:
argv}}``. ``bin/python3`` and each of ``programs`` become small scripts that start the real program through its own
loader; they are for a host, which has a shell, and are no part of any image.
"""

import shlex
from pathlib import Path

from document import fail, output, read_document
from trees import TreeError, join_trees


def main() -> None:
    """Join the trees, then add the interpreter and the programs."""
    document = read_document()
    prefix = output()
    try:
        join_trees([Path(tree) for tree in document["trees"]], prefix)
    except TreeError as error:
        fail(str(error))
    binaries = _own_directory(prefix / "bin")
    python = str(binaries / "python3")
    for name, argv in {"python3": document["python"], **document["programs"]}.items():
        _script(binaries / name, [python if part == "@python@" else part for part in argv])
    (binaries / "python").symlink_to("python3")
    home = f"{document['base']}/usr/bin"
    (prefix / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")


def _own_directory(path: Path) -> Path:
    """A real directory at ``path``, also when the join made it a link to the only tree that has one."""
    if path.is_symlink():
        target = path.readlink()
        path.unlink()
        join_trees([target], path)
    path.mkdir(exist_ok=True)
    return path


def _script(path: Path, argv: list[str]) -> None:
    path.write_text(f'#!/bin/sh\nexec {shlex.join(argv)} "$@"\n')
    path.chmod(0o755)


if __name__ == "__main__":
    main()
