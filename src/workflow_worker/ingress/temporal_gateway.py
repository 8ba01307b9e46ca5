"""Starts and signals runs at Temporal. Process code only."""

from datetime import timedelta
from typing import Final

from redis.asyncio import Redis
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from workflow_runtime.core.contract import SIGNAL_EVENT, EventSignal, run_workflow_id
from workflow_runtime.core.errors import ActionFailure
from workflow_runtime.service.launch import launch_run, recover_launches
from workflow_runtime.store.connection import Clock, known_tenants, utc_now
from workflow_runtime.store.runs import RunRow, Runs
from workflow_worker.ingress.ports import GatewayOutageError, RunGateway, RunStart, StartOutcome

_UNLAUNCHED_FOR: Final = timedelta(minutes=1)
"""A start that was recorded this long ago and not seen at Temporal has lost whoever was about to launch it."""


_NOBODY_SERVED: Final = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.PERMISSION_DENIED)
"""Answers that every call would get."""


class TemporalRunGateway(RunGateway):
    """The real gateway."""

    def __init__(self, client: Client, redis: Redis, *, clock: Clock = utc_now) -> None:
        self._client = client
        self._redis = redis
        self._runs = Runs(redis)
        self._clock = clock

    async def start_run(self, start: RunStart) -> StartOutcome:
        row = RunRow(
            run_id=start.run_id,
            tenant_id=start.tenant_id,
            workflow_id=start.workflow_id,
            workflow_version=start.workflow_version,
            definition_hash=start.definition_hash,
            trigger_type="event",
            trigger_event_id=start.event_id,
            execution_key=f"event:{start.event_id}",
            root_run_id=start.run_id,
            payload=start.payload,
        )
        try:
            admission = await launch_run(self._client, self._runs, row, of_event=True)
        except RPCError as error:
            raise _judged(error) from error
        if admission.state == "queued":
            return StartOutcome.QUEUED
        return StartOutcome.STARTED if admission.created else StartOutcome.ALREADY_STARTED

    async def recover_starts(self) -> int:
        before = self._clock() - _UNLAUNCHED_FOR
        found = 0
        for tenant in await known_tenants(self._redis):
            found += await recover_launches(self._client, self._runs, tenant, before)
        return found

    async def signal_run(self, tenant_id: str, run_id: str, signal: EventSignal) -> bool:
        handle = self._client.get_workflow_handle(run_workflow_id(run_id))
        try:
            # Beside the event as the contract has it, whose it is: the run refuses another tenant's.
            await handle.signal(SIGNAL_EVENT, args=[signal, tenant_id])
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise _judged(error) from error
        return True


def _judged(error: RPCError) -> Exception:
    # What Temporal will refuse every time, such as a payload above its limit, is not worth another attempt.
    if error.status is RPCStatusCode.INVALID_ARGUMENT:
        return ActionFailure(f"Temporal refuses the call: {error.message}", code="REFUSED_BY_TEMPORAL")
    if error.status in _NOBODY_SERVED:
        return GatewayOutageError(f"Temporal cannot be reached: {error.message}")
    return error
