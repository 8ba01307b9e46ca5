"""`./dev explain` and `./dev retry`: what became of an event, and another round where it failed. Host process only."""

import json
from argparse import Namespace
from collections.abc import Iterator
from shlex import quote
from typing import Any

from devtools.api import Api, find_api
from devtools.dlq import check_tenant
from devtools.errors import MistakeError
from devtools.terminal import facts, moment, plain, shortened

_PAYLOAD_LINES = 40
_OPEN_WAITS = 20
_OUTCOMES = {
    "MATCHED": "it found what it is for",
    "UNMATCHED": "nothing took it",
    "ROUTING": "on its way",
    "FAILED": "failed for good where it says FAILED below",
}


def explain(options: Namespace) -> int:
    """Print what became of an event and why."""
    api = find_api(options.server)
    tenant = _tenant_of(api, options.event_id, options.tenant)
    event = api.get("events", options.event_id, as_tenant=tenant)
    if options.json:
        print(json.dumps(event, indent=2))
        return 0
    print("\n".join(_lines(event, f"--tenant {quote(tenant)}{api.named}")))
    return 0


def retry(options: Namespace) -> int:
    """Deliver an event again to the targets it failed for."""
    api = find_api(options.server)
    tenant = _tenant_of(api, options.event_id, options.tenant)
    path = ("events", options.event_id, "retry")
    answer = api.change("POST", *path, actor=options.actor, why=options.reason, as_tenant=tenant)
    for target in answer["targets"]:
        what = "the event is planned anew, nothing had been tried" if target == "plan" else f"{plain(target)} again"
        print(f"trying {what}")
    print(f"./dev explain {quote(options.event_id)} --tenant {quote(tenant)}{api.named}  tells how it goes")
    return 0


def _tenant_of(api: Api, event_id: str, tenant: str | None) -> str:
    if tenant is not None:
        check_tenant(api, tenant)
        return tenant
    found: list[str] = api.get("tenants", eventId=event_id)["tenants"]
    if not found:
        raise MistakeError(
            f"no tenant has an event {event_id!r}: it was never accepted (./dev dlq list{api.named} shows what was "
            f"refused), or it was finished longer ago than the retention"
        )
    if len(found) > 1:
        names = ", ".join(shortened(name, 60) for name in found[:10])
        raise MistakeError(f"{len(found)} tenants have an event {event_id!r} ({names}): say which with --tenant")
    return found[0]


def _lines(event: Any, named: str) -> Iterator[str]:
    yield f"{plain(event['eventName'])}  {plain(event['eventId'])}  tenant {plain(event['tenantId'])}"
    yield facts(list(_facts(event)))
    nowhere = "nowhere when it came; a wait that opened later took it" if event["taken"] else "nowhere"
    yield from _section("where it went", [_target(target) for target in event["targets"]], nowhere)
    yield from _section("what was considered", [_considered(row) for row in event["considered"]], _nothing(event))
    if event["openWaits"]:
        yield from _section("open waits of this name now", list(_open_waits(event["openWaits"])), "")
    if event["taken"]:
        rows = [
            f"run {plain(row['runId'])} at wait {plain(row['waitId'])}, {moment(row['at'])}" for row in event["taken"]
        ]
        yield from _section("which waits it resolved", rows, "")
    if event["retries"]:
        yield from _section("who gave it another round", [_retried(row) for row in event["retries"]], "")
    yield from _section("payload, secrets redacted", list(_payload(event["payload"])), "")
    if any(target["status"] == "FAILED" for target in event["targets"]):
        yield f"\n./dev retry {quote(event['eventId'])} {named}  delivers it again where it FAILED, and nowhere else"


def _facts(event: Any) -> Iterator[tuple[str, str]]:
    by = {"stream": "the stream", "api": "the API"}.get(event["source"], plain(event["source"]))
    yield "accepted", f"{moment(event['acceptedAt'])} by {by}, as number {event['sequence']} of the tenant"
    yield "sent", moment(event["timestamp"])
    yield "outcome", f"{event['outcome']}: {_OUTCOMES.get(event['outcome'], '')}"
    if event["reason"]:
        yield "reason", plain(event["reason"])
    for number, key in enumerate(event["keys"]):
        origin = f"found at payload path {plain(key['path'])}" if key["path"] else "given by the publisher"
        yield "" if number else "keys", f"{plain(key['key'])}  {origin}"
    if not event["keys"]:
        yield "keys", "none: none was given, and the payload has nothing at the configured paths"


def _target(target: Any) -> str:
    if target["kind"] == "trigger":
        what = (
            f"starts {plain(target['workflowId'])} version {target['workflowVersion']} as run {plain(target['runId'])}"
        )
    else:
        what = f"wakes run {plain(target['runId'])} at wait {plain(target['waitId'])}"
    attempts = f"{target['attempts']} attempt{'' if target['attempts'] == 1 else 's'}"
    when = ""
    if target.get("nextAttemptAt"):
        when = f", next {moment(target['nextAttemptAt'])}"
    elif target.get("settledAt"):
        when = f", settled {moment(target['settledAt'])}"
    line = f"{target['status']:<10} {what}: {attempts}{when}"
    return line + (f"\n{'':<12} {plain(target['reason'])}" if target.get("reason") else "")


def _considered(row: Any) -> str:
    what = (
        f"trigger of {plain(row['workflowId'])}" if row["kind"] == "trigger" else f"wait of run {plain(row['runId'])}"
    )
    return f"{'matched' if row['matched'] else 'no match':<10} {what}: {plain(row['reason'])}"


def _open_waits(rows: Any) -> Iterator[str]:
    yield from map(_considered, rows[:_OPEN_WAITS])
    if len(rows) > _OPEN_WAITS:
        yield f"… {len(rows) - _OPEN_WAITS} more with --json"


def _retried(row: Any) -> str:
    how = "redrove its dead letter" if row["via"] == "redrive" else "retried it"
    why = f": {plain(row['why'])}" if row["why"] else ""
    return (
        f"{plain(row['actor'])} {how} at {moment(row['at'])}{why} ({', '.join(plain(name) for name in row['targets'])})"
    )


def _payload(payload: object) -> Iterator[str]:
    lines = json.dumps(payload, ensure_ascii=False, indent=2).splitlines()
    for line in lines[:_PAYLOAD_LINES]:
        yield shortened(line, 200)
    if len(lines) > _PAYLOAD_LINES:
        yield f"… {len(lines) - _PAYLOAD_LINES} lines more, all of them with --json"


def _nothing(event: Any) -> str:
    if event["status"] == "RECEIVED":
        return "nothing yet: no worker has routed it"
    return "nothing: no live trigger has this event's name, and no run waited for it with one of its keys"


def _section(title: str, rows: list[str], otherwise: str) -> Iterator[str]:
    yield f"\n{title}"
    yield from (f"  {row}" for row in rows or ([otherwise] if otherwise else []))
