"""Calls the actions of one run, within its workflow task or on their queue. Workflow code.

A local action is served by whichever worker holds the run, as a local activity: it takes no turn on a queue and leaves
one event instead of six. That keeps the workflow task open, so after a while one action goes over the queue all the
same: it ends the task, which lets signals, queries and other runs in and puts what was done into the history.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from pydantic_core import to_json
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from workflow_runtime.core.actions import ActionPin, action_key
from workflow_runtime.core.contract import ACTION_ACTIVITY, AUTHORED_QUEUE, ActionContext, ActionRequest, RunInput
from workflow_runtime.core.errors import Category, Failure
from workflow_runtime.core.machine.effects import CallAction, Cancelled, Completed, FailedOutcome, Outcome
from workflow_runtime.service.failures import activity_failure, came_from_action
from workflow_worker.calls import call_store, cancels, shown, was_cancelled
from workflow_worker.carrying import pack
from workflow_worker.outbox import Outbox, is_small
from workflow_worker.pinned_actions import (
    Limits,
    call_failure,
    checked_output,
    limits,
    may_be_repeated,
    refused_input,
)
from workflow_worker.records import LoadedRun

MAX_INPUT_BYTES: Final = 1024 * 1024
"""A request to an action travels inline, so that any worker can read it, and Temporal refuses one above 2 MiB."""

MAX_LOST_WORKERS: Final = 5
"""After so many lost workers in a row the action itself is the suspect, and the step fails."""

LOCAL_CALLS: Final = 10
"""So many local actions in a row belong to one workflow task; a lost worker repeats no more than these."""

WORKFLOW_TASKS: Final = 32
"""Of one process at once. Each may hold `LOCAL_CALLS` actions of some milliseconds of processor, and Temporal gives a
task ten seconds; what is more waits at Temporal, where another replica may take it."""

LOCAL_BYTES: Final = 512 * 1024
"""JSON that the local actions of one workflow task may answer; they reach Temporal in one message of 4 MiB at most."""

type Sync = Callable[[], Awaitable[object]]
"""Writes down what happened since the last time."""


class ActionCaller:
    """Calls actions for one run."""

    def __init__(self, run: RunInput, loaded: LoadedRun, outbox: Outbox) -> None:
        self._run = run
        self._pins = loaded.pinned_actions
        self._outbox = outbox
        self._local = LocalCalls(frozenset(loaded.local_actions))

    async def call(self, effect: CallAction, now_iso: str, sync: Sync) -> Outcome:
        """The outcome of one attempt. ``sync`` tells the store what the action cannot carry along."""
        size = len(to_json(effect.input))
        if size > MAX_INPUT_BYTES:
            return FailedOutcome(failure=_input_too_large(effect, size))
        pin = self._pins.get(action_key(effect.action_id, effect.version))
        if (refused := refused_input(effect, pin)) is not None:
            return refused
        request = self._request(effect, now_iso)
        if self._local.admit(effect):
            return await self._call_within_task(request)
        return await self._call_over_queue(effect, request, pin, sync)

    def _request(self, effect: CallAction, now_iso: str) -> ActionRequest:
        return ActionRequest(
            action_id=effect.action_id,
            version=effect.version,
            input=effect.input,
            idempotency_key=effect.idempotency_key,
            context=ActionContext(
                run_id=self._run.run_id,
                step_path=effect.item_path,
                tenant_id=self._run.tenant_id,
                attempt=effect.attempt,
                now_iso=now_iso,
            ),
        )

    async def _call_within_task(self, request: ActionRequest) -> Outcome:
        # Like a write of the run's own it is tried until the store answers, and ends also in a run being cancelled.
        try:
            value = await call_store(ACTION_ACTIVITY, request, self._outbox.collect())
        except ApplicationError as error:
            if came_from_action(error):
                self._outbox.delivered()
            return FailedOutcome(failure=activity_failure(error))
        self._outbox.delivered()
        self._local.answered(value)
        return Completed(value=value)

    async def _call_over_queue(
        self, effect: CallAction, request: ActionRequest, pin: ActionPin | None, sync: Sync
    ) -> Outcome:
        arguments = [request, *await self._carried(effect, sync)]
        lost, allowed = 0, limits(effect, pin)
        while True:
            try:
                value = await _execute_action(effect, arguments, allowed)
            except ActivityError as error:
                lost += 1
                if may_be_repeated(effect, error) and lost <= MAX_LOST_WORKERS and not was_cancelled():
                    continue
                if came_from_action(error):
                    self._outbox.delivered()
                return Cancelled() if cancels(error) else call_failure(effect, allowed, error)
            self._outbox.delivered()
            return checked_output(effect, pin, value)

    async def _carried(self, effect: CallAction, sync: Sync) -> list[bytes]:
        """What our own queue takes along for the store, which saves a local activity for every action."""
        carried = self._outbox.collect() if effect.task_queue == AUTHORED_QUEUE else None
        if carried is not None and is_small(carried):
            return [pack(carried)]
        await sync()
        return []


class LocalCalls:
    """Which actions are local, and whether the workflow task has room for one more."""

    def __init__(self, keys: frozenset[str]) -> None:
        self._keys = keys
        self._calls = self._bytes = 0

    def admit(self, effect: CallAction) -> bool:
        """Whether this call is made within the workflow task; one that is not ends the task."""
        local = effect.task_queue == AUTHORED_QUEUE and action_key(effect.action_id, effect.version) in self._keys
        if not local or self._calls >= LOCAL_CALLS or self._bytes >= LOCAL_BYTES:
            self._calls = self._bytes = 0
            return False
        self._calls += 1
        return True

    def answered(self, value: Any) -> None:
        """Count an answer; it stays in memory until the workflow task ends."""
        self._bytes += len(to_json(value))


async def _execute_action(effect: CallAction, arguments: list[Any], limits: Limits) -> Any:
    ours = effect.task_queue == AUTHORED_QUEUE
    return await workflow.execute_activity(
        ACTION_ACTIVITY,
        args=arguments,
        task_queue=effect.task_queue,
        start_to_close_timeout=limits.attempt,
        schedule_to_start_timeout=limits.schedule,
        heartbeat_timeout=limits.heartbeat,
        retry_policy=RetryPolicy(maximum_attempts=1),
        # A second value in the command costs a tenth of a short action, and our own request says the same.
        summary=None if ours else shown(f"{effect.action_id}@{effect.version} {effect.item_path}"),
    )


def _input_too_large(effect: CallAction, size: int) -> Failure:
    return Failure(
        category=Category.VALIDATION,
        code="INPUT_TOO_LARGE",
        message=f"the input of action {effect.action_id!r} is {size} bytes of JSON, the limit is {MAX_INPUT_BYTES}; "
        f"pass a reference, or the part the action needs",
    )
