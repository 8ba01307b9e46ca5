"""The arguments of the commands for the person on call: dlq, explain, retry. Host process only."""

import argparse
import re
import uuid
from typing import Any

from devtools import dlq, explain
from devtools.api import this_person
from devtools.errors import MistakeError


def add_commands(commands: Any) -> None:
    """Add them to the subparsers of ./dev; none of them needs Nix."""
    summary = "dead letters: list, show, redrive, drop"
    letters = commands.add_parser("dlq", help=summary, description=summary)
    _add_letters(letters.add_subparsers(required=True, metavar="COMMAND"))

    explaining = _add(commands, "explain", "what became of an event, and why", explain.explain)
    _event(explaining)
    explaining.add_argument("--json", action="store_true", help="print the server's answer")
    retrying = _add(commands, "retry", "deliver an event again to the targets it failed for", explain.retry)
    _event(retrying)
    _audited(retrying)


def _add_letters(letters: Any) -> None:
    listing = _add(letters, "list", "the newest dead letters", dlq.list_letters)
    listing.add_argument("--tenant", metavar="T", help="only those which say they are this tenant's")
    listing.add_argument("--limit", type=_limit, default=50, metavar="N", help="1 to 500; default: 50")
    listing.add_argument("--json", action="store_true", help="print the server's answer")
    showing = _add(letters, "show", "one dead letter with its fields and what was done before", dlq.show)
    showing.add_argument("id", metavar="ID", type=_letter_id)
    showing.add_argument("--json", action="store_true", help="print the server's answer")
    redriving = _add(letters, "redrive", "put messages on the stream again, byte for byte", dlq.redrive)
    redriving.add_argument("ids", nargs="*", metavar="ID", type=_letter_id)
    redriving.add_argument("--all", action="store_true", help="all there are now, the oldest first")
    redriving.add_argument("--tenant", metavar="T", help="with --all: only those which say they are this tenant's")
    _audited(redriving)
    dropping = _add(letters, "drop", "remove dead letters for good", dlq.drop)
    dropping.add_argument("ids", nargs="+", metavar="ID", type=_letter_id)
    dropping.add_argument("--yes", action="store_true", help="do not ask")
    _audited(dropping)


def _add(commands: Any, name: str, summary: str, command: Any) -> argparse.ArgumentParser:
    added: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary)
    added.add_argument("--server", metavar="URL", help="workflow-server to ask; default: that of ./dev up")
    added.set_defaults(command=command, nix=False)
    return added


def _event(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("event_id", metavar="EVENT_ID", type=_event_id)
    parser.add_argument("--tenant", metavar="T", help="whose event; needed when several tenants have one of this id")


def _audited(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the audit")
    parser.add_argument(
        "--actor", default=this_person(), metavar="NAME", help="who, for the audit; default: %(default)s"
    )


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 500:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 500")
    return int(text)


def _letter_id(text: str) -> str:
    # Raised as they are, these end the command with code 2 and one line, without the usage that argparse would add.
    if not re.fullmatch(r"[0-9]+-[0-9]+", text):
        raise MistakeError(f"{text!r} is no dead letter's ID: ./dev dlq list shows them")
    return text


def _event_id(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise MistakeError(f"{text!r} is no event id: it is a UUID, as the publisher sent or was answered") from None
