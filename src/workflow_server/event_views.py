"""Events as the API and the page show them. Pure; process code and tests."""

from collections.abc import Sequence
from typing import Any

from workflow_runtime.core.redaction import redact
from workflow_runtime.store.events import EventStatus, LedgerEvent, Target, TargetStatus
from workflow_runtime.store.events.explaining import Explanation


def event_summary(event: LedgerEvent) -> dict[str, Any]:
    """``{eventId, eventName, acceptedAt, source, status, outcome, keys, targets: {STATUS: count}}``."""
    counts: dict[str, int] = {}
    for target in event.targets:
        counts[target.status.value] = counts.get(target.status.value, 0) + 1
    return {
        "eventId": event.event.event_id,
        "eventName": event.event.event_name,
        "acceptedAt": event.accepted_at,
        "source": event.source.value,
        "status": event.status.value,
        "outcome": outcome(event.status, event.targets),
        "keys": list(dict.fromkeys(origin.key for origin in event.keys)),
        "targets": counts,
    }


def event_explanation(event: LedgerEvent, explanation: Explanation) -> dict[str, Any]:
    """The explanation with the outcome in a word and the payload, redacted."""
    return {
        **explanation.model_dump(mode="json", by_alias=True, exclude={"targets": {"__all__": {"lanes"}}}),
        "outcome": outcome(explanation.status, explanation.targets),
        "payload": redact(event.event.payload),
    }


def outcome(status: EventStatus, targets: Sequence[Target]) -> str:
    """One word for the list: ROUTING, FAILED, MATCHED or UNMATCHED."""
    if any(target.status is TargetStatus.FAILED for target in targets):
        return "FAILED"
    if status is not EventStatus.DONE:
        return "ROUTING"
    return "MATCHED" if targets else "UNMATCHED"
