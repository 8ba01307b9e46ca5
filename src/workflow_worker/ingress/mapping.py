"""The payload of a run that an event starts: the trigger's mapping, then the payload schema. Pure; process code."""

from collections.abc import Mapping
from typing import Any

from workflow_runtime.core.actions import validate_json
from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.core.expressions import resolve_value
from workflow_runtime.store.events import LedgerEvent


def run_payload(
    event: LedgerEvent, mapping: Mapping[str, Any] | None, *, source_schema_ref: str | None, schema: Any
) -> Any:
    """What the run gets. Without a mapping the event's payload itself; ``schema`` null takes anything.

    The mapping sees ``event`` only, and ``nowIso()`` is the time of acceptance, so that a repetition gives the same.
    Raises ExpressionFailure, and ValidationFailure MAPPING_CONFLICT or PAYLOAD_INVALID.
    """
    payload = event.event.payload if mapping is None else _mapped(event, mapping, source_schema_ref)
    complaints = [] if schema is None else validate_json(schema, payload)
    if complaints:
        raise ValidationFailure(
            f"the run's payload does not have the shape of its schema: {'; '.join(complaints[:5])}",
            code="PAYLOAD_INVALID",
            details=complaints,
        )
    return payload


def _mapped(event: LedgerEvent, mapping: Mapping[str, Any], source_schema_ref: str | None) -> dict[str, Any]:
    seen = {
        "name": event.event.event_name,
        "correlationKey": event.keys[0].key if event.keys else None,
        "payload": event.event.payload,
        "payloadSchemaRef": source_schema_ref,
    }
    payload: dict[str, Any] = {}
    for path, value in mapping.items():
        nest(payload, path, resolve_value(value, {"event": seen}, event.accepted_at))
    return payload


def nest(payload: dict[str, Any], path: str, value: Any) -> None:
    """Put ``value`` under a dotted path. Raises ValidationFailure when something else stands in the way.

    >>> payload = {}; nest(payload, "ticket.id", 7); payload
    {'ticket': {'id': 7}}
    """
    *parents, last = path.split(".")
    place = payload
    for name in parents:
        place = place.setdefault(name, {})
        if not isinstance(place, dict):
            raise _conflict(path)
    if last in place:
        raise _conflict(path)
    place[last] = value


def _conflict(path: str) -> ValidationFailure:
    return ValidationFailure(
        f"the trigger maps {path!r} and something inside or above it; map each place once", code="MAPPING_CONFLICT"
    )
