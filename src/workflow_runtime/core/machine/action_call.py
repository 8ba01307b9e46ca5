"""Calling an action or another workflow: what is asked for, and what is made of the answer. Pure; workflow code."""

from typing import Any

from workflow_runtime.core.actions import effective_input, idempotency_key
from workflow_runtime.core.definition import (
    ActionCallStep,
    CallWorkflowStep,
    Expr,
    is_expression,
    is_secret,
    iter_secrets,
)
from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.core.machine.context import StepContext
from workflow_runtime.core.machine.effects import CallAction, StartChild
from workflow_runtime.core.machine.scopes import Scopes


def start_action(cx: StepContext, step: ActionCallStep) -> CallAction:
    """The call of an action on the queue that was pinned when the definition was published."""
    config = step.config
    queue = cx.action_queues.get(f"{config.action_id}@{config.version}")
    if queue is None:
        raise ValidationFailure(
            f"action {config.action_id!r} version {config.version} was not pinned to a queue when the definition was "
            "published: register the action and publish again",
            code="UNKNOWN_ACTION",
        )
    value = _authored_input(cx, effective_input(config))
    return CallAction(
        step_path=cx.frame.path,
        item_path=cx.frame.item_path,
        step_id=step.id,
        action_id=config.action_id,
        version=config.version,
        task_queue=queue,
        input=value,
        idempotency_key=_key(cx, step, value),
        attempt=cx.frame.attempt,
    )


def finish_action(cx: StepContext, step: ActionCallStep, output: Any) -> Scopes:
    """The scopes with the action's output at ``saveAs``."""
    return cx.scopes if step.config.save_as is None else cx.assign(cx.scopes, step.config.save_as, output)


def start_child(cx: StepContext, step: CallWorkflowStep) -> StartChild:
    """The child run of this attempt: a retry is a new child run, a replay the same one."""
    return StartChild(
        step_path=cx.frame.path,
        child_run_id=cx.derived_id("child"),
        workflow_id=step.workflow_id,
        workflow_version=step.workflow_version,
        payload=cx.value(step.input_mapping),
        attempt=cx.frame.attempt,
    )


def finish_child(cx: StepContext, step: CallWorkflowStep, result: Any) -> Scopes:
    """The scopes after ``outputMapping``, which sees the child's result as ``childRun``."""
    return cx.assign_all(cx.scopes, step.output_mapping, {"childRun": result})


def _key(cx: StepContext, step: ActionCallStep, value: Any) -> str:
    authored = cx.text(step.config.idempotency_key, "idempotencyKey")
    return idempotency_key(
        tenant_id=cx.run.tenant_id,
        run_id=cx.run.run_id,
        item_path=cx.frame.item_path,
        action_id=step.config.action_id,
        version=step.config.version,
        input=value,
        authored=authored,
    )


def _authored_input(cx: StepContext, authored: Any) -> Any:
    """An authored value resolved, in which only secrets that the author wrote are left.

    The activity resolves every ``{"$secret": name}`` it finds in its input. Data that comes from outside could hold one
    too, and would then read any secret of the tenant; so what an expression gives may hold none.
    """
    if isinstance(authored, Expr) or is_expression(authored):
        value = cx.value(authored)
        found = next(iter_secrets(value), None)
        if found is not None:
            raise ValidationFailure(
                f'data holds {{"$secret": {found[1]!r}}} at {found[0] or "its top"}: name secrets in the step itself',
                code="SECRET_IN_DATA",
            )
        return value
    if is_secret(authored):
        return authored
    if isinstance(authored, dict):
        return {key: _authored_input(cx, item) for key, item in authored.items()}
    if isinstance(authored, list | tuple):
        return [_authored_input(cx, item) for item in authored]
    return authored
