"""Runs recorded in Redis, so that a test sees what a killed process had done. Tests only."""

import json

from redis.asyncio import Redis

from workflow_runtime.core.contract import EventSignal
from workflow_worker.ingress import RunGateway, RunStart, StartOutcome

EFFECTS = "test:effects"
CALLS = "test:calls"

_ONCE = """
redis.call('INCR', KEYS[3])
if redis.call('SADD', KEYS[2], ARGV[1]) == 0 then return 0 end
redis.call('RPUSH', KEYS[1], ARGV[2])
return 1
"""


class RecordedGateway(RunGateway):
    """Every run exists once and takes an event once; effects stand in the list ``test:effects`` in their order."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def start_run(self, start: RunStart) -> StartOutcome:
        effect = {"run": start.run_id, "workflow": start.workflow_id, "event": start.event_id, "payload": start.payload}
        first = await self._once(f"start {start.run_id}", effect)
        return StartOutcome.STARTED if first else StartOutcome.ALREADY_STARTED

    async def recover_starts(self) -> int:
        return 0

    async def signal_run(self, tenant_id: str, run_id: str, signal: EventSignal) -> bool:
        effect = {"run": run_id, "event": signal.event_id, "payload": signal.payload}
        await self._once(f"signal {run_id} {signal.event_id}", effect)
        return True

    async def _once(self, name: str, effect: object) -> bool:
        keys = (EFFECTS, "test:effect-names", CALLS)
        return bool(await self._redis.execute_command("EVAL", _ONCE, 3, *keys, name, json.dumps(effect)))  # type: ignore[no-untyped-call]
