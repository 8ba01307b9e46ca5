"""Who routes which event, and what became of each of its targets. Processes and activities only.

An event is routed in passes: ``claim`` it, ``begin`` attempts of its targets, ``finish`` the pass. A claim is a lease:
when its holder dies the sweep offers the event to others, and whatever the holder writes later is refused. Order is
kept by lanes: an event has its first pass after all earlier events with one of its keys had theirs, and an attempt of a
target only after all earlier events with one of its keys are settled for that target. So a target that fails delays
nothing but later events with the same key to the same target.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from pydantic import TypeAdapter
from redis.asyncio import Redis

from workflow_runtime.store._catalog_keys import triggers_by_event_key, triggers_key
from workflow_runtime.store._run_keys import unlaunched_key
from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.connection import register_script
from workflow_runtime.store.errors import InvalidValueError
from workflow_runtime.store.events import _keys as keys
from workflow_runtime.store.events._stored import claim_of, holders_of, ledger_event
from workflow_runtime.store.events._times import iso_ms, now_ms
from workflow_runtime.store.events._together import TenantScript
from workflow_runtime.store.events._turns import in_turns
from workflow_runtime.store.events.claims import Claim, Hold, Pass, Refusal
from workflow_runtime.store.events.errors import EventBusyError, UnknownEventError
from workflow_runtime.store.events.intake import GRACE_SECONDS, RETENTION_SECONDS
from workflow_runtime.store.events.presence import SILENCE_SECONDS, Presence
from workflow_runtime.store.events.records import (
    Considered,
    EventStatus,
    LedgerEvent,
    Target,
    TargetStatus,
)

_ACTIVE_MS: Final = 60_000
_IDLE_SWEEPS: Final = 60
_SWEEP_LIMIT: Final = 200
_SCANNED: Final = 2_000
_CURSOR: Final = re.compile(r"[0-9]{16}\|[0-9a-f-]{36}")

_CLAIM: Final = ("_events", "_each", "_candidates", "_trigger_lookup", "events_claim")

AUDIT_LENGTH: Final = 10_000
"""Entries about as many as which an audit keeps."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """Events nobody works on, as ``(tenant, event id)``, and how many unfinished events there are altogether."""

    found: tuple[tuple[str, str], ...]
    backlog: int


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events, newest first; ``next_cursor`` continues the list and is null at its end."""

    events: tuple[LedgerEvent, ...]
    next_cursor: str | None


class EventLedger:
    """The ledgers of all tenants. Times are in seconds unless the name says ms."""

    def __init__(
        self,
        redis: Redis,
        *,
        retention_seconds: int = RETENTION_SECONDS,
        lease_seconds: float = 10.0,
        grace_seconds: float = GRACE_SECONDS,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self._redis = redis
        self._catalog = Catalog(redis)
        self._retention_ms = retention_seconds * 1000
        self._lease_ms = round(lease_seconds * 1000)
        self._grace_ms = round(grace_seconds * 1000)
        self._sweeps = 0
        self.presence = Presence(redis, silence_seconds=silence_seconds)
        self._claim = TenantScript(redis, *_CLAIM, shared=_claim_keys)
        self._begin = TenantScript(redis, "_events", "_each", "events_begin", shared=_begin_keys)
        self._finish = TenantScript(redis, "_events", "_each", "events_finish", shared=_finish_keys)
        self._lease = register_script(redis, "_events", "events_lease")
        self._blame = register_script(redis, "events_blame")
        self._sweep = register_script(redis, "_events", "events_sweep")
        self._reopen = register_script(redis, "_events", "events_reopen")

    # Routing

    async def claim(self, tenant: str, event_id: str, token: str) -> Claim | Refusal:
        """Take an event for routing; repeating it with the same token extends the lease."""
        wanted = {"id": event_id, "token": token, "lease": self._lease_ms}
        while True:
            answer = await self._claim(tenant, keys.event_key(tenant, event_id), wanted)
            if answer["state"] == "claimed":
                return claim_of(tenant, token, answer, await self.presence.living(holders_of(token, answer)))
            if answer["state"] != "again":
                return Refusal(answer["state"])

    async def note_first_pass(self, claim: Claim) -> None:
        """Note that a first pass begins which others began before: right before it does, for one event at a time."""
        name, what = f"p:{claim.token}", json.dumps(["plan"])
        await cast(Any, self._redis.hset(keys.event_key(claim.hold.tenant, claim.hold.event_id), name, what))

    async def begin(
        self, claim: Claim, targets: Sequence[Target], *, considered: Sequence[Considered] | None = None
    ) -> list[Target] | None:
        """Record that ``targets`` are tried now. Answers them as TRYING with one attempt more, or BEHIND; null when the
        claim was lost. ``considered`` is given once, with the plan."""
        tenant, event_id = claim.event.event.tenant_id, claim.event.event.event_id
        begun = [_with(target, TargetStatus.TRYING, attempts=target.attempts + 1) for target in targets]
        rows = [
            {"id": before.id, "lanes": before.lanes, "trying": _json(after), "behind": _json(before)}
            for before, after in zip(targets, begun, strict=True)
        ]
        wanted = {"id": event_id, "token": claim.token, "considered": _considered(considered), "targets": rows}
        answer = await self._begin(tenant, keys.event_key(tenant, event_id), wanted)
        if answer["state"] != "ok":
            return None
        found = zip(targets, begun, answer["verdicts"], strict=True)
        return [after if verdict == "trying" else _behind(before) for before, after, verdict in found]

    async def finish(
        self,
        claim: Claim,
        targets: Sequence[Target],
        *,
        reason: str,
        considered: Sequence[Considered] | None = (),
        patience: float = 0.0,
    ) -> Pass | None:
        """End the pass. ``targets`` are all that were not final when it began. Null when the claim was lost.

        ``considered`` is null when it is recorded already; ``patience`` (seconds) lets the call wait for others. That
        Temporal has the runs of triggers that are DELIVERED is noted with it (`Runs.mark_launched`).
        """
        tenant, event_id = claim.event.event.tenant_id, claim.event.event.event_id
        ended = {"id": event_id, "token": claim.token, "retention": self._retention_ms, "reason": reason}
        ended |= {"considered": _considered(considered), "targets": [_ended(target) for target in targets]}
        ended["launched"] = [target.run_id for target in targets if _has_launched(target)]
        answer = await self._finish(tenant, keys.event_key(tenant, event_id), ended, patience=patience)
        if answer["state"] != "ok":
            return None
        return Pass(EventStatus(answer["status"]), tuple(dict.fromkeys(answer["runnable"])))

    async def extend(self, holds: Iterable[Hold]) -> None:
        """Begin the leases of claims anew; those that others have taken stay theirs."""
        await self._set_leases(holds, self._lease_ms)

    async def give_up(self, holds: Iterable[Hold]) -> None:
        """Let others route the events at once, and note that these passes did not end their process.

        Harmless for a claim that others have taken or that never came to be.
        """
        await self._set_leases(holds, 0)

    async def blame(self, holds: Iterable[Hold]) -> None:
        """Note that passes failed by what they tried: it counts although their process lives."""
        by_tenant: dict[str, tuple[list[str], list[str]]] = {}
        for tenant, event_id, token in holds:
            names, tokens = by_tenant.setdefault(tenant, ([], []))
            names.append(keys.event_key(tenant, event_id))
            tokens.append(token)
        await in_turns(self._blame(names, tokens) for names, tokens in by_tenant.values())

    async def _set_leases(self, holds: Iterable[Hold], length_ms: int) -> None:
        by_tenant: dict[str, tuple[list[str], list[str | int]]] = {}
        for tenant, event_id, token in holds:
            shared = [keys.open_key(tenant), keys.leases_key(tenant)]
            names, arguments = by_tenant.setdefault(tenant, (shared, [length_ms]))
            names.append(keys.event_key(tenant, event_id))
            arguments += [event_id, token]
        await in_turns(self._lease(names, arguments) for names, arguments in by_tenant.values())

    # Recovery

    async def sweep(self) -> Sweep:
        """Events whose retry is due or whose holder died; each is reported once per grace period over all replicas.

        Tenants without unfinished events are looked at rarely, so that many idle ones cost little.
        """
        self._sweeps += 1
        now, everywhere = now_ms(), self._sweeps % _IDLE_SWEEPS == 1
        oldest = "-inf" if everywhere else now - _ACTIVE_MS
        tenants = cast(list[str], await self._redis.zrangebyscore(keys.ACTIVE_TENANTS, oldest, "+inf"))
        rows = await in_turns(self._sweep_tenant(tenant) for tenant in tenants)
        if busy := {tenant: now for tenant, (unfinished, *_) in zip(tenants, rows, strict=True) if unfinished}:
            await self._redis.zadd(keys.ACTIVE_TENANTS, busy, gt=True)
        if everywhere:
            # A tenant that was quiet for so long and has nothing unfinished would only be looked at in vain.
            await self._redis.zremrangebyscore(keys.ACTIVE_TENANTS, "-inf", now - 2 * self._retention_ms)
        found = ((tenant, event_id) for tenant, (_, *due) in zip(tenants, rows, strict=True) for event_id in due)
        return Sweep(tuple(found), backlog=sum(row[0] for row in rows))

    async def _sweep_tenant(self, tenant: str) -> list[Any]:
        return cast(list[Any], await self._sweep([keys.open_key(tenant)], [_SWEEP_LIMIT, self._grace_ms]))

    async def reopen(
        self, tenant: str, event_id: str, *, actor: str, why: str = "", via: Literal["retry", "redrive"] = "retry"
    ) -> tuple[str, ...]:
        """Give the failed targets of an event a new round of attempts; answers their ids.

        An event whose first pass was given up as poison is planned anew, and answered as ``plan``. What was delivered
        is left alone. A workflow whose trigger is in another version by now is started in that one: the version that
        failed may have been at fault. Who did it and why is kept with the event and, longer than the event, in the
        tenant's audit.
        Raises EventBusyError while a process has the event under way, which it would otherwise finish over this.
        """
        if not (raw := await self._raw(tenant, event_id)):
            return ()
        note = {"at": iso_ms(now_ms()), "actor": actor, "why": why, "via": via}
        arguments: list[str | int] = [event_id, AUDIT_LENGTH, json.dumps(note)]
        event = ledger_event(raw)
        triggers = await self._catalog.triggers_for_event(tenant, event.event.event_name)
        live = {trigger.workflow_id: trigger.version for trigger in triggers}
        for target in event.targets:
            if target.status is TargetStatus.FAILED:
                version = live.get(target.workflow_id or "", target.workflow_version)
                again = _with(target, TargetStatus.PENDING, attempts=0, abandoned=0, due_ms=0, settled_at=None)
                again = again.model_copy(update={"workflow_version": version})
                arguments += [target.id, raw[f"t:{target.id}"], _json(again)]
        names = [keys.event_key(tenant, event_id), keys.open_key(tenant), keys.lanes_key(tenant)]
        names += [keys.leases_key(tenant), keys.event_audit_key(tenant)]
        answer = await self._reopen(names, arguments)
        if answer == "busy":
            raise EventBusyError(tenant, event_id)
        return tuple(answer)

    # Reading

    async def get(self, tenant: str, event_id: str) -> LedgerEvent:
        """One event. Raises UnknownEventError."""
        raw = await self._raw(tenant, event_id)
        if not raw:
            raise UnknownEventError(tenant, event_id)
        return ledger_event(raw)

    async def list_events(
        self,
        tenant: str,
        *,
        limit: int = 50,
        cursor: str | None = None,
        wanted: Callable[[LedgerEvent], bool] | None = None,
    ) -> EventPage:
        """Events accepted within the retention, newest first; only those that are ``wanted``, when it is given.

        A page that looked at many events in vain ends early; its ``next_cursor`` goes on from there. Raises
        `InvalidValueError` for a cursor that this list has not given.
        """
        found: list[LedgerEvent] = []
        for _ in range(max(1, _SCANNED // limit)):
            members = await self._log_page(tenant, cursor, limit)
            events = {
                event.event.event_id: event for event in await self.read(tenant, [_logged_id(m) for m in members])
            }
            for member in members:
                event = events.get(_logged_id(member))
                if event is not None and (wanted is None or wanted(event)):
                    found.append(event)
                if len(found) == limit:
                    return EventPage(tuple(found), member)
            if len(members) < limit:
                return EventPage(tuple(found), None)
            cursor = members[-1]
            if wanted is None:
                break
        return EventPage(tuple(found), cursor)

    async def _log_page(self, tenant: str, cursor: str | None, limit: int) -> list[str]:
        start = 0
        if cursor is not None:
            rank = await cast(Any, self._redis.zrevrank(keys.log_key(tenant), cursor))
            if rank is None:
                await self._check_cursor(tenant, cursor)
                return []
            start = rank + 1
        return cast(list[str], await self._redis.zrange(keys.log_key(tenant), start, start + limit - 1, desc=True))

    async def _check_cursor(self, tenant: str, cursor: str) -> None:
        """One past the retention ends the list: what is older went before it. Any other is of no page of this list."""
        oldest = cast(list[str], await self._redis.zrange(keys.log_key(tenant), 0, 0))
        if not _CURSOR.fullmatch(cursor) or (oldest and oldest[0] < cursor):
            raise InvalidValueError(f"cursor {cursor!r} is none of this list; pass the nextCursor of the page before")

    async def read(self, tenant: str, event_ids: Sequence[str]) -> list[LedgerEvent]:
        """Those of the events which are still recorded, in this order."""
        rows = await in_turns(self._raw(tenant, event_id) for event_id in event_ids)
        return [ledger_event(raw) for raw in rows if raw]

    async def _raw(self, tenant: str, event_id: str) -> dict[str, str]:
        return cast(dict[str, str], await cast(Any, self._redis.hgetall(keys.event_key(tenant, event_id))))


def _claim_keys(tenant: str) -> list[str]:
    names = [keys.open_key(tenant), keys.lanes_key(tenant), keys.leases_key(tenant), keys.waits_key(tenant)]
    return [*names, keys.wait_index_key(tenant), triggers_key(tenant), triggers_by_event_key(tenant)]


def _begin_keys(tenant: str) -> list[str]:
    return [keys.lanes_key(tenant), keys.leases_key(tenant)]


def _finish_keys(tenant: str) -> list[str]:
    return [keys.open_key(tenant), keys.lanes_key(tenant), keys.leases_key(tenant), unlaunched_key(tenant)]


def _logged_id(member: str) -> str:
    return member.partition("|")[2]


def _with(target: Target, status: TargetStatus, **changes: Any) -> Target:
    return target.model_copy(update={"status": status, **changes})


def _behind(target: Target) -> Target:
    return _with(target, TargetStatus.BEHIND, reason="an earlier event with the same key is not settled for it yet")


def _json(target: Target) -> str:
    return target.model_dump_json(by_alias=True, exclude_none=True)


def _has_launched(target: Target) -> bool:
    return target.kind == "trigger" and target.status is TargetStatus.DELIVERED


def _ended(target: Target) -> dict[str, Any]:
    row = {"id": target.id, "state": _json(target), "final": target.status.final, "due": target.due_ms}
    return row | {"behind": target.status is TargetStatus.BEHIND, "lanes": target.lanes}


_CONSIDERED: Final = TypeAdapter(tuple[Considered, ...])


def _considered(rows: Sequence[Considered] | None) -> str:
    return "" if rows is None else _CONSIDERED.dump_json(tuple(rows), by_alias=True, exclude_none=True).decode()
