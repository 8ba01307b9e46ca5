"""Imports every module named on stdin and writes what was seen to stdout, as JSON. Process entry point.

Started as ``python -I -S -B path/to/recorder``: no site-packages, no ``.pth`` files, no bytecode written. The request
gives the search path, so the modules run under exactly the files of the image.
"""

import json
import os
import sys
from pathlib import Path

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent.parent)

from boundary.recorder.session import Session


def main() -> None:
    """Read the request, run the session, answer, and leave without waiting for threads that an import began."""
    request = json.load(sys.stdin)
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    json.dump(Session(request).run(), answer)
    answer.close()
    os._exit(0)


if __name__ == "__main__":
    main()
