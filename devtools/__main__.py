"""The command line of ./dev. Host process only."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from devtools import builds, check, example, fetch, install, lock, oncall, owners, rebuild, testing
from devtools.errors import DevError
from devtools.stack import updown


def main(argv: Sequence[str]) -> int:
    """Run one command; 0 when it did its work, 1 when it could not, 2 when it was called wrongly."""
    try:
        options = _parser().parse_args(argv)
        if options.nix:
            install.ensure_nix()
        code = int(options.command(options) or 0)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Who reads has what they wanted, as `head` has. Python would flush once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except DevError as error:
        print(f"dev: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:  # no room, no permission: the system's own words name the file
        print(f"dev: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dev: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev", description="Build, run and test this project.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, summary: str, command: Callable[[argparse.Namespace], int | None]) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=summary, description=summary)
        added.set_defaults(command=command, nix=True)
        return added

    add("fetch", "put every locked source into the Nix store (the only networked step)", lambda _: fetch.fetch())
    build = add("build", "build images and name their archives", lambda options: builds.build(options.images))
    build.add_argument("images", nargs="*", metavar="IMAGE", help="default: all")
    up = add("up", "start the whole stack and wait until it is ready", lambda o: updown.up(o.mode, o.port_offset))
    up.add_argument(
        "--compose", dest="mode", action="store_const", const="compose", help="use the generated compose file"
    )
    up.add_argument("--embedded", dest="mode", action="store_const", const="embedded", help="use processes, no engine")
    up.add_argument("--port-offset", type=int, default=0, metavar="N", help="add N to every published port")
    down = add("down", "stop what up started; data survives", lambda options: updown.down(wipe=options.wipe))
    down.add_argument("--wipe", action="store_true", help="remove the data as well")
    run = add(
        "run", "publish an example, send its events and follow the run", lambda options: example.run(options.definition)
    )
    run.add_argument("definition", metavar="FILE", help="an authored workflow, with FILE's .run.json beside it")
    test = add(
        "test", "run the tests; arguments after -- go to pytest", lambda options: testing.test(options.arguments)
    )
    test.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGUMENT")
    checking = add("check", "check the import boundary of the working tree", lambda o: check.check(o.format))
    checking.add_argument("--format", choices=("text", "json", "sarif"), default="text")
    add("owners", "who should poll each queue of the running stack, and who does", lambda _: owners.owners())
    oncall.add_commands(commands)
    rebuilding = add(
        "rebuild-projections",
        "rebuild from Temporal what Redis shows of runs",
        lambda options: rebuild.rebuild(options.tenant, options.run),
    )
    rebuilding.add_argument("--tenant", metavar="TENANT", help="only the runs of this tenant")
    rebuilding.add_argument("--run", metavar="ID", help="only this run")
    add("shell", "enter `nix develop`", lambda _: builds.shell())
    add("lock", "re-resolve poetry.lock and the Debian lock, and print what changed", lambda _: lock.lock())
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
