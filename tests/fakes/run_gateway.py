"""Runs in memory behind the ingress's port, with faults on demand. Tests only."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from workflow_runtime.core.contract import EventSignal
from workflow_worker.ingress import RunGateway, RunStart, StartOutcome

type Fault = Callable[[str], Awaitable[None]]
"""Called with the run id before an effect; what it raises is the gateway's failure."""


@dataclass
class RunGatewayFake(RunGateway):
    """Keeps every effect in the order it happened.

    ``calls`` are all calls, ``started`` and ``signalled`` only those that had an effect, since Temporal and the run
    refuse repetitions. ``live`` are the runs that take signals besides the started ones.
    """

    live: set[str] = field(default_factory=set)
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    started: dict[str, RunStart] = field(default_factory=dict)
    signalled: list[tuple[str, EventSignal]] = field(default_factory=list)
    queued: set[str] = field(default_factory=set)
    recoveries: int = 0
    faults: list[Fault] = field(default_factory=list)

    async def start_run(self, start: RunStart) -> StartOutcome:
        self.calls.append(("start", start.run_id, start.event_id))
        await self._meet_faults(start.run_id)
        if start.workflow_id in self.queued:
            return StartOutcome.QUEUED
        if start.run_id in self.started:
            return StartOutcome.ALREADY_STARTED
        self.started[start.run_id] = start
        return StartOutcome.STARTED

    async def recover_starts(self) -> int:
        self.recoveries += 1
        return 0

    async def signal_run(self, tenant_id: str, run_id: str, signal: EventSignal) -> bool:
        self.calls.append(("signal", run_id, signal.event_id))
        await self._meet_faults(run_id)
        if run_id not in self.live and run_id not in self.started:
            return False
        if (run_id, signal.event_id) not in self.deliveries():
            self.signalled.append((run_id, signal))
        return True

    def deliveries(self) -> list[tuple[str, str]]:
        """Run and event of each signal that had an effect."""
        return [(run_id, signal.event_id) for run_id, signal in self.signalled]

    async def _meet_faults(self, run_id: str) -> None:
        await asyncio.sleep(0)
        for fault in self.faults:
            await fault(run_id)
