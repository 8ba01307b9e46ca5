"""Steps of many events of one tenant in one script call. Private to store.events."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from workflow_runtime.store._batches import calls_of, copy_of
from workflow_runtime.store.connection import script_text

_MOST: Final = 32
_MOST_BYTES: Final = 256 * 1024
"""Of arguments in one call: Redis serves nobody else while a script runs."""


class TenantScript:
    """A script that does the same with each of some events, ``lua/_each.lua``.

    Whoever asks while the last call is on its way goes with the next, so that a busy process pays for one call and an
    idle one waits for nobody. A fault of one event reaches only who asked for that one.
    """

    def __init__(self, redis: Redis, *names: str, shared: Callable[[str], Sequence[str]]) -> None:
        """``shared`` gives the keys of a tenant that all its events have in common."""
        self._redis = redis
        self._calls = calls_of(redis)
        self._script = script_text(*names)
        self._shared = shared
        self._open: dict[str, _Group] = {}

    async def __call__(self, tenant: str, key: str, argument: Mapping[str, Any], *, patience: float = 0.0) -> Any:
        """What the script answers for the event under ``key``, asked within ``patience`` seconds.

        Raises what redis-py raises.
        """
        text = json.dumps(argument)
        group = self._open.get(tenant)
        if group is None or group.is_full:
            group = self._open[tenant] = self._start(tenant, patience)
        return await group.add(key, text)

    def _start(self, tenant: str, patience: float) -> "_Group":
        group = _Group(self._shared(tenant))

        def leave() -> list[str | int]:
            if self._open.get(tenant) is group:
                del self._open[tenant]
            return group.parts()

        sent = self._calls.send(self._redis, self._script, leave, patience=patience)
        sent.add_done_callback(group.settle)
        return group


class _Group:
    """Events that go in one call. Nobody awaits the call itself, so that nobody who is cancelled takes it away."""

    def __init__(self, shared: Sequence[str]) -> None:
        self._keys = list(shared)
        self._arguments: list[str] = []
        self._bytes = 0
        self._waiting: list[asyncio.Future[Any]] = []

    @property
    def is_full(self) -> bool:
        return len(self._waiting) >= _MOST or self._bytes >= _MOST_BYTES

    def add(self, key: str, argument: str) -> asyncio.Future[Any]:
        self._keys.append(key)
        self._arguments.append(argument)
        self._bytes += len(argument)
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        return answer

    def parts(self) -> list[str | int]:
        return [len(self._keys), *self._keys, *self._arguments]

    def settle(self, sent: asyncio.Future[Any]) -> None:
        if sent.cancelled():
            for answer in self._waiting:
                answer.cancel()
            return
        lost = sent.exception()
        answers = [{"fault": str(lost)}] * len(self._waiting) if lost else json.loads(sent.result())
        for answer, found in zip(self._waiting, answers, strict=True):
            if answer.done():
                continue
            if "fault" in found:
                answer.set_exception(copy_of(lost) if isinstance(lost, Exception) else ResponseError(found["fault"]))
            else:
                answer.set_result(found)
