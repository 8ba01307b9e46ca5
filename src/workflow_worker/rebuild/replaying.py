"""Replays a run's histories and keeps what the workflow hands to the store on the way. Process code only.

The workflow decides from its history alone, so a replay hands over the very records, waits and tasks that the first
execution did. Nothing is executed: a replay has no activities.
"""

import asyncio
import contextlib
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.exceptions import FailureError
from temporalio.worker import (
    Interceptor,
    Replayer,
    StartActivityInput,
    StartLocalActivityInput,
    UnsandboxedWorkflowRunner,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import ActivityHandle

from workflow_runtime.core.contract import AUTHORED_QUEUE, ActionRequest
from workflow_worker.authored_run import AuthoredRun
from workflow_worker.carrying import unpack
from workflow_worker.rebuild.errors import NotReplayableError
from workflow_worker.rebuild.histories import RunHistories, run_id_of
from workflow_worker.records import AbandonRequest, LoadedRun, SyncRequest

_PATIENCE_SECONDS: Final = 60.0


@dataclass(slots=True)
class CalledAction:
    """A call of an action. It is open until it has either answered or ended in an error.

    ``local`` is whether the worker that decides also performs it, in the same workflow task.
    """

    request: ActionRequest
    queue: str
    local: bool
    open: bool = True
    value: Any = None
    error: BaseException | None = None


@dataclass(slots=True)
class Told:
    """What a run told its store and the actions it called; ``loaded`` is what it was given at its beginning."""

    loaded: LoadedRun | None = None
    synced: list[SyncRequest] = field(default_factory=list)
    abandoned: AbandonRequest | None = None
    called: list[CalledAction] = field(default_factory=list)

    @property
    def open_call(self) -> bool:
        """Whether the run waits for an action on a queue."""
        return any(call.open and not call.local for call in self.called)


async def replay(run: RunHistories, converter: DataConverter) -> Told:
    """What the run has told its store up to its last finished workflow task. Raises NotReplayableError."""
    told = Told()
    for history in run.histories:
        decided = settled(history)
        if decided.events:
            await _replay(decided, told, converter)
    return told


async def _replay(history: WorkflowHistory, told: Told, converter: DataConverter) -> None:
    replayer = Replayer(
        workflows=[AuthoredRun],
        # Every task was executed in the sandbox once; out of it, the listener below can hand its finds to this process.
        workflow_runner=UnsandboxedWorkflowRunner(),
        data_converter=converter,
        interceptors=[_Listener(told)],
    )
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    except TimeoutError:
        reason = f"it is not done after {_PATIENCE_SECONDS:g} s"
        raise NotReplayableError(run_id_of(history.workflow_id), reason) from None
    if result.replay_failure is not None:
        raise NotReplayableError(run_id_of(history.workflow_id), str(result.replay_failure)) from result.replay_failure


def settled(history: WorkflowHistory) -> WorkflowHistory:
    """The history up to the last finished workflow task and what it decided.

    What came after has not been decided upon: a replay would, with a clock and an order of its own.
    """
    finished = [event.event_id for event in history.events if event.event_type == _FINISHED]
    if not finished:
        return WorkflowHistory(history.workflow_id, [])
    last = max([finished[-1], *(event.event_id for event in history.events if _decided_by(event) == finished[-1])])
    return WorkflowHistory(history.workflow_id, [event for event in history.events if event.event_id <= last])


_FINISHED: Final = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED


def _decided_by(event: HistoryEvent) -> int | None:
    attributes = getattr(event, event.WhichOneof("attributes") or "", None)
    return getattr(attributes, "workflow_task_completed_event_id", None)


class _Listener(Interceptor):
    """Gives every replayed workflow an outbound interceptor that writes into one `Told`."""

    def __init__(self, told: Told) -> None:
        self._told = told

    def workflow_interceptor_class(self, _input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        told = self._told

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(_Outbound(outbound, told))

        return Inbound


class _Outbound(WorkflowOutboundInterceptor):
    def __init__(self, next_: WorkflowOutboundInterceptor, told: Told) -> None:
        super().__init__(next_)
        self._told = told

    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        # The only bytes a run gives an activity are what an action of ours carries.
        self._hear([unpack(value) if isinstance(value, bytes) else value for value in input.args])
        handle = super().start_activity(input)
        self._follow(handle, input.args, input.task_queue or AUTHORED_QUEUE, local=False)
        return handle

    def start_local_activity(self, input: StartLocalActivityInput) -> ActivityHandle[Any]:
        self._hear(input.args)
        handle = super().start_local_activity(input)
        handle.add_done_callback(self._answered)
        self._follow(handle, input.args, AUTHORED_QUEUE, local=True)
        return handle

    def _follow(self, handle: ActivityHandle[Any], arguments: Sequence[Any], queue: str, *, local: bool) -> None:
        for request in arguments:
            if isinstance(request, ActionRequest):
                call = CalledAction(request, queue, local)
                self._told.called.append(call)
                handle.add_done_callback(functools.partial(_note, call))

    def _hear(self, arguments: Sequence[Any]) -> None:
        self._told.synced += [argument for argument in arguments if isinstance(argument, SyncRequest)]
        for argument in arguments:
            if isinstance(argument, AbandonRequest):
                self._told.abandoned = argument

    def _answered(self, handle: asyncio.Task[Any]) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            # A run that goes on in a new history is loaded again, then without what it began with.
            if handle.exception() is None and isinstance(handle.result(), LoadedRun) and self._told.loaded is None:
                self._told.loaded = handle.result()


def _note(call: CalledAction, handle: asyncio.Task[Any]) -> None:
    # One that goes away with the replay has not ended: an action that failed says so with an error of Temporal's.
    if not handle.cancelled() and isinstance(handle.exception(), FailureError | None):
        call.open, call.error = False, handle.exception()
        call.value = handle.result() if call.error is None else None
