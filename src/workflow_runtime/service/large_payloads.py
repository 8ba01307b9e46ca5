"""Keeps large values out of Temporal histories: they stand in Redis, the history holds a claim. Process code only.

Temporal refuses a value above 2 MiB, and a workflow task that would write one fails for ever; it warns above 512 KiB.
So whatever our processes write above `INLINE_BYTES` (a payload, a checkpoint, a result) goes to Redis under its SHA-256
and is fetched, and checked, when it is read. Requests to actions stay inline: the worker that takes them may be
somebody else's, in any language.
"""

import base64
import dataclasses
import hashlib
import zlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from redis.asyncio import Redis
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    DataConverter,
    ExternalStorage,
    StorageDriver,
    StorageDriverActivityInfo,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverSelectContext,
    StorageDriverStoreContext,
)

from workflow_runtime.core.contract import ACTION_ACTIVITY
from workflow_runtime.service.converter import CONVERTER

INLINE_BYTES: Final = 128 * 1024
"""Values up to this size stay in the history."""

_DRIVER: Final = "redis"
_KEY: Final = "wf:large-payload:"
_DIGEST: Final = "sha256"


def data_converter(redis: Redis, *, retention: timedelta) -> DataConverter:
    """Pydantic conversion, large values in ``redis``; each is kept for ``retention`` after it was last read."""
    driver = RedisPayloads(redis, retention=retention)

    def select(context: StorageDriverSelectContext, _payload: Payload) -> StorageDriver | None:
        target = context.target
        request = isinstance(target, StorageDriverActivityInfo) and target.type == ACTION_ACTIVITY
        return None if request else driver

    storage = ExternalStorage(drivers=[driver], driver_selector=select, payload_size_threshold=INLINE_BYTES)
    return dataclasses.replace(CONVERTER, external_storage=storage)


class RedisPayloads(StorageDriver):
    """Temporal payloads under the SHA-256 of their bytes, compressed; equal values are kept once."""

    def __init__(self, redis: Redis, *, retention: timedelta) -> None:
        self._redis = redis
        self._retention = retention

    def name(self) -> str:
        """As it stands in claims; it never changes."""
        return _DRIVER

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        """One claim per payload. Raises RedisError."""
        pipe = self._redis.pipeline(transaction=False)
        claims = []
        for payload in payloads:
            content = payload.SerializeToString(deterministic=True)
            digest = hashlib.sha256(content).hexdigest()
            # The connection decodes answers as text, so bytes are kept as text.
            pipe.set(f"{_KEY}{digest}", base64.b85encode(zlib.compress(content, 1)), ex=self._retention)
            claims.append(StorageDriverClaim({_DIGEST: digest}))
        await pipe.execute()
        return claims

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """The payloads. Raises LookupError for one that is gone or damaged, RedisError."""
        pipe = self._redis.pipeline(transaction=False)
        for claim in claims:
            pipe.getex(f"{_KEY}{claim.claim_data[_DIGEST]}", ex=self._retention)
        texts = await pipe.execute()
        return [_payload(claim.claim_data[_DIGEST], text) for claim, text in zip(claims, texts, strict=True)]


def _payload(digest: str, text: str | None) -> Payload:
    if text is None:
        raise LookupError(
            f"the value {_KEY}{digest} of a workflow history is not in Redis any more; restore it from a backup, and "
            f"keep LARGE_PAYLOAD_RETENTION_DAYS above the age a run may reach"
        )
    try:
        content = zlib.decompress(base64.b85decode(text))
    except (ValueError, zlib.error):
        content = b""
    if hashlib.sha256(content).hexdigest() != digest:
        raise LookupError(f"the value {_KEY}{digest} of a workflow history was changed in Redis; restore it")
    return Payload.FromString(content)
