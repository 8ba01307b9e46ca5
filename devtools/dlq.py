"""`./dev dlq`: dead letters, for the person on call. Host process only."""

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from shlex import quote
from typing import Any

from devtools.api import Api, find_api
from devtools.console import table
from devtools.errors import DevError, MistakeError
from devtools.terminal import facts, moment, plain, shortened

_DONE = {"redrive": "redriven", "retry": "retried", "drop": "dropped"}
_PAGE = 500
_LONGEST = 2000


def list_letters(options: Namespace) -> int:
    """Print the newest letters."""
    api = find_api(options.server)
    found = api.get("dead-letters", limit=options.limit, tenant=options.tenant)
    letters = found["deadLetters"]
    if options.tenant is not None and not letters:
        check_tenant(api, options.tenant)
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    if letters:
        print(table(["ID", "AT", "TENANT", "EVENT", "ATTEMPTS", "REASON"], [_row(letter) for letter in letters]))
        print()
    more = found["nextBefore"] is not None
    shown = f"the {len(letters)} newest" if more else str(len(letters))
    whose = f" of tenant {plain(options.tenant)}" if options.tenant else ""
    print(f"{shown} of {found['count']} dead letters in all{whose}." if letters else f"no dead letters{whose}.")
    if letters:
        print(f"./dev dlq show ID{api.named} tells more, ./dev dlq redrive ID{api.named} puts the message back.")
    return 0


def show(options: Namespace) -> int:
    """Print one letter whole, secrets redacted, with what was done before about its event."""
    api = find_api(options.server)
    letter = api.get("dead-letters", options.id)
    if options.json:
        print(json.dumps(letter, indent=2))
        return 0
    print(f"dead letter {letter['id']}")
    rows = [("reason", plain(letter["reason"])), ("at", moment(letter["at"])), ("attempts", str(letter["attempts"]))]
    rows += [("tenant", plain(letter["tenant"] or "-")), ("event", plain(letter["eventId"] or "-"))]
    print(facts([*rows, ("source", plain(letter["source"] or "-"))]))
    print("\nfields in their order, shown without secrets; redriving keeps every byte")
    print(facts([_field(field) for field in letter["fields"]]))
    if letter["history"]:
        print("\nwhat was done before about this event")
        print("\n".join(f"  {_entry(entry)}" for entry in letter["history"]))
    print(f"\n./dev dlq redrive {letter['id']}{api.named}  puts these bytes on the stream again")
    print(f"./dev dlq drop {letter['id']}{api.named}  removes them for good")
    if letter["tenant"] and letter["tenant"] in api.get("tenants", eventId=letter["eventId"])["tenants"]:
        named = f"{quote(letter['eventId'])} --tenant {quote(letter['tenant'])}{api.named}"
        print(f"./dev explain {named}  tells what became of the event")
    return 0


def redrive(options: Namespace) -> int:
    """Put messages back on the stream, with --all the oldest first."""
    api = find_api(options.server)
    letters = _chosen(api, options)

    gone: dict[str, str] = {}

    def put_back(letter_id: str) -> str:
        if letter_id in gone:
            return f"{letter_id} went with {gone[letter_id]}, which is of the same event"
        answer = api.change("POST", "dead-letters", letter_id, "redrive", actor=options.actor, why=options.reason)
        gone.update(dict.fromkeys(answer["others"], letter_id))
        return f"{letter_id} redriven, on the stream as {answer['streamId']}"

    code = _each(letters, put_back)
    if options.all:
        print(f"{len(letters)} dead letters there were")
    return code


def drop(options: Namespace) -> int:
    """Remove letters for good, after asking."""
    api = find_api(options.server)
    if not options.yes and not _agreed(len(options.ids)):
        print("nothing dropped")
        return 1

    def remove(letter_id: str) -> str:
        api.change("DELETE", "dead-letters", letter_id, actor=options.actor, why=options.reason)
        return f"{letter_id} dropped"

    return _each(options.ids, remove)


def _each(letters: Sequence[str], change: Callable[[str], str]) -> int:
    """Make a change to each letter, whatever becomes of the others; the worst exit code."""
    code = 0
    for letter_id in dict.fromkeys(letters):
        try:
            print(change(letter_id))
        except DevError as error:
            print(f"dev: {error}", file=sys.stderr)
            code = max(code, error.exit_code)
    return code


def check_tenant(api: Api, tenant: str) -> None:
    """Raise MistakeError unless the server knows the tenant."""
    known = api.get("tenants")["tenants"]
    if tenant not in known:
        some = ", ".join(shortened(name, 60) for name in known[:10]) or "none"
        raise MistakeError(f"there is no tenant {tenant!r}; there are: {some}{', …' if len(known) > 10 else ''}")


def _chosen(api: Api, options: Namespace) -> list[str]:
    if options.all == bool(options.ids):
        raise MistakeError("say which letters: their IDs, or --all")
    if options.ids:
        if options.tenant is not None:
            raise MistakeError("--tenant chooses among --all; letters named by ID need none")
        return list(options.ids)
    found: list[str] = []
    before = None
    while True:
        page = api.get("dead-letters", limit=_PAGE, before=before, tenant=options.tenant)
        found += [letter["id"] for letter in page["deadLetters"]]
        before = page["nextBefore"]
        if before is None:
            break
    if not found and options.tenant is not None:
        check_tenant(api, options.tenant)
    # The order of the stream is the order of events with one key.
    return found[::-1]


def _agreed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise MistakeError("dropping cannot be undone and asks first: add --yes where nobody can answer")
    what = "this dead letter" if count == 1 else f"these {count} dead letters"
    try:
        answer = input(f"Remove {what} for good? Nobody can redrive them afterwards. [y/N] ")
    except (EOFError, UnicodeError):  # Ctrl-D, and keys that are no text
        print()
        return False
    return answer.strip().lower() in ("y", "yes")


def _row(letter: Any) -> list[str]:
    named = {field["name"]: field["value"] for field in letter["fields"]}
    event = f"{named.get('event_name') or named.get('event_type') or ''} {letter['eventId'] or ''}".strip()
    where = [letter["id"], moment(letter["at"]), shortened(letter["tenant"] or "-", 24), shortened(event or "-", 64)]
    return [*where, str(letter["attempts"]), shortened(letter["reason"], 100)]


def _field(field: Any) -> tuple[str, str]:
    value = shortened(field["value"], _LONGEST)
    return shortened(field["name"], 60), f"{field['bytes']:>8} B  {value}"


def _entry(entry: Any) -> str:
    done = _DONE.get(entry["action"], entry["action"])
    why = f": {plain(entry['why'])}" if entry["why"] else ""
    said = f"; the letter said: {shortened(entry['reason'], 100)}" if entry["reason"] else ""
    return f"{done} by {plain(entry['actor'])} at {moment(entry['at'])}{why}{said}"
