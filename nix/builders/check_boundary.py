"""Runs the import boundary check of one image; a violation fails the build with the report. Runs inside a Nix build."""

import os
import sys

from boundary.cli import main
from document import output

if __name__ == "__main__":
    code = main(["--manifest", os.environ["documentPath"]])  # noqa: SIM112 - Nix names it
    if code == 0:
        output().write_text("every import stays inside the declared closure\n")
    sys.exit(code)
