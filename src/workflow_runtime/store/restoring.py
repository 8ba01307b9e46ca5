"""Puts whole runs and tasks back, in place of whatever stands there. Processes and activities only.

What is put back comes from Temporal (`workflow_worker.rebuild`). A run is one step for whoever reads or writes it: its
records are laid beside the present ones and take their place together with the row and every index. What a living run
wrote since is kept, because records beyond the restored ones continue them.
"""

import contextlib
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched, count, takewhile
from typing import Any, Final, cast

from pydantic import ValidationError
from redis.asyncio import Redis

from workflow_runtime.core.errors import Failure
from workflow_runtime.core.projection import ProjectionRecord
from workflow_runtime.store import _run_keys as keys
from workflow_runtime.store._indexes import above, members, time_member
from workflow_runtime.store._projections import parse_records, record_text, row_change
from workflow_runtime.store._rows import dump, flat
from workflow_runtime.store._run_keys import RunKeys
from workflow_runtime.store._run_rows import TERMINAL_STATUSES, RunRow, TerminalStatus
from workflow_runtime.store._task_keys import TASK_STATUSES, indexes, task_key
from workflow_runtime.store.connection import command, millis, register_script, remember_tenant
from workflow_runtime.store.tasks import TaskRow

_BATCH: Final = 500
"""Records per command: a few milliseconds in which Redis serves nobody else."""

_ALL: Final = 1_000_000

_LEFTOVERS: Final = timedelta(hours=1)
"""How long records laid out by a process that died before they took their place stay."""


@dataclass(frozen=True, slots=True)
class Ended:
    """An end that no record tells: ``at`` is ISO 8601 UTC."""

    status: TerminalStatus
    at: str
    error: Failure | None = None


@dataclass(frozen=True, slots=True)
class RestoredRun:
    """One run as it shall stand. ``row`` holds what is settled when a run is created; the rest follows from
    ``records``, in order of ``seq``, and from ``ended`` unless a record says how the run ended.

    ``executing`` is whether Temporal still works on it. ``with_payload`` is false when the row's payload is not known:
    the one in the store then stays. ``whole`` is false for what stands in until somebody rebuilds the run.
    """

    row: RunRow
    records: tuple[ProjectionRecord, ...]
    executing: bool
    ended: Ended | None = None
    with_payload: bool = True
    whole: bool = True


class RunRestorer:
    """Restores runs and tasks of all tenants."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._restore = register_script(redis, "_runs", "run_restore")
        self._restore_task = register_script(redis, "task_restore")

    async def restore(self, run: RestoredRun) -> bool:
        """Put the run in place; false when its row and its records were like this already."""
        tenant, run_id = run.row.tenant_id, run.row.run_id
        await remember_tenant(self._redis, tenant)
        stood = await members(self._redis, keys.records_key(tenant, run_id))
        place = keys.restored_records_key(tenant, run_id, uuid.uuid4().hex)
        await self._lay_out(place, run.records)
        told = folded(run.row.to_hash(exclude=frozenset({"payload"})), run.records)
        while True:
            standing = await self._fields(keys.row_key(tenant, run_id))
            since = await self._continuing(run) if run.executing else []
            await self._lay_out(place, since)
            row = ended_row(folded(dict(told), since), run.ended)
            if await self._put(run, row, place, standing.get("seq", "")):
                mark = "SREM" if run.whole else "SADD"
                await command(self._redis, mark, keys.incomplete_key(tenant), run_id)
                member = time_member(row["createdAt"], run_id)
                texts = [record_text(record) for record in (*run.records, *since)]
                return standing != row | {"indexMember": member} or stood != texts

    async def _continuing(self, run: RestoredRun) -> list[ProjectionRecord]:
        """What stands in the store beyond the run's records without a gap: the run wrote it since they were read."""
        last = run.records[-1].seq if run.records else 0
        texts = await above(self._redis, keys.records_key(run.row.tenant_id, run.row.run_id), last, limit=_ALL)
        following = takewhile(lambda pair: pair[0] == pair[1].seq, zip(count(last + 1), _readable(texts), strict=False))
        return [record for _, record in following]

    async def _put(self, run: RestoredRun, row: dict[str, str], place: str, expected: str) -> bool:
        given = run.row
        names = RunKeys(given.tenant_id, given.run_id, given.workflow_id, given.parent_run_id).declared()
        over = row["status"] in TERMINAL_STATUSES
        # A child takes no slot: its parent would wait for a child that waits for it.
        counts = not over and run.executing and given.parent_run_id is None
        arguments: list[str | int] = [given.run_id, expected, time_member(row["createdAt"], given.run_id)]
        arguments += [millis(row["createdAt"]), str(millis(row["endedAt"])) if over else "", int(counts)]
        arguments.append(dump(given.payload, f"payload of run {given.run_id!r}") if run.with_payload else "")
        outcome = await self._restore([*names, place], [*arguments, *flat(row)])
        return cast(str, outcome) == "restored"

    async def _lay_out(self, place: str, records: Sequence[ProjectionRecord]) -> None:
        for batch in batched(records, _BATCH, strict=False):
            await self._redis.zadd(place, {record_text(record): record.seq for record in batch})
            await self._redis.expire(place, _LEFTOVERS)

    async def restore_task(self, task: TaskRow) -> bool:
        """Put a task in place; false when its row was like this already.

        Who responded, and when the response was taken, are told by the row alone when it says the same response.
        """
        key = task_key(task.tenant_id, task.task_id)
        while True:
            standing = await self._fields(key)
            row = task.to_hash()
            if standing.get("status") == task.status and standing.get("response") == row.get("response"):
                row |= {name: standing[name] for name in ("closedAt", "respondedBy") if name in standing}
            member = time_member(row["createdAt"], task.task_id)
            names = [key, *indexes(task.tenant_id, task.run_id)]
            head: list[str | int] = [standing.get("status", ""), member, 4 + TASK_STATUSES.index(task.status)]
            if await self._restore_task(names, [*head, *flat(row)]):
                return standing != row | {"indexMember": member}

    async def _fields(self, key: str) -> dict[str, str]:
        return cast(dict[str, str], await cast(Any, self._redis.hgetall(key)))


def folded(fields: dict[str, str], records: Iterable[ProjectionRecord]) -> dict[str, str]:
    """``fields``, the hash of a row, after ``records``: what lua/run_apply.lua makes of them."""
    for record in records:
        if record.kind == "run" and fields["status"] not in TERMINAL_STATUSES:
            _change(fields, record)
        fields |= {"updatedAt": record.at, "seq": str(record.seq)}
    return fields


def ended_row(fields: dict[str, str], ended: Ended | None) -> dict[str, str]:
    """``fields`` after an end that no record told: what lua/run_finish.lua makes of it."""
    if ended is not None and fields["status"] not in TERMINAL_STATUSES:
        error = {} if ended.error is None else {"error": ended.error.model_dump_json(by_alias=True)}
        _end(fields, ended.status, ended.at)
        fields |= {"updatedAt": ended.at, **error}
    return fields


def _change(fields: dict[str, str], record: ProjectionRecord) -> None:
    change = row_change(json.loads(record_text(record))["fields"], record.at)
    for name in change["clear"]:
        fields.pop(name, None)
    fields |= change["set"]
    if "endedAt" in change:
        _end(fields, change["status"], change["endedAt"])
    elif "status" in change:
        fields["status"] = change["status"]


def _end(fields: dict[str, str], status: str, at: str) -> None:
    fields |= {"status": status, "endedAt": at}
    for name in ("currentStepPath", "currentWait"):
        fields.pop(name, None)


def _readable(texts: Iterable[str]) -> Iterator[ProjectionRecord]:
    for text in texts:
        with contextlib.suppress(ValidationError):
            yield from parse_records([text])
