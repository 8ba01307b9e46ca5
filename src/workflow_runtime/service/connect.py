"""Connections to Temporal and Redis, retried with backoff until a deadline. Process code only; called from main.

Each failed attempt is one line, ``dependency_unreachable``; the deadline raises UnreachableError.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

import structlog
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import RedisClusterException, RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, TLSConfig

from workflow_runtime.service.errors import MisuseError, UnreachableError
from workflow_runtime.service.health import Check
from workflow_runtime.service.large_payloads import data_converter
from workflow_runtime.service.settings import ProcessSettings

_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 5.0
_ATTEMPT_SECONDS: Final = 10.0
_HEALTH_CHECK_SECONDS: Final = 15


async def connect_temporal(settings: ProcessSettings, redis: Redis, *, identity: str) -> Client:
    """A client whose namespace exists; large values go to ``redis``. Raises UnreachableError at the deadline."""
    converter = data_converter(redis, retention=timedelta(days=settings.large_payload_retention_days))
    tls = _tls(settings)
    api_key = settings.temporal_api_key.get_secret_value() if settings.temporal_api_key else None

    async def attempt() -> Client:
        client = await Client.connect(
            settings.temporal_address,
            namespace=settings.temporal_namespace,
            api_key=api_key,
            tls=tls,
            identity=identity,
            data_converter=converter,
        )
        # A server that is still being set up accepts connections before its namespace exists.
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=settings.temporal_namespace)
        )
        return client

    return await _until_deadline(
        "Temporal",
        settings.temporal_address,
        attempt,
        (RuntimeError, RPCError, TimeoutError),
        settings.connect_deadline_seconds,
    )


def open_redis(settings: ProcessSettings) -> Redis:
    """A client with decoded responses that connects on first use; whoever opens it closes it.

    A connection that died while it lay in the pool, as all do when Redis is restarted, is replaced before anything is
    sent on it. What was sent is not sent again: only the caller knows whether it may be (an activity is tried again by
    Temporal, a loop of the ingress comes round). On a cluster the client does repeat a call whose node is gone or whose
    slot moves, which every script of the stores allows: it names the run, event or operation it is for.
    """
    url = settings.redis_url.get_secret_value()
    options: dict[str, Any] = {
        "decode_responses": True,
        "health_check_interval": _HEALTH_CHECK_SECONDS,
        "socket_keepalive": True,
        # With these notifications of a hosted service redis-py does not look whether a pooled connection still lives.
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    if settings.redis_cluster:
        # It has the methods of a client that the stores use, and no common base that says so.
        return cast(Redis, RedisCluster.from_url(url, **options))
    return Redis.from_url(url, **options)


async def await_redis(redis: Redis, settings: ProcessSettings) -> None:
    """Return once ``redis`` answers a ping.

    Raises UnreachableError at the deadline, and MisuseError when REDIS_CLUSTER says something else than the server.
    """
    address = redis_address(settings.redis_url.get_secret_value())

    async def attempt() -> None:
        try:
            await redis.ping()
            if not settings.redis_cluster and await _is_cluster(redis):
                raise MisuseError(f"Redis at {address} is a node of a cluster; set REDIS_CLUSTER=true")
        except RedisClusterException as error:
            if "Cluster mode is not enabled" in str(error):
                raise MisuseError(f"Redis at {address} is no cluster; leave REDIS_CLUSTER out") from None
            raise

    expected = (RedisError, RedisClusterException, OSError)
    await _until_deadline("Redis", address, attempt, expected, settings.connect_deadline_seconds)


async def _is_cluster(redis: Redis) -> bool:
    try:
        found = await redis.info("cluster")
    except ResponseError:
        # INFO is forbidden to this user: the first key of another node will tell.
        return False
    return found.get("cluster_enabled") == 1


async def connect_redis(settings: ProcessSettings) -> Redis:
    """A client that answered a ping. Raises UnreachableError at the deadline."""
    redis = open_redis(settings)
    try:
        await await_redis(redis, settings)
    except BaseException:
        await redis.aclose()
        raise
    return redis


async def connect_both(settings: ProcessSettings, redis: Redis, *, identity: str) -> Client:
    """Wait for ``redis`` and connect to Temporal side by side, so that each tells its own trouble."""
    client, pinged = await asyncio.gather(
        connect_temporal(settings, redis, identity=identity), await_redis(redis, settings), return_exceptions=True
    )
    if isinstance(pinged, BaseException):
        raise pinged
    if isinstance(client, BaseException):
        raise client
    return client


def redis_check(redis: Redis) -> Check:
    """A readiness check: Redis answers a ping."""

    async def check() -> tuple[bool, str]:
        await redis.ping()
        return True, "answers"

    return check


def redis_address(url: str) -> str:
    """Host and port of a Redis URL, without its credentials.

    >>> redis_address("redis://user:secret@cache:6380/2")
    'cache:6380'
    """
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 6379}" if parts.hostname else parts.path


async def _until_deadline[T](
    name: str,
    address: str,
    attempt: Callable[[], Awaitable[T]],
    expected: tuple[type[Exception], ...],
    seconds: float,
) -> T:
    log = structlog.get_logger(__name__)
    clock = asyncio.get_running_loop().time
    deadline, pause = clock() + seconds, _FIRST_PAUSE
    while True:
        try:
            async with asyncio.timeout(min(_ATTEMPT_SECONDS, max(deadline - clock(), 0.01))):
                connection = await attempt()
        except expected as error:
            reason = _short(error)
        else:
            log.info("dependency_connected", dependency=name, address=address)
            return connection
        left = deadline - clock()
        if left <= 0:
            raise UnreachableError(name, address, seconds, reason)
        pause = min(pause, left)
        log.warning(
            "dependency_unreachable",
            dependency=name,
            address=address,
            reason=reason,
            retry_in_seconds=round(pause, 2),
            gives_up_in_seconds=round(left, 1),
        )
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _short(error: Exception) -> str:
    # The Rust client wraps the operating system's words in several layers of debug output.
    text = " ".join(str(error).split()) or type(error).__name__
    inner = re.search(r'message: "([^"]+)"', text)
    return (inner.group(1) if inner else text)[:200]


def _tls(settings: ProcessSettings) -> TLSConfig | bool | None:
    files = (
        settings.temporal_tls_server_ca_cert_path,
        settings.temporal_tls_client_cert_path,
        settings.temporal_tls_client_key_path,
    )
    if settings.temporal_tls is False or not (any(files) or settings.temporal_tls_server_name):
        return settings.temporal_tls
    return TLSConfig(
        server_root_ca_cert=_read(files[0]),
        client_cert=_read(files[1]),
        client_private_key=_read(files[2]),
        domain=settings.temporal_tls_server_name,
    )


def _read(path: Path | None) -> bytes | None:
    return path.read_bytes() if path else None
