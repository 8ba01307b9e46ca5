"""What a run has still to tell the store. Pure; workflow code.

Everything stays here until somebody who wrote it down has answered; telling it twice changes nothing.
"""

from typing import Final, Protocol

from workflow_runtime.core.contract import RunInput
from workflow_runtime.core.machine.effects import WaitForTask
from workflow_runtime.core.projection import ProjectionRecord
from workflow_worker.records import ClosedTask, ClosedWait, LoadedRun, OpenWait, SyncRequest


class RecordSource(Protocol):
    """The part of the machine that an outbox needs."""

    def take_projections(self) -> list[ProjectionRecord]:
        """Records not handed out before."""
        ...


CARRIED_RECORDS: Final = 50
"""So many records of a few hundred bytes may stand in the request to an action; more go by themselves."""


def is_small(request: SyncRequest) -> bool:
    """Whether an action may carry the request along."""
    return len(request.records) <= CARRIED_RECORDS and not request.closed_tasks


class Outbox:
    """Collects for one run: its projection records, and the waits and tasks that are over."""

    def __init__(self, run: RunInput, loaded: LoadedRun, source: RecordSource) -> None:
        self._run = run
        self._loaded = loaded
        self._source = source
        self._records: list[ProjectionRecord] = []
        self._waits: list[ClosedWait] = []
        self._tasks: list[ClosedTask] = []

    def close_wait(self, wait_id: str, event_id: str | None) -> None:
        """An event wait is over; ``event_id`` is the event that satisfied it."""
        self._waits.append(ClosedWait(wait_id=wait_id, event_id=event_id))

    def close_task(self, task: ClosedTask) -> None:
        """A human task is over."""
        self._tasks.append(task)

    def collect(
        self, *, open_wait: OpenWait | None = None, open_task: WaitForTask | None = None, ended: bool = False
    ) -> SyncRequest | None:
        """Everything that has not been delivered, with what is asked for besides; None when that is nothing."""
        self._records += self._source.take_projections()
        if not (self._records or self._waits or self._tasks or open_wait or open_task or ended):
            return None
        return SyncRequest(
            tenant_id=self._run.tenant_id,
            run_id=self._run.run_id,
            workflow_id=self._run.workflow_id,
            workflow_version=self._run.workflow_version,
            definition_hash=self._loaded.definition_hash,
            records=tuple(self._records),
            closed_waits=tuple(self._waits),
            closed_tasks=tuple(self._tasks),
            open_wait=open_wait,
            open_task=open_task,
            ended=ended,
        )

    def delivered(self) -> None:
        """What was collected last has been written down."""
        self._records, self._waits, self._tasks = [], [], []
