"""The action ledger: what is known of every idempotency key (RUNTIME.md section 6). Activities and processes only.

An entry goes STARTED → SUCCEEDED | FAILED | UNKNOWN. Entries whose key was derived from the run live and go with the
run. An authored key may be met again by another run, so its entry has a retention of its own.
"""

import hashlib
import json
from collections.abc import Awaitable
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, Literal, cast

from redis.asyncio import Redis

from workflow_runtime.core.actions import is_derived_key
from workflow_runtime.core.contract import ActionRequest
from workflow_runtime.core.errors import Failure
from workflow_runtime.core.redaction import redact
from workflow_runtime.core.wire import WireModel
from workflow_runtime.store._rows import dump
from workflow_runtime.store._run_keys import ledger_key
from workflow_runtime.store.connection import Clock, iso, millis, register_script, tenant_key, utc_now
from workflow_runtime.store.errors import ConflictError

AUTHORED_KEY_RETENTION: Final = timedelta(days=30)


class LedgerVerdict(StrEnum):
    """What an attempt that begins has to do."""

    FRESH = "FRESH"
    """Nothing is known, or the attempts before it failed: run."""
    SUCCEEDED = "SUCCEEDED"
    """Answer with the recorded output."""
    UNKNOWN = "UNKNOWN"
    """A side-effectful attempt began and nobody knows how it ended: run as recovered."""


class LedgerEntry(WireModel):
    """What is known of one idempotency key. ``input`` is redacted; times are ISO 8601 UTC; attempts count from 1."""

    idempotency_key: str
    state: Literal["STARTED", "SUCCEEDED", "FAILED", "UNKNOWN"]
    action_id: str
    version: int
    run_id: str
    step_path: str
    attempts: int
    input: Any = None
    output: Any = None
    failure: Failure | None = None
    started_at: str
    ended_at: str | None = None


class ActionLedger:
    """The ledger of all tenants. Every method takes the request as it reached the activity, secrets unresolved."""

    def __init__(
        self, redis: Redis, *, clock: Clock = utc_now, authored_key_retention: timedelta = AUTHORED_KEY_RETENTION
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._retention_ms = round(authored_key_retention.total_seconds() * 1000)
        self._begin = register_script(redis, "_ledger", "ledger_begin")
        self._settle = register_script(redis, "_ledger", "ledger_settle")
        self._restore = register_script(redis, "_ledger", "ledger_restore")

    async def begin(self, request: ActionRequest, *, side_effectful: bool) -> tuple[LedgerVerdict, Any]:
        """Record that an attempt begins; the second value is the recorded output of a succeeded one.

        Raises `ConflictError` IDEMPOTENCY_KEY_REUSED when the key belongs to another action.
        """
        entry = dump(_first_entry(request, iso(self._clock())), "ledger entry")
        head = [*self._head(request), int(side_effectful), iso(self._clock())]
        verdict, found = await self._begin([_hash_key(request)], [*head, entry, _input_text(request)])
        if verdict == "REUSED":
            raise ConflictError(
                f"idempotency key {request.idempotency_key!r} of action {request.action_id!r} was used by action "
                f"{found!r}; make the idempotencyKey expression of one of the two steps say which action it is for",
                code="IDEMPOTENCY_KEY_REUSED",
            )
        return LedgerVerdict(verdict), json.loads(found) if verdict == "SUCCEEDED" else None

    async def succeed(self, request: ActionRequest, output: Any, *, begun: bool = True) -> Any:
        """Record the output and answer the one that stands: the first attempt that succeeded decides.

        ``begun`` is false for an attempt that no `begin` announced; it is put on record whole.
        """
        text = dump(output, f"output of action {request.action_id!r}")
        earlier = await self._settled(request, "SUCCEEDED", text, "", begun=begun)
        return output if earlier is None else json.loads(earlier)

    async def fail(self, request: ActionRequest, failure: Failure, *, begun: bool = True) -> None:
        """Record the failure; a later attempt runs again (as recovered, if an attempt before it is still unknown)."""
        await self._settled(request, "FAILED", "", failure.model_dump_json(by_alias=True), begun=begun)

    async def unknown(self, request: ActionRequest) -> None:
        """Record that the attempt ended and nobody can say how: it was cancelled, or its answer never came."""
        await self._settled(request, "UNKNOWN", "", "", begun=True)

    async def _settled(
        self, request: ActionRequest, state: str, output: str, failure: str, *, begun: bool
    ) -> str | None:
        now = iso(self._clock())
        entry = dump(_first_entry(request, now), "ledger entry")
        given = "" if begun else _input_text(request)
        arguments = [*self._head(request), state, now, entry, output, failure, given]
        return cast(str | None, await self._settle([_hash_key(request)], arguments))

    async def restore(self, tenant: str, entry: LedgerEntry) -> bool:
        """Put back what histories tell of a key; true when the ledger knew less.

        What stands is kept, but for an entry without an answer that is told one. An entry of an authored key that has
        reached its age stays away.
        """
        left = self._retention_ms - (millis(iso(self._clock())) - millis(entry.ended_at or entry.started_at))
        owned = is_derived_key(tenant, entry.run_id, entry.idempotency_key)
        if left <= 0 and not owned:
            return False
        succeeded = entry.state == "SUCCEEDED"
        output = dump(entry.output, f"output of action {entry.action_id!r}") if succeeded else ""
        given = dump(redact(entry.input), f"input of action {entry.action_id!r}")
        arguments = [entry.idempotency_key, "" if owned else left, dump(_meta(entry), "ledger entry"), given, output]
        return bool(await self._restore([_hash_of(tenant, entry.run_id, entry.idempotency_key)], arguments))

    async def get(self, tenant: str, run_id: str, idempotency_key: str) -> LedgerEntry | None:
        """What is known of a key used by a run."""
        names = [f"{part}:{idempotency_key}" for part in ("meta", "input", "output")]
        found = await cast(
            Awaitable[list[str | None]], self._redis.hmget(_hash_of(tenant, run_id, idempotency_key), names)
        )
        meta, input_, output = found
        return None if meta is None else _entry(idempotency_key, meta, input_, output)

    async def of_run(self, tenant: str, run_id: str) -> tuple[LedgerEntry, ...]:
        """The entries a run owns, in order of their start."""
        raw = await cast(Awaitable[dict[str, str]], self._redis.hgetall(ledger_key(tenant, run_id)))
        found = [
            _entry(key, text, raw.get(f"input:{key}"), raw.get(f"output:{key}"))
            for part, _, key, text in ((*name.partition(":"), text) for name, text in raw.items())
            if part == "meta"
        ]
        return tuple(sorted(found, key=lambda entry: (entry.started_at, entry.idempotency_key)))

    def _head(self, request: ActionRequest) -> list[str | int]:
        owned = is_derived_key(request.context.tenant_id, request.context.run_id, request.idempotency_key)
        return [request.idempotency_key, "" if owned else self._retention_ms]


def _first_entry(request: ActionRequest, now: str) -> dict[str, str]:
    return {
        "state": "STARTED",
        "actionId": request.action_id,
        "version": str(request.version),
        "runId": request.context.run_id,
        "stepPath": request.context.step_path,
        "attempts": "1",
        "startedAt": now,
    }


def _meta(entry: LedgerEntry) -> dict[str, str]:
    """An entry as it is kept, but for its input and output."""
    kept = entry.model_dump(mode="json", by_alias=True, exclude={"idempotency_key", "input", "output", "failure"})
    failure = {} if entry.failure is None else {"failure": entry.failure.model_dump_json(by_alias=True)}
    return {name: str(value) for name, value in kept.items() if value is not None} | failure


def _input_text(request: ActionRequest) -> str:
    return dump(redact(request.input), f"input of action {request.action_id!r}")


def _entry(key: str, meta: str, input_: str | None, output: str | None) -> LedgerEntry:
    values = json.loads(meta)
    failure = values.pop("failure", None)
    return LedgerEntry.model_validate(
        values
        | {
            "idempotencyKey": key,
            "version": int(values["version"]),
            "attempts": int(values["attempts"]),
            "input": None if input_ is None else json.loads(input_),
            "output": None if output is None else json.loads(output),
            "failure": None if failure is None else Failure.model_validate_json(failure),
        }
    )


def _hash_key(request: ActionRequest) -> str:
    return _hash_of(request.context.tenant_id, request.context.run_id, request.idempotency_key)


def _hash_of(tenant: str, run_id: str, idempotency_key: str) -> str:
    if is_derived_key(tenant, run_id, idempotency_key):
        return ledger_key(tenant, run_id)
    return tenant_key(tenant, "ledger", hashlib.sha256(idempotency_key.encode()).hexdigest())
