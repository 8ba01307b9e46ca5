"""Checks of single steps by their type. Private to ``core.validation``."""

from datetime import timedelta
from typing import Any, Final

from workflow_runtime.core.correlation import correlation_paths
from workflow_runtime.core.definition import (
    MAX_DURATION_MS,
    RESERVED_NAMES,
    ActionCallStep,
    CallWorkflowStep,
    Definition,
    EventWaitStep,
    ForEachStep,
    HumanTaskStep,
    IfStep,
    NodeStep,
    ParseBodyStep,
    PlacedStep,
    RenderCommentBlocksStep,
    Step,
    TimeWaitStep,
    TryCatchStep,
    assignments_of,
    is_expression,
    walk_steps,
)
from workflow_runtime.core.errors import Category
from workflow_runtime.core.findings import FindingCode
from workflow_runtime.core.validation._actions import check_action
from workflow_runtime.core.validation._assignments import check_targets
from workflow_runtime.core.validation._calls import check_call
from workflow_runtime.core.validation._mapping import Source
from workflow_runtime.core.validation._report import Place, Report
from workflow_runtime.core.validation._trigger import instant_of
from workflow_runtime.core.validation._values import SecretRule, check_value, check_values
from workflow_runtime.core.validation.environment import Environment

_NEVER_RETRIED: Final = frozenset({Category.CANCELLATION, Category.CORRUPTION})
_NO_SECRETS: Final = SecretRule(None, allowed=False)


class StepChecker:
    """Judges the steps of one definition in one environment."""

    def __init__(self, report: Report, definition: Definition, environment: Environment) -> None:
        self._report = report
        self._definition = definition
        self._environment = environment
        self._payload_schema: Any = environment.schemas.get(definition.payload_schema_ref)
        # Steps may write to the payload; its schema is a witness of types only where none does.
        witness = self._payload_schema is not None and not _writes_payload(definition)
        self._source = Source(("payload",), self._payload_schema) if witness else None

    def check(self, placed: PlacedStep) -> None:
        """Everything about one step except its place among the others."""
        place, step = self._report.at(placed), placed.step
        self._check_writes(place, placed)
        if isinstance(step, NodeStep):
            _check_retry(place, step)
        match step:
            case IfStep():
                check_value(place, "condition", step.condition, secrets=_NO_SECRETS)
            case ForEachStep():
                _check_loop(place, step)
            case TryCatchStep():
                _check_name(place, "captureErrorAs", step.capture_error_as)
            case CallWorkflowStep():
                check_values(place, "inputMapping", step.input_mapping, secrets=_NO_SECRETS)
                check_call(place, step, self._definition, self._environment, self._source)
            case EventWaitStep():
                self._check_event_wait(place, step)
            case TimeWaitStep():
                _check_time_wait(place, step, self._environment.now_iso)
            case HumanTaskStep():
                _check_task(place, step)
            case ActionCallStep():
                check_action(place, step.config, self._environment, self._source)
            case ParseBodyStep() | RenderCommentBlocksStep():
                _check_email(place, step)
            case _:
                return

    def _check_writes(self, place: Place, placed: PlacedStep) -> None:
        step = placed.step
        assignments = assignments_of(step)
        field = "outputMapping" if isinstance(step, CallWorkflowStep) else "assign"
        check_values(place, field, assignments, secrets=_NO_SECRETS)
        check_targets(place, field, assignments, self._payload_schema)
        check_targets(place, "saveAs", _saved_as(step), self._payload_schema)

    def _check_event_wait(self, place: Place, step: EventWaitStep) -> None:
        config = step.config
        check_value(place, "correlationKey", config.correlation_key, secrets=_NO_SECRETS)
        paths = correlation_paths(config.event_name, self._environment.correlation_rules)
        if config.correlation_key is not None and not paths:
            place.error(
                FindingCode.EVENT_WAIT_UNCORRELATABLE,
                f"No event {config.event_name!r} can have the key this step waits for: it has no correlation path.",
                "Configure a path for the event, or set correlationKey to null and use filters.",
            )


def _writes_payload(definition: Definition) -> bool:
    return any(
        path.strip().startswith(("payload.", "/"))
        for placed in walk_steps(definition)
        for path in (*assignments_of(placed.step), *_saved_as(placed.step))
    )


def _saved_as(step: Step) -> tuple[str, ...]:
    if isinstance(step, ActionCallStep | ParseBodyStep | RenderCommentBlocksStep) and step.config.save_as is not None:
        return (step.config.save_as,)
    return ()


def _check_retry(place: Place, step: NodeStep) -> None:
    if step.retry is None or step.retry.retry_on is None:
        return
    for category in sorted(_NEVER_RETRIED & set(step.retry.retry_on)):
        place.error(FindingCode.UNSUPPORTED_OPTION, f"retry.retryOn: {category} is never retried; remove it.")


def _check_loop(place: Place, step: ForEachStep) -> None:
    check_value(place, "items", step.items, secrets=_NO_SECRETS)
    _check_name(place, "itemVar", step.item_var)
    if step.concurrency > 1:
        place.error(
            FindingCode.UNSUPPORTED_OPTION,
            f"concurrency {step.concurrency} is not supported yet: items run one after the other.",
            "Set it to 1 or remove it.",
        )


def _check_name(place: Place, field: str, name: str | None) -> None:
    if name in RESERVED_NAMES or name in ("constructor", "prototype", "__proto__"):
        place.error(FindingCode.INVALID_CONFIG, f"{field}: {name!r} is the name of a scope or refused; choose another.")


def _check_time_wait(place: Place, step: TimeWaitStep, now_iso: str | None) -> None:
    config = step.config
    check_value(place, "durationMs", config.duration_ms, secrets=_NO_SECRETS)
    check_value(place, "until", config.until, secrets=_NO_SECRETS)
    if isinstance(config.until, str):
        _check_until(place, config.until, now_iso)


def _check_until(place: Place, until: str, now_iso: str | None) -> None:
    instant, now = instant_of(until), None if now_iso is None else instant_of(now_iso)
    if instant is None:
        place.error(
            FindingCode.INVALID_CONFIG,
            f"until: {until!r} is no ISO 8601 instant; write for example 2030-01-31T09:00:00Z.",
        )
    elif now is not None and instant - now > timedelta(milliseconds=MAX_DURATION_MS):
        place.error(
            FindingCode.INVALID_CONFIG, f"until: {until!r} is more than ten years away, which no run waits for."
        )


def _check_task(place: Place, step: HumanTaskStep) -> None:
    config = step.config
    for field, value in (("title", config.title), ("description", config.description)):
        check_value(place, field, value, secrets=_NO_SECRETS)
        if not (isinstance(value, str) or is_expression(value) or (value is None and field == "description")):
            place.error(FindingCode.INVALID_CONFIG, f"{field} must be text or an expression that gives text.")
    check_values(place, "contextData", config.context_data, secrets=_NO_SECRETS)


def _check_email(place: Place, step: ParseBodyStep | RenderCommentBlocksStep) -> None:
    for field, value in (("text", step.config.text), ("html", step.config.html)):
        if value is not None:
            check_value(place, field, value, secrets=_NO_SECRETS)
    if step.config.text is None and step.config.html is None:
        place.error(FindingCode.INVALID_CONFIG, "Give text, html or both; there is nothing to read otherwise.")
