"""What each step without blocks does: the effect it asks for, and what it makes of the answer. Pure; workflow code.

A step is started with ``start_node``, which gives the scopes after it, or an effect when it needs the world. The answer
to the effect goes to ``finish_node``, which gives the scopes. Neither changes anything, so a step that fails leaves no
trace in the scopes.
"""

from collections.abc import Mapping
from typing import Any, Final

from workflow_runtime.core.correlation import correlation_key
from workflow_runtime.core.definition import (
    ActionCallStep,
    AssignStep,
    CallWorkflowStep,
    EventWaitStep,
    HumanTaskStep,
    ParseBodyStep,
    RenderCommentBlocksStep,
    StateSetStep,
    Step,
    TimeWaitStep,
)
from workflow_runtime.core.errors import CorruptionFailure, ValidationFailure
from workflow_runtime.core.machine._email_blocks import render_comment_blocks
from workflow_runtime.core.machine._email_reply import parse_body
from workflow_runtime.core.machine._time import add_ms, instant_after, is_due
from workflow_runtime.core.machine.action_call import finish_action, finish_child, start_action, start_child
from workflow_runtime.core.machine.context import StepContext
from workflow_runtime.core.machine.effects import Effect, Filter, Sleep, WaitForEvent, WaitForTask
from workflow_runtime.core.machine.scopes import Scopes

TASK_COMPLETED: Final = "HUMAN_TASK_COMPLETED"
"""``vars.eventName`` of a task response that names no event."""


def start_node(cx: StepContext, step: Step) -> Scopes | Effect:
    """Run a step up to its effect, or to its end if it has none. Raises a ``RuntimeFailureError`` when it fails."""
    match step:
        case ActionCallStep():
            return start_action(cx, step)
        case CallWorkflowStep():
            return start_child(cx, step)
        case EventWaitStep():
            return _start_event_wait(cx, step)
        case TimeWaitStep():
            return _start_time_wait(cx, step)
        case HumanTaskStep():
            return _start_human_task(cx, step)
        case StateSetStep():
            return cx.assign(cx.scopes, "meta.state", step.config.state)
        case AssignStep():
            return cx.assign_all(cx.scopes, step.config.assign)
        case ParseBodyStep():
            parsed = parse_body(_body(cx, step.config.text, "text"), _body(cx, step.config.html, "html"))
            return cx.assign(cx.scopes, step.config.save_as, parsed)
        case RenderCommentBlocksStep():
            blocks = render_comment_blocks(_body(cx, step.config.text, "text"), _body(cx, step.config.html, "html"))
            return cx.assign(cx.scopes, step.config.save_as, blocks)
        case _:
            raise CorruptionFailure(f"the machine cannot run a {type(step).__name__}", code="UNKNOWN_NODE_TYPE")


def finish_node(cx: StepContext, step: Step, effect: Effect, value: Any) -> Scopes:
    """The scopes after the step's effect gave ``value``. Raises a ``RuntimeFailureError`` when that fails the step."""
    match step:
        case ActionCallStep():
            return finish_action(cx, step, value)
        case CallWorkflowStep():
            return finish_child(cx, step, value)
        case EventWaitStep():
            event = _answer(value)
            changes = {"event": event.get("payload"), "eventName": event.get("eventName")}
            return cx.assign_all(cx.scopes.with_vars(changes), step.config.assign)
        case HumanTaskStep():
            response = _answer(value)
            changes = {"event": response.get("payload"), "eventName": response.get("eventName") or TASK_COMPLETED}
            return cx.assign_all(cx.scopes.with_vars(changes), step.config.assign)
        case TimeWaitStep() if isinstance(effect, Sleep):
            return _after_time_wait(cx, step, effect.until)
        case _:
            raise CorruptionFailure(f"a {type(step).__name__} asked for nothing and got an answer", code="NO_EFFECT")


def _start_event_wait(cx: StepContext, step: EventWaitStep) -> WaitForEvent:
    config = step.config
    return WaitForEvent(
        wait_id=cx.derived_id("wait"),
        step_path=cx.frame.path,
        event_name=config.event_name,
        correlation_key=_correlation_key(cx.value(config.correlation_key)),
        filters=tuple(Filter(path=item.path, op=item.op, value=item.value) for item in config.filters),
        timeout_at=_timeout_at(cx, config.timeout_ms),
        since=config.since,
    )


def _start_human_task(cx: StepContext, step: HumanTaskStep) -> WaitForTask:
    config = step.config
    return WaitForTask(
        wait_id=cx.derived_id("wait"),
        task_id=cx.derived_id("task"),
        step_path=cx.frame.path,
        task_type=config.task_type,
        title=cx.text(config.title, "title") or config.task_type,
        description=cx.text(config.description, "description"),
        context_data=cx.value(config.context_data),
        timeout_at=_timeout_at(cx, config.timeout_ms),
    )


def _start_time_wait(cx: StepContext, step: TimeWaitStep) -> Scopes | Sleep:
    now = cx.now
    due_at = _due_at(cx, step, now)
    if is_due(due_at, now):
        return _after_time_wait(cx, step, due_at)
    return Sleep(wait_id=cx.derived_id("wait"), step_path=cx.frame.path, until=due_at, reason="time")


def _due_at(cx: StepContext, step: TimeWaitStep, now: str) -> str:
    if step.config.mode == "duration":
        return add_ms(now, cx.number(step.config.duration_ms, "durationMs"))
    until = cx.text(step.config.until, "until")
    if until is None:
        raise ValidationFailure("until must be a time, it is null", code="INVALID_TIME")
    return instant_after(now, until)


def _after_time_wait(cx: StepContext, step: TimeWaitStep, due_at: str) -> Scopes:
    waited = {"mode": step.config.mode, "dueAt": due_at, "resumedAt": cx.now}
    return cx.assign_all(cx.scopes.with_vars({"timeWait": waited}), step.config.assign)


def _timeout_at(cx: StepContext, timeout_ms: int | None) -> str | None:
    # From entering the step, not from when the wait is registered: whatever lies between is part of the wait.
    return None if timeout_ms is None else add_ms(cx.frame.started_at, timeout_ms)


def _correlation_key(value: Any) -> str | None:
    # Null is the author's word for any key; a value that can be no key must not silently come to mean the same.
    key = None if value is None else correlation_key(value)
    if key is None and value is not None:
        raise ValidationFailure(
            "correlationKey must be text that is not empty, a number, a boolean or null", code="INVALID_CORRELATION_KEY"
        )
    return key


def _answer(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise CorruptionFailure("a wait was answered with something else than an object", code="INVALID_OUTCOME")
    return value


def _body(cx: StepContext, authored: Any, field: str) -> str | None:
    # No longer than the result of an expression may be; what is done with it takes time linear in that.
    text = None if authored is None else cx.text(authored, field)
    cx.effort.values += len(text or "")
    return text
