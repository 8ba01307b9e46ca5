"""What the ingress needs of the outside: starting a run and signalling one. Process code; pure declarations.

`TemporalRunGateway` is the real one; ``tests/fakes`` has one in memory.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from workflow_runtime.core.contract import EventSignal


class StartOutcome(StrEnum):
    """What became of a start: this call started the run; it was there already; it is recorded and starts by itself when
    its workflow is resumed or has room."""

    STARTED = "started"
    ALREADY_STARTED = "already_started"
    QUEUED = "queued"


@dataclass(frozen=True, slots=True)
class RunStart:
    """A run that an event starts. ``run_id`` follows from tenant, event and workflow, so a repetition is harmless."""

    run_id: str
    tenant_id: str
    workflow_id: str
    workflow_version: int
    definition_hash: str
    event_id: str
    payload: Any


class GatewayOutageError(Exception):
    """Nothing can be started or signalled at present, whatever it is: an attempt that meets this is never the last."""


class RunGateway(Protocol):
    """Starts and signals runs; both calls may be repeated.

    A RuntimeFailureError that is not transient means "never"; any other exception means "try again later", and
    GatewayOutageError however often.
    """

    async def start_run(self, start: RunStart) -> StartOutcome:
        """Start the run unless it exists."""

    async def recover_starts(self) -> int:
        """Start the runs which a process that died should have started, whoever asked for them; answers how many."""

    async def signal_run(self, tenant_id: str, run_id: str, signal: EventSignal) -> bool:
        """Deliver the event to the run; false when that run does not exist or has ended."""
