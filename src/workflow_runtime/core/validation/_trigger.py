"""Checks of a definition's trigger and payload schema. Private to ``core.validation``."""

from datetime import UTC, datetime
from typing import Any, Final

from workflow_runtime.core.actions import validate_json
from workflow_runtime.core.cron import cron_problem
from workflow_runtime.core.definition import (
    Definition,
    EventTrigger,
    RecurringTrigger,
    ScheduleTrigger,
    iter_expressions,
)
from workflow_runtime.core.didyoumean import did_you_mean
from workflow_runtime.core.errors import ExpressionFailure
from workflow_runtime.core.expressions import compile_expression
from workflow_runtime.core.findings import FindingCode
from workflow_runtime.core.payload_schema import CLOCK_TRIGGER_REF
from workflow_runtime.core.validation._mapping import Source, check_mapping
from workflow_runtime.core.validation._report import Place
from workflow_runtime.core.validation._values import SecretRule, check_values, join
from workflow_runtime.core.validation.environment import Environment

_FIRING: Final[dict[str, Any]] = {
    "triggerType": "schedule",
    "scheduleId": "s",
    "scheduledFor": "2030-01-01T00:00:00.000Z",
    "firedAt": "2030-01-01T00:00:00.000Z",
    "timezone": "UTC",
    "workflowId": "w",
    "workflowVersion": 1,
}

_EVENT: Final = ("name", "correlationKey", "payload", "payloadSchemaRef")
_OF_RUNS: Final = frozenset({"vars", "local", "system", "meta", "error"})

_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2100
"""What Temporal takes as the year of a schedule's calendar."""


def check_trigger(place: Place, definition: Definition, environment: Environment) -> None:
    """The payload schema exists, and the trigger can start a run whose payload fits it."""
    check_schema_ref(place, "payloadSchemaRef", definition.payload_schema_ref, environment)
    match definition.trigger:
        case EventTrigger() as trigger:
            _check_event(place, trigger, definition, environment)
        case ScheduleTrigger() as trigger:
            _check_run_at(place, trigger.run_at, environment.now_iso)
            _check_firing(place, "schedule", definition, environment)
        case RecurringTrigger() as trigger:
            _check_recurring(place, trigger, environment)
            _check_firing(place, "recurring", definition, environment)
        case None:
            return


def check_schema_ref(place: Place, field: str, ref: str, environment: Environment) -> None:
    """The ref names a known payload schema."""
    if ref not in environment.schemas:
        place.error(
            FindingCode.UNKNOWN_PAYLOAD_SCHEMA_REF,
            f"{field}: there is no payload schema {ref!r}; register it or choose one that exists.",
            did_you_mean(ref, environment.schemas),
        )


def _check_event(place: Place, trigger: EventTrigger, definition: Definition, environment: Environment) -> None:
    catalogued = environment.events.get(trigger.event_name)
    if catalogued is None:
        place.error(
            FindingCode.UNKNOWN_TRIGGER_EVENT,
            f"trigger.eventName: the event catalogue has no {trigger.event_name!r}; add it with its payload schema.",
            did_you_mean(trigger.event_name, environment.events),
        )
    if trigger.source_payload_schema_ref is not None:
        check_schema_ref(place, "trigger.sourcePayloadSchemaRef", trigger.source_payload_schema_ref, environment)
    source = trigger.source_payload_schema_ref or catalogued
    if trigger.payload_mapping is not None:
        _check_mapping(place, trigger.payload_mapping, source, definition.payload_schema_ref, environment)
    elif source is not None and source != definition.payload_schema_ref:
        place.error(
            FindingCode.TRIGGER_MAPPING_REQUIRED,
            f"The event carries {source!r} and the workflow wants {definition.payload_schema_ref!r}: "
            "trigger.payloadMapping must say how one becomes the other.",
        )


def _check_mapping(
    place: Place, mapping: dict[str, Any], source: str | None, target: str, environment: Environment
) -> None:
    field = "trigger.payloadMapping"
    check_values(place, field, mapping, secrets=SecretRule(None, allowed=False))
    nested: dict[str, Any] = {}
    for path, value in mapping.items():
        for inner, text in iter_expressions(value):
            _check_names(place, join(f"{field}.{path}", inner), text)
        if not _nest(nested, path, value):
            place.error(
                FindingCode.INVALID_CONFIG,
                f"{field}: {path!r} has an empty part, or maps a place inside or above another; map each place once.",
            )
    seen = environment.schemas.get(source) if source is not None else None
    reads = None if seen is None else Source(("event", "payload"), seen)
    check_mapping(place, field, nested, environment.schemas.get(target, True), reads)


def _check_names(place: Place, field: str, text: str) -> None:
    """An expression of a mapping reads what a mapping sees: there is no run yet, so no ``payload`` and no ``vars``."""
    try:
        reads = compile_expression(text).reads() or {}
    except ExpressionFailure:
        return
    sees = f"a trigger's mapping sees event {{{', '.join(_EVENT)}}} only"
    for name in reads:
        if name != "event":
            place.error(FindingCode.INVALID_EXPRESSION, f"{field} reads {name!r}, but {sees}.", _instead(name))
    parts = reads.get("event")
    for name in parts if isinstance(parts, dict) else ():
        if name not in _EVENT:
            place.error(
                FindingCode.INVALID_EXPRESSION,
                f"{field} reads 'event.{name}', but {sees}.",
                did_you_mean(name, _EVENT) or f"What the event carries is read as event.payload.{name}.",
            )


def _instead(name: str) -> str:
    if name in _EVENT:
        return f"Write event.{name}."
    if name in _OF_RUNS:
        return f"{name} begins with the run, which the mapping starts; read the event, or set it in a step."
    return f"What the event carries is read as event.payload.{name}."


def _nest(nested: dict[str, Any], path: str, value: Any) -> bool:
    *parents, last = path.split(".")
    node = nested
    for name in (*parents, last):
        if not name:
            return False
    for name in parents:
        inner = node.setdefault(name, _Branch())
        if not isinstance(inner, _Branch):
            return False
        node = inner
    return node.setdefault(last, value) is value


class _Branch(dict[str, Any]):
    """An object that dotted paths build, as opposed to one that an author wrote as a value."""


def _check_run_at(place: Place, run_at: str, now_iso: str | None) -> None:
    if not run_at.strip():
        place.error(FindingCode.TIME_TRIGGER_RUN_AT_REQUIRED, "trigger.runAt is required for a one-time schedule.")
        return
    instant = instant_of(run_at) if run_at == run_at.strip() else None
    if instant is None:
        place.error(
            FindingCode.TIME_TRIGGER_INVALID_RUN_AT,
            f"trigger.runAt: {run_at!r} is no ISO 8601 instant; write for example 2030-01-31T09:00:00Z.",
        )
    elif not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        place.error(
            FindingCode.TIME_TRIGGER_INVALID_RUN_AT,
            f"trigger.runAt: {run_at!r} is outside the years that can be scheduled, {_FIRST_YEAR} to {_LAST_YEAR}.",
        )
    elif now_iso is not None and (now := instant_of(now_iso)) is not None and instant <= now:
        place.error(
            FindingCode.TIME_TRIGGER_INVALID_RUN_AT, f"trigger.runAt: {run_at!r} has passed; choose a later one."
        )


def _check_recurring(place: Place, trigger: RecurringTrigger, environment: Environment) -> None:
    problem = cron_problem(trigger.cron)
    if problem is not None:
        place.error(FindingCode.TIME_TRIGGER_INVALID_CRON, f"trigger.cron: {trigger.cron!r} cannot be used: {problem}.")
    zones = environment.timezones
    if not trigger.timezone.strip() or (zones is not None and trigger.timezone not in zones):
        place.error(
            FindingCode.TIME_TRIGGER_INVALID_TIMEZONE,
            f"trigger.timezone: {trigger.timezone!r} is no IANA time zone; write for example Europe/Berlin or UTC.",
            None if zones is None else did_you_mean(trigger.timezone, zones),
        )


def _check_firing(place: Place, kind: str, definition: Definition, environment: Environment) -> None:
    schema = environment.schemas.get(definition.payload_schema_ref)
    if schema is None or definition.payload_schema_ref == CLOCK_TRIGGER_REF:
        return
    firing = {**_FIRING, "triggerType": kind, **({"cron": "* * * * *"} if kind == "recurring" else {})}
    if validate_json(schema, firing):
        place.error(
            FindingCode.MAPPING_TYPE_INCOMPATIBLE,
            f"A {kind} trigger gives {CLOCK_TRIGGER_REF}, which does not fit {definition.payload_schema_ref!r}.",
            f"Set payloadSchemaRef to {CLOCK_TRIGGER_REF}.",
        )


def instant_of(text: str) -> datetime | None:
    """An ISO 8601 instant, in UTC when it says no offset; None when the text is none."""
    try:
        parsed = datetime.fromisoformat(text.strip())
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
