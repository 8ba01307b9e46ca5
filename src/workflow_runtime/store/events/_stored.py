"""Events, targets and claims as the scripts of the ledger keep and answer them. Private to store.events; pure."""

import functools
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from workflow_runtime.core.correlation import KeyOrigin
from workflow_runtime.store._catalog_rows import TriggerTarget
from workflow_runtime.store.events._times import iso_ms
from workflow_runtime.store.events.claims import Claim, holder_of
from workflow_runtime.store.events.parsing import recorded_event
from workflow_runtime.store.events.records import (
    Considered,
    EventSource,
    EventStatus,
    LedgerEvent,
    Retried,
    Target,
    WaitTaken,
)
from workflow_runtime.store.events.waiting import parse_wait


def holders_of(token: str, answer: Mapping[str, Any]) -> frozenset[str]:
    """Whose passes over the event stand open beside that of ``token``."""
    tokens = (name[2:] for name in answer["fields"][::2] if name.startswith("p:"))
    return frozenset(holder_of(other) for other in tokens if other != token) - {""}


def claim_of(tenant: str, token: str, answer: Mapping[str, Any], living: Collection[str] = ()) -> Claim:
    """The claim that the script answered; ``living`` are those holders who may only be slow."""
    fields = dict(zip(answer["fields"][::2], answer["fields"][1::2], strict=True))
    others = {name: row for name, row in fields.items() if name.startswith("p:") and name != f"p:{token}"}
    slow = {name: row for name, row in others.items() if holder_of(name[2:]) in living}
    left = _left_open(row for name, row in others.items() if name not in slow)
    event = ledger_event(fields)
    if event.targets:
        event = replace(event, targets=tuple(_suspected(target, left[target.id]) for target in event.targets))
    return Claim(
        token=token,
        now_ms=answer["now"],
        begun=left["plan"],
        planned="considered" in fields,
        event=event,
        waits=tuple(parse_wait(tenant, row) for row in answer.get("waits", ())),
        triggers=tuple(_trigger(row) for row in answer.get("triggers", ())),
        doubtful=_left_open(slow.values()),
    )


def claim_of_new(event: LedgerEvent, token: str, waits: Iterable[str], triggers: Iterable[str]) -> Claim:
    """The claim of an event that was taken in the step that recorded it."""
    return Claim(
        token=token,
        now_ms=event.accepted_ms,
        begun=0,
        planned=False,
        event=event,
        waits=tuple(parse_wait(event.event.tenant_id, row) for row in waits),
        triggers=tuple(_trigger(row) for row in triggers),
    )


def _suspected(target: Target, abandoned: int) -> Target:
    if target.status.final or target.abandoned == abandoned:
        return target
    return target.model_copy(update={"abandoned": abandoned})


def _left_open(rows: Iterable[str]) -> Counter[str]:
    """How many passes began each of what they tried, and did not end."""
    return Counter(what for row in rows for what in json.loads(row))


@functools.lru_cache(maxsize=1024)
def _trigger(text: str) -> TriggerTarget:
    return TriggerTarget.model_validate_json(text)


def ledger_event(raw: Mapping[str, str]) -> LedgerEvent:
    record = json.loads(raw["record"])
    accepted, considered = int(raw["accepted"]), json.loads(raw.get("considered", "[]"))
    names = sorted(raw)
    return LedgerEvent(
        event=recorded_event(record["fields"]),
        keys=tuple(KeyOrigin(key, path) for key, path in record["keys"]),
        source=EventSource(record["source"]),
        accepted_ms=accepted,
        accepted_at=iso_ms(accepted),
        sequence=int(raw["seq"]),
        status=EventStatus(raw["status"]),
        reason=raw.get("reason") or None,
        targets=tuple(_targets_of(raw)),
        considered=tuple(Considered.model_validate(row, strict=False) for row in considered),
        taken=tuple(WaitTaken.model_validate_json(raw[name]) for name in names if name.startswith("c:")),
        retries=tuple(Retried.model_validate_json(raw[name]) for name in names if name.startswith("r:")),
    )


def _targets_of(raw: Mapping[str, str]) -> Iterable[Target]:
    rows = (Target.model_validate_json(value) for field, value in raw.items() if field.startswith("t:"))
    return sorted(rows, key=lambda target: target.id)
