"""Waits as they are stored, and why an event is not for one. Importable anywhere; pure."""

import json

from workflow_runtime.core import filters
from workflow_runtime.core.machine.effects import Filter
from workflow_runtime.core.redaction import redact
from workflow_runtime.store.events.records import LedgerEvent, Wait


def wait_json(wait: Wait) -> str:
    """The stored form, without tenant and bounds."""
    return json.dumps(
        {
            "runId": wait.run_id,
            "waitId": wait.wait_id,
            "eventName": wait.event_name,
            "correlationKey": wait.correlation_key,
            "filters": [item.model_dump(mode="json", by_alias=True) for item in wait.filters],
            "triggerEventId": wait.trigger_event_id,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def parse_wait(tenant: str, stored: str) -> Wait:
    """The wait in ``first sequence|since ms|JSON``."""
    first, since, text = stored.split("|", 2)
    row = json.loads(text)
    return Wait(
        tenant_id=tenant,
        run_id=row["runId"],
        wait_id=row["waitId"],
        event_name=row["eventName"],
        correlation_key=row["correlationKey"],
        filters=tuple(Filter.model_validate(item) for item in row["filters"]),
        trigger_event_id=row["triggerEventId"],
        first_sequence=int(first),
        since_ms=int(since),
    )


def too_early(wait: Wait, event: LedgerEvent) -> str | None:
    """Why the wait may not see the event at all, or None."""
    if event.event.event_id == wait.trigger_event_id:
        return "this event started the run"
    if event.sequence < wait.first_sequence or event.accepted_ms < wait.since_ms:
        return "the event came before the wait may look (its run's start, or its own with since: wait)"
    return None


def refusal_of(wait: Wait, event: LedgerEvent) -> str | None:
    """Why an event that has the wait's name and key does not satisfy it, or None when it does."""
    early = too_early(wait, event)
    if early is not None:
        return early
    for item in wait.filters:
        if not filters.matches(item, event.event.payload):
            return f"filter not met: {filters.explain(item, redact(event.event.payload))}"
    return None
