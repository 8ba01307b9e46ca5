"""``workflowRuntimeV2RunWorkflow``: one authored run, a thin Temporal shell over the machine. Workflow code.

The machine says what to do next and is told what came of it; the performer does it. What is left here is Temporal's
own: starting, signals, queries, the update that answers a task, continue-as-new, and how a run ends.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Never

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflow_runtime.core import contract
from workflow_runtime.core.contract import (
    EventSignal,
    HumanTaskSignal,
    InterpreterSummary,
    QuotaResumeSignal,
    RunInput,
)
from workflow_runtime.core.errors import Category, Failure, RuntimeFailureError
from workflow_runtime.core.machine import Cancelled, Effect, Failed, Machine, Succeeded
from workflow_runtime.service.failures import activity_failure, application_error
from workflow_worker.calls import Suspended, call_store, continue_as_new_is_due, was_cancelled
from workflow_worker.mailbox import AcceptedResponse, Mailbox
from workflow_worker.performing import Performer
from workflow_worker.records import ABANDON_RUN, LOAD_RUN, AbandonRequest, LoadedRun, LoadRequest
from workflow_worker.responses import parse_response, require_acceptable
from workflow_worker.starting import NewerWorkerNeeded, Refusal, Start, build_machine, continued, read_start, told


class WorkflowClock:
    """Time and chance as the workflow sees them: the same on every replay."""

    def now_iso(self) -> str:
        """Workflow time, ISO 8601 UTC with milliseconds."""
        return workflow.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def random(self) -> float:
        """A number in [0, 1) from the workflow's seeded generator."""
        return workflow.random().random()


@workflow.defn(name=contract.RUN_WORKFLOW_TYPE)
class AuthoredRun:
    """One authored run, from its beginning or from a checkpoint."""

    @workflow.init
    def __init__(self, raw: Any = None, origin: Any = None, *_surplus: Any) -> None:
        # Typed by hand: an argument that does not decode would fail the workflow task, again and again, instead of
        # the workflow. Read here and not in run, because signals may be handled before run is entered.
        self._start = read_start(raw, origin)
        self._mailbox = self._start.mailbox if isinstance(self._start, Start) else Mailbox()
        self._machine: Machine | None = None
        self._clock = WorkflowClock()

    @workflow.run
    async def run(self, raw: Any = None, origin: Any = None, *_surplus: Any) -> Any:
        """Take RunInput and, where the sender knows it, RunOrigin.

        Answer ``{payload, vars, local, system, meta}`` or fail with a typed ApplicationError.
        """
        if isinstance(self._start, NewerWorkerNeeded):
            raise self._start
        if isinstance(self._start, Refusal):
            await self._abandon(self._start.run, self._start.failure)
        loaded = await self._load(self._start)
        machine = await self._build(self._start, loaded)
        performer = Performer(self._start.run, loaded.without_beginning(), self._mailbox, machine)
        # It is as large as the definition, which all runs of a version share once it is read.
        del loaded
        while not isinstance(effect := self._next(machine), Succeeded | Failed):
            outcome = await performer.perform(effect, self._clock.now_iso())
            if not isinstance(outcome, Suspended):
                machine.resume(outcome, self._clock)
            if continue_as_new_is_due() and not machine.finished:
                await performer.sync()
                # A response that came with the very task that ends this history is still with its handler.
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(args=continued(self._start, machine, self._mailbox))
        await performer.finish()
        return _end(effect)

    def _next(self, machine: Machine) -> Effect:
        if was_cancelled():
            machine.resume(Cancelled(), self._clock)
        return machine.next(self._clock)

    async def _load(self, start: Start) -> LoadedRun:
        run = start.run
        request = LoadRequest(
            tenant_id=run.tenant_id,
            run_id=run.run_id,
            workflow_id=run.workflow_id,
            workflow_version=run.workflow_version,
            with_payload=start.checkpoint is None,
            trigger_type=run.trigger_type,
            execution_key=run.execution_key,
            origin=start.origin,
        )
        try:
            loaded: LoadedRun = await call_store(LOAD_RUN, request, answer=LoadedRun)
        except ApplicationError as error:
            await self._abandon(run, activity_failure(error))
        if loaded.trigger_event_id is not None:
            self._mailbox.forbid(loaded.trigger_event_id)
        return loaded

    async def _build(self, start: Start, loaded: LoadedRun) -> Machine:
        try:
            self._machine = build_machine(start, loaded)
        except RuntimeFailureError as error:
            await self._abandon(start.run, error.to_failure())
        return self._machine

    async def _abandon(self, run: RunInput | None, failure: Failure) -> Never:
        """End a run whose machine could not be built, so that its row, when it is known, says why."""
        failure = failure.model_copy(update={"at": self._clock.now_iso()})
        if run is not None:
            request = AbandonRequest(
                tenant_id=run.tenant_id, run_id=run.run_id, workflow_id=run.workflow_id, failure=failure
            )
            await call_store(ABANDON_RUN, request)
        raise application_error(failure)

    # What others send. Arguments too many, as a newer sender may give, are ignored: they would fail the workflow task,
    # again and again.

    @workflow.signal(name=contract.SIGNAL_EVENT)
    def on_event(self, raw: Any = None, tenant: Any = None, *_surplus: Any) -> None:
        """An event that this run may wait for, now or later; one that says it is another tenant's is refused."""
        if self._is_of_another(tenant):
            workflow.logger.warning("signal_refused: the event belongs to another tenant than this run")
            return
        _receive(lambda: self._mailbox.receive(EventSignal.model_validate(raw)))

    def _is_of_another(self, tenant: Any) -> bool:
        # Not every sender says whose the event is; what is no text says nothing.
        return isinstance(tenant, str) and isinstance(self._start, Start) and tenant != self._start.run.tenant_id

    @workflow.signal(name=contract.SIGNAL_QUOTA_RESUME)
    def on_quota_resume(self, raw: Any = None, *_surplus: Any) -> None:
        """A quota is available again."""
        _receive(lambda: self._mailbox.resume(QuotaResumeSignal.model_validate({} if raw is None else raw)))

    @workflow.signal(name=contract.SIGNAL_HUMAN_TASK, unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def on_task_response(self, raw: Any = None, responder: Any = None, *_surplus: Any) -> None:
        """A response to a task and who gives it; one that the run cannot accept is dropped: the update tells."""
        try:
            await self._accept_response(raw, responder)
        except RuntimeFailureError as error:
            workflow.logger.warning("signal_refused: %s", error.message)

    @workflow.update(name=contract.UPDATE_COMPLETE_TASK, unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def complete_task(self, raw: Any = None, responder: Any = None, *_surplus: Any) -> dict[str, Any]:
        """Accept a response to a task and who gives it; answers ``{taskId, accepted, acceptedAt, respondedBy}``."""
        try:
            accepted = await self._accept_response(raw, responder)
        except RuntimeFailureError as error:
            raise application_error(error.to_failure()) from None
        return {
            "taskId": accepted.task_id,
            "accepted": True,
            "acceptedAt": self._clock.now_iso(),
            "respondedBy": accepted.responded_by,
        }

    @complete_task.validator
    def _complete_task_is_acceptable(self, raw: Any = None, responder: Any = None, *_surplus: Any) -> None:
        try:
            if self._machine is not None:
                self._require_acceptable(parse_response(raw, responder))
        except RuntimeFailureError as error:
            raise application_error(error.to_failure()) from None

    async def _accept_response(self, raw: Any, responder: Any) -> AcceptedResponse:
        response = parse_response(raw, responder)
        # A run that has just continued in a new history is given its signals before its machine stands again.
        if self._machine is None:
            await workflow.wait_condition(lambda: self._machine is not None)
        self._require_acceptable(response)
        self._mailbox.respond(response)
        return response

    def _require_acceptable(self, response: HumanTaskSignal) -> None:
        require_acceptable(
            response,
            machine=self._machine,
            answered=response.task_id in self._mailbox.responses,
            now_iso=self._clock.now_iso(),
        )

    # What others ask

    @workflow.query(name=contract.QUERY_CURRENT_STEP)
    def current_step(self) -> str | None:
        """The path of the step the run is at; null before it began and after it ended."""
        return self._machine.summary().current_step_path if self._machine else None

    @workflow.query(name=contract.QUERY_CURRENT_WAIT)
    def current_wait(self) -> dict[str, Any] | None:
        """The wait the run is in, as the machine's effect; null while it waits for nothing."""
        wait = self._machine.current_wait() if self._machine else None
        return wait.model_dump(mode="json", by_alias=True) if wait else None

    @workflow.query(name=contract.QUERY_SUMMARY)
    def summary(self) -> InterpreterSummary:
        """Where the interpreter stands."""
        if self._machine is not None:
            return self._machine.summary()
        run_id = self._start.run.run_id if isinstance(self._start, Start) else ""
        return InterpreterSummary(run_id=run_id, step_count=0, current_step_path=None, frame_depth=0)


def _receive(deliver: Callable[[], None]) -> None:
    """A signal that is none of ours is dropped with a line in the log: a sender must not be able to stop a run."""
    try:
        deliver()
    except ValidationError as error:
        workflow.logger.warning("signal_refused: %s", told(error))


def _end(effect: Succeeded | Failed) -> Any:
    if isinstance(effect, Succeeded):
        return effect.result
    if effect.failure.category is Category.CANCELLATION and was_cancelled():
        raise asyncio.CancelledError
    raise application_error(effect.failure)
