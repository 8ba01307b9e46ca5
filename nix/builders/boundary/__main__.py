"""Starts the boundary check, as ``python -m boundary`` or as ``python -I path/to/boundary``. Process entry point.

With ``-I`` no search path names this package, so a start by directory puts the directory above it first and takes its
own directory out, where module names could stand before the standard library's.
"""

import sys
from pathlib import Path

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from boundary.cli import main

if __name__ == "__main__":
    sys.exit(main())
