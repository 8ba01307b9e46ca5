"""What the ingress needs of the outside: starting a run and signalling one. Process code; pure declarations.

`TemporalRunGateway` is the real one; ``tests/fakes`` has one in memory.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from workflow_runtime.core.contract import EventSignal


class StartOutcome(StrEnum):
    """What became of a start: this call started the run, it was there already, or it may not start yet."""

    STARTED = "started"
    ALREADY_STARTED = "already_started"
    DEFERRED = "deferred"


@dataclass(frozen=True, slots=True)
class RunStart:
    """A run that an event starts. ``run_id`` follows from tenant, event and workflow, so a repetition is harmless."""

    run_id: str
    tenant_id: str
    workflow_id: str
    workflow_version: int
    definition_hash: str
    event_id: str
    event_name: str
    payload: Any
    concurrency_limit: int | None = None


class RunGateway(Protocol):
    """Starts and signals runs. Any exception means "try again later"; both calls may be repeated."""

    async def start_run(self, start: RunStart) -> StartOutcome:
        """Start the run unless it exists; DEFERRED while the workflow's concurrency limit is reached."""

    async def signal_run(self, run_id: str, signal: EventSignal) -> bool:
        """Deliver the event to the run; False when that run does not exist or has ended."""
