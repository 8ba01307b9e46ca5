"""Key names, Lua scripts and the set of tenants: what all stores share. Processes and activities only.

Importing this module opens nothing; the client comes from the caller.
"""

import functools
import importlib.resources
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import (
    ClusterError,
    DataError,
    NoPermissionError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
)

from workflow_runtime.store._batches import AnyRedis, ScriptText, calls_of
from workflow_runtime.store.errors import InvalidNameError

TENANTS_KEY: Final = "wf:tenants"
"""Set of every tenant that has data. The only key without a tenant's hash tag, so always a call of its own."""

_TENANT: Final = re.compile(r"[^{}\s\x00-\x1f\x7f]{1,200}")

_OUTAGE: Final = re.compile(
    r"\b(OOM|READONLY|MISCONF|NOREPLICAS|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|BUSY|NOPERM)\b|'maxmemory'"
    r"|\bACL failure in script\b"
)
"""Error codes by which a server says that it is not able to serve, wherever a script was when it met them."""

_CODE_TAKEN_OFF: Final = (ReadOnlyError, NoPermissionError)
"""What redis-py makes of such an answer when the code is its first word."""

type Clock = Callable[[], datetime]
"""Gives the present time, with UTC as its time zone."""

type Script = Callable[[Sequence[str], Sequence[str | bytes | int]], Awaitable[Any]]
"""Runs one Lua script with its KEYS and ARGV."""


def check_tenant(tenant: str) -> str:
    """``tenant`` itself; `InvalidNameError` when it could not be a hash tag."""
    if not _TENANT.fullmatch(tenant):
        raise InvalidNameError("tenant id", tenant, "1 to 200 characters without braces, blanks and control characters")
    return tenant


def tenant_key(tenant: str, *parts: str | int) -> str:
    """The Redis key of something a tenant has. Colons inside a part are escaped, so two things never share a key.

    >>> tenant_key("acme", "run", 42)
    'wf:{acme}:run:42'
    >>> tenant_key("acme", "schema", "a:b")
    'wf:{acme}:schema:a%3Ab'
    """
    return ":".join((_hash_tag(tenant), *[str(part).replace("%", "%25").replace(":", "%3A") for part in parts]))


@functools.lru_cache(maxsize=1024)
def _hash_tag(tenant: str) -> str:
    return f"wf:{{{check_tenant(tenant)}}}"


def register_script(redis: Redis, *names: str, raw: bool = False) -> Script:
    """The script made of the files ``lua/<name>.lua`` in this order; the server learns it at the first call.

    It is called when it is asked, not when its answer is awaited, and calls that are made at the same time travel
    together, whichever scripts they are of (`Calls`). ``raw`` leaves answers bytes, for what may not be text.
    """
    script, calls = script_text(*names), calls_of(redis)

    def run(keys: Sequence[str], args: Sequence[str | bytes | int]) -> Awaitable[Any]:
        return calls.send(redis, script, (len(keys), *keys, *args), raw=raw)

    return run


def command(redis: Redis, *parts: str | bytes | int | float) -> Awaitable[Any]:
    """One short command, such as ``"ZREM", key, member``, that travels with scripts called at the same time.

    Answers what the protocol answers; never for a command that blocks, behind which all others would wait.
    """
    return calls_of(redis).send(redis, None, parts)


def keeps_order(redis: AnyRedis) -> bool:
    """Whether scripts and commands are carried out in the order in which they are called, awaited or not.

    Not on a cluster, where each goes to a node of its own.
    """
    return not isinstance(redis, RedisCluster)


def script_text(*names: str) -> ScriptText:
    """The script made of the files ``lua/<name>.lua`` in this order."""
    return ScriptText("\n".join(_lua(name) for name in names))


@functools.cache
def _lua(name: str) -> str:
    return importlib.resources.files("workflow_runtime.store").joinpath("lua", f"{name}.lua").read_text("utf-8")


async def remember_tenant(redis: Redis, tenant: str) -> None:
    """Add ``tenant`` to the known ones; done before its first data, so that no data is ever overlooked."""
    await remember_tenants(redis, [tenant])


def remember_tenants(redis: Redis, tenants: Iterable[str]) -> Awaitable[Any]:
    """`remember_tenant` for several in one call; at least one."""
    return command(redis, "SADD", TENANTS_KEY, *(check_tenant(tenant) for tenant in tenants))


async def known_tenants(redis: Redis) -> tuple[str, ...]:
    """Every tenant that has, or once had, data; sorted."""
    return tuple(sorted(await cast(Awaitable[set[str]], redis.smembers(TENANTS_KEY))))


def is_outage(error: BaseException) -> bool:
    """Whether Redis, or the way to it, was not able to serve a call, so that what was asked is not to blame."""
    if isinstance(error, ResponseError) and not isinstance(error, ClusterError):
        return isinstance(error, _CODE_TAKEN_OFF) or _OUTAGE.search(str(error)) is not None
    return isinstance(error, RedisError | RedisClusterException | OSError) and not isinstance(error, DataError)


def utc_now() -> datetime:
    """The system clock."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """``moment`` as ISO 8601 UTC with milliseconds: ``2026-01-31T09:30:00.000Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def millis(moment: str | datetime) -> int:
    """Milliseconds since 1970 of a moment (ISO 8601 text without a zone is UTC)."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
