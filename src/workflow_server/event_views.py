"""Events as the API and the page show them. Pure; process code and tests."""

from collections.abc import Callable
from typing import Any, Final, Literal

from workflow_runtime.core.redaction import redact
from workflow_runtime.store.events import EventStatus, LedgerEvent, Target, TargetStatus, iso_ms
from workflow_runtime.store.events.explaining import Explanation

type Outcome = Literal["ROUTING", "FAILED", "MATCHED", "UNMATCHED"]

OUTCOMES: Final[tuple[Outcome, ...]] = ("MATCHED", "UNMATCHED", "FAILED", "ROUTING")


def event_summary(event: LedgerEvent) -> dict[str, Any]:
    """``{eventId, eventName, acceptedAt, source, status, outcome, reason, keys, targets: {STATUS: count}}``.

    ``reason`` says why nothing matched, or what the first failed target failed with.
    """
    counts: dict[str, int] = {}
    for target in event.targets:
        counts[target.status.value] = counts.get(target.status.value, 0) + 1
    return {
        "eventId": event.event.event_id,
        "eventName": event.event.event_name,
        "acceptedAt": event.accepted_at,
        "source": event.source.value,
        "status": event.status.value,
        "outcome": outcome(event),
        "reason": _reason(event) or next((target.reason for target in event.targets if _failed(target)), None),
        "keys": list(dict.fromkeys(origin.key for origin in event.keys)),
        "targets": counts,
    }


def event_explanation(event: LedgerEvent, explanation: Explanation) -> dict[str, Any]:
    """The explanation with the outcome in a word and the payload, redacted; targets say when they are tried next."""
    shown = explanation.model_dump(mode="json", by_alias=True, exclude={"targets": {"__all__": {"lanes", "due_ms"}}})
    for row, target in zip(shown["targets"], explanation.targets, strict=True):
        row["nextAttemptAt"] = iso_ms(target.due_ms) if target.status is TargetStatus.RETRYING else None
    return {
        **shown,
        "outcome": outcome(explanation),
        "reason": _reason(explanation),
        "payload": redact(event.event.payload),
    }


def outcome(event: LedgerEvent | Explanation) -> Outcome:
    """One word for the list. What a later wait has taken is MATCHED, although it had no target when it came."""
    if any(_failed(target) for target in event.targets):
        return "FAILED"
    if event.status is not EventStatus.DONE:
        return "ROUTING"
    return "MATCHED" if event.targets or event.taken else "UNMATCHED"


def chosen(wanted: Outcome | None, event_name: str | None) -> Callable[[LedgerEvent], bool] | None:
    """Whether an event belongs into a list of this outcome and name; null when all do."""
    if wanted is None and event_name is None:
        return None

    def belongs(event: LedgerEvent) -> bool:
        named = event_name is None or event.event.event_name == event_name
        return named and (wanted is None or outcome(event) == wanted)

    return belongs


def _reason(event: LedgerEvent | Explanation) -> str | None:
    """Why nothing took it; a wait that took it before the routing ended has nothing to excuse."""
    return event.reason if outcome(event) != "MATCHED" else None


def _failed(target: Target) -> bool:
    return target.status is TargetStatus.FAILED
