"""The health check of a container: ``python3 -I -m workflow_runtime.service.probe URL``. Process entry point.

Exits 0 when the URL answers 200, else 1 with one line. Standard library only, because it starts every few seconds.
"""

import http.client
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 4.0


def main(argv: Sequence[str]) -> int:
    """Ask the URL in ``argv`` once."""
    if len(argv) != 1 or not urlsplit(argv[0]).hostname:
        print("usage: python3 -m workflow_runtime.service.probe URL", file=sys.stderr)
        return 2
    url = urlsplit(argv[0])
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", url.path or "/")
        answer = connection.getresponse()
        detail = answer.read(2000).decode("utf-8", "replace")
    except OSError as error:
        print(f"{argv[0]} does not answer: {error}", file=sys.stderr)
        return 1
    finally:
        connection.close()
    if answer.status != 200:
        print(f"{argv[0]} answers {answer.status}: {detail}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
