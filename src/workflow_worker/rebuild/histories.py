"""A run's histories as Temporal keeps them, and how Temporal says it ended. Process code only.

A run is a chain of Temporal executions under one workflow id, because of continue-as-new. Each knows the one before it.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import ValidationError
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes
from temporalio.client import Client, WorkflowHistory, WorkflowHistoryEventFilterType
from temporalio.service import RPCError, RPCStatusCode

from workflow_runtime.core.contract import RUN_WORKFLOW_ID_PREFIX, RUN_WORKFLOW_TYPE, RunInput, run_workflow_id
from workflow_runtime.core.origin import RunOrigin
from workflow_worker.rebuild.errors import HistoryGoneError, NotOursError
from workflow_worker.starting import read_origin

ALL_RUNS: Final = f"WorkflowType = '{RUN_WORKFLOW_TYPE}' AND ExecutionStatus != 'ContinuedAsNew'"
"""Temporal's list of runs, each once: the executions before the last have continued as new."""

_CLOSING: Final = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    }
)


@dataclass(frozen=True, slots=True)
class RunHistories:
    """The whole life of one run, oldest history first; ``origin`` is what it was given besides its input."""

    input: RunInput
    histories: tuple[WorkflowHistory, ...]
    origin: RunOrigin | None = None

    @property
    def length(self) -> int:
        """Events so far."""
        return sum(len(history.events) for history in self.histories)

    @property
    def closing(self) -> HistoryEvent | None:
        """The event with which the run ended; None while it is executing."""
        last = self.histories[-1].events[-1]
        return last if last.event_type in _CLOSING else None

    @property
    def parent_run_id(self) -> str | None:
        """The run that called this one."""
        parent = _started(self.histories[0]).parent_workflow_execution.workflow_id
        return run_id_of(parent) if parent else None

    @property
    def root_run_id(self) -> str:
        """The run at the top of the calls, which may be this one."""
        root = _started(self.histories[0]).root_workflow_execution.workflow_id
        return run_id_of(root or run_workflow_id(self.input.run_id))

    @property
    def began_at(self) -> datetime:
        """When Temporal was asked to start it."""
        return moment(self.histories[0].events[0])


def run_id_of(workflow_id: str) -> str:
    """The run id in a workflow id; the inverse of `run_workflow_id`."""
    return workflow_id.removeprefix(RUN_WORKFLOW_ID_PREFIX)


def moment(event: HistoryEvent) -> datetime:
    """When an event happened."""
    return event.event_time.ToDatetime(UTC)


async def listed_runs(client: Client, query: str = ALL_RUNS) -> AsyncIterator[str]:
    """Run ids by Temporal's visibility, newest first. It may be some seconds behind. Raises RPCError.

    A workflow of our type under an id that is not a run's was started by hand, past the contract: it is nobody's run.
    """
    async for execution in client.list_workflows(query, page_size=1000):
        if execution.id.startswith(RUN_WORKFLOW_ID_PREFIX):
            yield run_id_of(execution.id)


async def read_input(client: Client, run_id: str) -> RunInput:
    """What a run was started with, read without the rest of its history.

    Raises NotOursError, HistoryGoneError, and RPCError when Temporal does not answer.
    """
    with _explained(run_id):
        handle = client.get_workflow_handle(run_workflow_id(run_id))
        async for event in handle.fetch_history_events(page_size=1):
            return (await _given(client, run_id, event))[0]
    raise HistoryGoneError(run_id)


async def read_closing(client: Client, run_id: str) -> HistoryEvent | None:
    """The event with which a run ended, None while it is executing. Raises HistoryGoneError and RPCError."""
    with _explained(run_id):
        handle = client.get_workflow_handle(run_workflow_id(run_id))
        events = handle.fetch_history_events(event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT)
        async for event in events:
            return event if event.event_type in _CLOSING else None
    return None


async def read_histories(client: Client, run_id: str) -> RunHistories:
    """All histories of a run. Raises as `read_input` does."""
    found: list[WorkflowHistory] = []
    execution: str | None = None
    while execution != "":
        with _explained(run_id):
            history = await client.get_workflow_handle(run_workflow_id(run_id), run_id=execution).fetch_history()
        found.insert(0, history)
        execution = _started(history).continued_execution_run_id
    given, origin = await _given(client, run_id, found[0].events[0])
    return RunHistories(given, tuple(found), origin)


def _started(history: WorkflowHistory) -> WorkflowExecutionStartedEventAttributes:
    return history.events[0].workflow_execution_started_event_attributes


async def _given(client: Client, run_id: str, started: HistoryEvent) -> tuple[RunInput, RunOrigin | None]:
    attributes = started.workflow_execution_started_event_attributes
    if attributes.workflow_type.name != RUN_WORKFLOW_TYPE:
        raise NotOursError(run_id, f"it is of type {attributes.workflow_type.name!r}")
    values: list[Any] = await client.data_converter.decode(attributes.input.payloads)
    first, second, *_ = [*values, None, None]
    try:
        given = RunInput.model_validate(first, strict=False)
    except ValidationError:
        raise NotOursError(run_id, "its argument is not that of a run") from None
    if given.run_id != run_id:
        raise NotOursError(run_id, f"its argument names the run {given.run_id!r}")
    return given, read_origin(second)


@contextmanager
def _explained(run_id: str) -> Iterator[None]:
    try:
        yield
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise HistoryGoneError(run_id) from None
        raise
