"""The index of runs that wait for events. Processes and activities only, never workflow code.

An event finds the waits of its name and keys, and those of its name that take any key. A wait that is registered after
its event was accepted finds the event among the recorded ones; registering and looking are one step, so whatever comes
first, one of the two sees the other. Both may: a run takes an event id once.
"""

from collections.abc import AsyncIterator, Awaitable, Collection, Sequence
from datetime import UTC, datetime
from itertools import batched
from typing import Final, Literal, cast

from redis.asyncio import Redis

from workflow_runtime.core.contract import EventSignal
from workflow_runtime.core.filters import all_match
from workflow_runtime.store._run_keys import ledger_key
from workflow_runtime.store.connection import iso, register_script
from workflow_runtime.store.events import _keys as keys
from workflow_runtime.store.events._turns import in_turns
from workflow_runtime.store.events.ledger import EventLedger
from workflow_runtime.store.events.records import LedgerEvent, Wait, WaitTaken
from workflow_runtime.store.events.waiting import parse_wait, too_early, wait_json

_PAGE: Final = 32


class WaitIndex:
    """The open event waits of all tenants."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._ledger = EventLedger(redis)
        self._register = register_script(redis, "_events", "waits_register")
        self._resolve = register_script(redis, "waits_resolve")

    async def register(
        self,
        wait: Wait,
        *,
        since: Literal["run", "wait"] = "run",
        run_started_ms: int = 0,
        consumed: Collection[str] = (),
        limit: int = 1,
    ) -> tuple[EventSignal, ...]:
        """Open a wait and answer the recorded events that satisfy it already, in order of acceptance.

        What it may see begins, with ``since="run"``, at the run's trigger event (without it), or when the run was
        recorded if it was started otherwise; with ``since="wait"`` now. Both are places in the order of acceptance, so
        no clock is asked; ``run_started_ms`` is for a run of which that was not noted. ``consumed`` are ids of events
        the run has taken before. Up to ``limit`` events that pass the filters are answered. Idempotent.
        """
        bounds, members = await self._open(wait, since, run_started_ms)
        found: list[EventSignal] = []
        async for event in self._recorded(wait.tenant_id, members):
            ours = event.event.event_id not in consumed and too_early(bounds, event) is None
            if ours and all_match(wait.filters, event.event.payload):
                found.append(event_signal(event, wait.correlation_key))
                if len(found) == limit:
                    break
        return tuple(found)

    async def _open(self, wait: Wait, since: str, run_started_ms: int) -> tuple[Wait, Sequence[str]]:
        tenant = wait.tenant_id
        token = keys.wait_token(wait.run_id, wait.wait_id)
        names = [keys.waits_key(tenant), keys.wait_index_key(tenant), keys.run_waits_key(tenant, wait.run_id)]
        names += [keys.recent_key(tenant, wait.event_name, wait.correlation_key), keys.sequence_key(tenant)]
        names += [keys.event_key(tenant, wait.trigger_event_id or "none"), ledger_key(tenant, wait.run_id)]
        start = run_started_ms if since == "run" else ""
        stored, *members = await self._register(names, [token, _member(wait), wait_json(wait), start])
        return parse_wait(tenant, stored), members

    async def _recorded(self, tenant: str, members: Sequence[str]) -> AsyncIterator[LedgerEvent]:
        for page in batched(members, _PAGE, strict=False):
            for event in await self._ledger.read(tenant, [member.partition("|")[2] for member in page]):
                yield event

    async def resolve(self, tenant: str, run_id: str, wait_id: str, *, event_id: str | None = None) -> bool:
        """Close a wait, because ``event_id`` satisfied it, or because it timed out or was cancelled.

        False when it was closed before. The event's row in the ledger says who took it.
        """
        wait = await self.get(tenant, run_id, wait_id)
        if wait is None:
            return False
        taken = WaitTaken(run_id=run_id, wait_id=wait_id, at=iso(datetime.now(UTC)))
        names = [keys.waits_key(tenant), keys.wait_index_key(tenant), keys.run_waits_key(tenant, run_id)]
        names.append(keys.event_key(tenant, event_id or "none"))
        note = taken.model_dump_json(by_alias=True) if event_id else ""
        return bool(await self._resolve(names, [keys.wait_token(run_id, wait_id), _member(wait), note]))

    async def forget_run(self, tenant: str, run_id: str) -> int:
        """Close every wait of a run that ended without closing them; answers how many there were."""
        members = self._redis.smembers(keys.run_waits_key(tenant, run_id))
        waits = [await self._stored(tenant, token) for token in await cast(Awaitable[set[str]], members)]
        return sum([await self.resolve(tenant, wait.run_id, wait.wait_id) for wait in waits if wait is not None])

    async def get(self, tenant: str, run_id: str, wait_id: str) -> Wait | None:
        """An open wait."""
        return await self._stored(tenant, keys.wait_token(run_id, wait_id))

    async def _stored(self, tenant: str, token: str) -> Wait | None:
        stored = await cast(Awaitable[str | None], self._redis.hget(keys.waits_key(tenant), token))
        return parse_wait(tenant, stored) if stored else None

    async def candidates(
        self, tenant: str, event_name: str, event_keys: Collection[str], *, limit: int | None = None
    ) -> tuple[Wait, ...]:
        """Waits an event of this name with these keys may satisfy, the ones that take any key first.

        ``limit`` bounds those of each key.
        """
        found: list[Wait | None] = []
        for key in (None, *event_keys):
            found += await self._under(tenant, keys.wait_prefix(event_name, key) + "|", limit)
        return tuple(wait for wait in found if wait is not None)

    async def named(self, tenant: str, event_name: str, *, limit: int = 100) -> tuple[Wait, ...]:
        """Waits for events of this name whatever their key, to explain why an event met none of them."""
        found = await self._under(tenant, keys.wait_prefix(event_name, None)[:-1], limit)
        return tuple(wait for wait in found if wait is not None)

    async def _under(self, tenant: str, prefix: str, limit: int | None = None) -> list[Wait | None]:
        bounds = f"[{prefix}", b"[" + prefix.encode() + b"\xff"
        page = (None, None) if limit is None else (0, limit)
        found = self._redis.zrange(
            keys.wait_index_key(tenant), bounds[0], bounds[1], bylex=True, offset=page[0], num=page[1]
        )
        members = cast(list[str], await found)
        return await in_turns(self._stored(tenant, member.rpartition("|")[2]) for member in members)


def event_signal(event: LedgerEvent, matched_key: str | None) -> EventSignal:
    """The event as it is handed to a run. Without a key that matched, the event's first key is named."""
    first = event.keys[0].key if event.keys else None
    return EventSignal(
        event_id=event.event.event_id,
        event_name=event.event.event_name,
        correlation_key=first if matched_key is None else matched_key,
        payload=event.event.payload,
        received_at=event.accepted_at,
    )


def _member(wait: Wait) -> str:
    return f"{keys.wait_prefix(wait.event_name, wait.correlation_key)}|{keys.wait_token(wait.run_id, wait.wait_id)}"
