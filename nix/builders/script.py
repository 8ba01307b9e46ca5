"""Writes ``bin/NAME``, a script that starts one program with its first arguments fixed. Runs inside a Nix build.

Document: ``{version, name, argv}``. The script is for a host, which has a shell, and is no part of any image.
"""

import shlex

from document import output, read_document


def main() -> None:
    """Write the script."""
    document = read_document()
    path = output() / "bin" / document["name"]
    path.parent.mkdir(parents=True)
    path.write_text(f'#!/bin/sh\nexec {shlex.join(document["argv"])} "$@"\n')
    path.chmod(0o755)


if __name__ == "__main__":
    main()
