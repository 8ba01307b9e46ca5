"""Performs the machine's effects with Temporal's means. Workflow code.

Every effect has one method that answers an outcome. Cancellation is known by type: it ends what is under way and
becomes the outcome ``Cancelled``; what has to be written down is written all the same.
"""

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, WorkflowAlreadyStartedError

from workflow_runtime.core.contract import (
    AUTHORED_QUEUE,
    RUN_WORKFLOW_TYPE,
    RunInput,
    run_workflow_id,
)
from workflow_runtime.core.machine.effects import (
    CallAction,
    Cancelled,
    Completed,
    Effect,
    FailedOutcome,
    Outcome,
    Project,
    Sleep,
    StartChild,
    TimedOut,
    WaitForEvent,
    WaitForQuota,
    WaitForTask,
)
from workflow_runtime.core.origin import RunOrigin
from workflow_runtime.service.failures import activity_failure, child_failure
from workflow_worker.action_calls import ActionCaller
from workflow_worker.calls import Suspended, call_store, cancels, seconds_until, shown, until, was_cancelled
from workflow_worker.mailbox import Mailbox
from workflow_worker.outbox import Outbox, RecordSource
from workflow_worker.records import (
    CREATE_CHILD,
    SYNC_RUN,
    ChildRequest,
    ClosedTask,
    LoadedRun,
    OpenWait,
    SyncAnswer,
)
from workflow_worker.starting import child_origin


class Performer:
    """Performs effects for one run."""

    def __init__(self, run: RunInput, loaded: LoadedRun, mailbox: Mailbox, source: RecordSource) -> None:
        self._run = run
        self._loaded = loaded
        self._mailbox = mailbox
        self._outbox = Outbox(run, loaded, source)
        self._actions = ActionCaller(run, loaded, self._outbox)

    async def perform(self, effect: Effect, now_iso: str) -> Outcome | Suspended:
        """The outcome of ``effect``, whatever happens to it."""
        try:
            return await self._dispatch(effect, now_iso)
        except (ActivityError, ApplicationError) as error:
            return FailedOutcome(failure=activity_failure(error))
        except asyncio.CancelledError:
            # Without a request the workflow is being evicted from memory, which is nobody's outcome.
            if not was_cancelled():
                raise
            return Cancelled()

    async def _dispatch(self, effect: Effect, now_iso: str) -> Outcome | Suspended:
        match effect:
            case CallAction():
                return await self._actions.call(effect, now_iso, self.sync)
            case WaitForEvent():
                return await self._wait_for_event(effect)
            case WaitForTask():
                return await self._wait_for_task(effect)
            case Sleep():
                return await self._sleep(effect)
            case WaitForQuota():
                return await self._wait_for_quota(effect)
            case StartChild():
                return await self._run_child(effect)
            case Project():
                await self.sync()
                return Completed()
        raise AssertionError(f"{effect.kind} is the end of a run and cannot be performed")

    # Waits

    async def _wait_for_event(self, effect: WaitForEvent) -> Outcome | Suspended:
        self._mailbox.open(effect)
        found = await self.sync(open_wait=self._registration(effect))
        for recorded in found.events:
            (self._mailbox.receive_recorded if found.first else self._mailbox.receive)(recorded)
        ended = await until(lambda: self._mailbox.match(effect) is not None, effect.timeout_at)
        if isinstance(ended, Suspended):
            return ended
        event = self._mailbox.match(effect) if isinstance(ended, Completed) else None
        self._outbox.close_wait(effect.wait_id, event.event_id if event else None)
        if event is None:
            return ended
        self._mailbox.take(event)
        taken = {"eventId", "eventName", "correlationKey", "payload"}
        return Completed(value={key: value for key, value in event.model_dump(by_alias=True).items() if key in taken})

    def _registration(self, effect: WaitForEvent) -> OpenWait:
        return OpenWait(
            wait=effect,
            trigger_event_id=self._loaded.trigger_event_id,
            run_started_ms=self._loaded.run_started_ms,
            consumed=tuple(self._mailbox.consumed),
        )

    async def _wait_for_task(self, effect: WaitForTask) -> Outcome | Suspended:
        await self.sync(open_task=effect)
        responses = self._mailbox.responses
        ended = await until(lambda: effect.task_id in responses, effect.timeout_at)
        if isinstance(ended, TimedOut):
            self._outbox.close_task(ClosedTask(task_id=effect.task_id, answered=False))
        if not isinstance(ended, Completed):
            return ended
        answer = responses.pop(effect.task_id)
        self._outbox.close_task(
            ClosedTask(
                task_id=effect.task_id,
                answered=True,
                event_name=answer.event_name,
                response=answer.payload,
                responded_by=answer.responded_by,
            )
        )
        return Completed(value={"eventName": answer.event_name, "payload": answer.payload})

    async def _wait_for_quota(self, effect: WaitForQuota) -> Outcome | Suspended:
        await self.sync()
        return await until(lambda: self._mailbox.take_resume(effect.wait_id), None)

    async def _sleep(self, effect: Sleep) -> Outcome:
        delay = seconds_until(effect.until)
        if delay <= 0:
            return Completed()
        await self.sync()
        await workflow.sleep(delay, summary=shown(f"{effect.reason} {effect.step_path}"))
        return Completed()

    # Children

    async def _run_child(self, effect: StartChild) -> Outcome:
        await self.sync()
        child = ChildRequest(
            tenant_id=self._run.tenant_id,
            run_id=effect.child_run_id,
            parent_run_id=self._run.run_id,
            workflow_id=effect.workflow_id,
            workflow_version=effect.workflow_version,
            payload=effect.payload,
        )
        origin = child_origin(await call_store(CREATE_CHILD, child), effect.payload)
        try:
            return Completed(value=await self._execute_child(effect, origin))
        except (ChildWorkflowError, WorkflowAlreadyStartedError) as error:
            if cancels(error):
                return Cancelled()
            return FailedOutcome(failure=child_failure(error))

    async def _execute_child(self, effect: StartChild, origin: RunOrigin | None) -> Any:
        child = RunInput(
            run_id=effect.child_run_id,
            tenant_id=self._run.tenant_id,
            workflow_id=effect.workflow_id,
            workflow_version=effect.workflow_version,
            trigger_type="child",
        )
        return await workflow.execute_child_workflow(
            RUN_WORKFLOW_TYPE,
            args=[child] if origin is None else [child, origin],
            id=run_workflow_id(effect.child_run_id),
            task_queue=AUTHORED_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
            cancellation_type=workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
            static_summary=shown(f"{effect.workflow_id} version {effect.workflow_version}"),
        )

    # The store

    async def sync(
        self, *, open_wait: OpenWait | None = None, open_task: WaitForTask | None = None, ended: bool = False
    ) -> SyncAnswer:
        """Write down what happened since the last time; answers recorded events that satisfy ``open_wait`` already."""
        request = self._outbox.collect(open_wait=open_wait, open_task=open_task, ended=ended)
        if request is None:
            return SyncAnswer()
        answer: SyncAnswer = await call_store(SYNC_RUN, request, answer=SyncAnswer)
        self._outbox.delivered()
        return answer

    async def finish(self) -> None:
        """Write down the end. A store that refuses it does not change how the run ended."""
        try:
            await self.sync(ended=True)
        except ApplicationError as error:
            workflow.logger.error("end_not_projected: %s", error.message)
