"""The command line of ./dev. Host process only."""

import argparse
import sys
from collections.abc import Sequence

from devtools import fetch, lock
from devtools.errors import DevError


def main(argv: Sequence[str]) -> int:
    """Run one command; 0 when it did its work, 1 when it could not, 2 when it was called wrongly."""
    options = _parser().parse_args(argv)
    try:
        return int(options.command(options) or 0)
    except DevError as error:
        print(f"dev: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dev: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev", description="Build, run and test this project.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("fetch", help="put every locked source into the Nix store").set_defaults(command=lambda _: fetch.fetch())
    commands.add_parser("lock", help="re-resolve poetry.lock and the Debian lock").set_defaults(command=lambda _: lock.lock())
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
