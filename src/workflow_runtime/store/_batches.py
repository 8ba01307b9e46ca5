"""Calls of Redis that travel together: one round trip for all that wait. Private to store; imports do nothing.

A client has one batch under way at a time, and what is called meanwhile makes up the next: an idle client sends at
once, a busy one sends many calls for the price of one. A call that has time goes with the next one that has none, or
when its patience ends.
"""

import asyncio
import contextvars
import copy
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

from redis.asyncio import Redis, RedisCluster
from redis.client import NEVER_DECODE
from redis.exceptions import DataError, NoScriptError

_MOST: Final = 64
"""Calls per batch: the first of them is answered with the last."""


type AnyRedis = Redis | RedisCluster

type Parts = Sequence[Any] | Callable[[], Sequence[Any]]
"""What is sent, or what gives it at the moment of sending (and the same again, should it be sent twice)."""


class ScriptText:
    """A script and the name by which a server knows it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()


class _Call:
    """One call, of a script or of a plain command. ``parts`` follow the script: number of keys, keys, values."""

    __slots__ = ("answer", "options", "parts", "script")

    def __init__(self, script: ScriptText | None, parts: Parts, answer: asyncio.Future[Any], *, raw: bool) -> None:
        self.script = script
        self.parts = parts
        self.options: dict[str, Any] = {NEVER_DECODE: []} if raw else {}
        self.answer = answer

    def command(self, *, known: bool) -> tuple[Any, ...]:
        # Not before the call leaves: until then its maker may add to it.
        parts = self.parts() if callable(self.parts) else self.parts
        if self.script is None:
            return (parts[0], *map(_as_sent, parts[1:]))
        head = ("EVALSHA", self.script.sha) if known else ("EVAL", self.script.source)
        return (*head, *map(_as_sent, parts))

    def settle(self, answer: object) -> None:
        # One that was cancelled does not wait any more.
        if self.answer.done():
            return
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


def _as_sent(part: Any) -> Any:
    # redis-py would ask five times what each part is, and in a process with workflows each question is slow.
    if type(part) is str:
        return part.encode()
    return b"%d" % part if type(part) is int else part


class Calls:
    """The calls of one client."""

    def __init__(self) -> None:
        self._waiting: list[_Call] = []
        self._urgent = False
        self._sender: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._alone: set[asyncio.Task[None]] = set()

    def send(
        self, redis: AnyRedis, script: ScriptText | None, parts: Parts, *, raw: bool = False, patience: float = 0.0
    ) -> asyncio.Future[Any]:
        """Call ``script``, or the command that ``parts`` are. ``raw`` answers bytes. A call may wait for others for
        ``patience`` seconds.

        A call that is cancelled before its batch leaves is taken back; later it may be carried out all the same, as
        with any call whose connection is lost. Raises what redis-py raises, to each caller its own error.
        """
        loop = asyncio.get_running_loop()
        call = _Call(script, parts, loop.create_future(), raw=raw)
        if isinstance(redis, RedisCluster):
            # Each goes to a node of its own, follows slots that move, and waits for no other node.
            task = loop.create_task(_send_alone(call, redis), context=contextvars.Context())
            self._alone.add(task)
            task.add_done_callback(self._alone.discard)
            return call.answer
        if self._loop is not loop:
            # A loop that ended without its tasks takes what waited with it.
            self._waiting, self._sender, self._patience, self._loop = [], None, None, loop
        self._waiting.append(call)
        if patience == 0.0:
            self._hurry(redis)
        elif self._patience is None:
            self._patience = loop.call_later(patience, self._hurry, redis, context=contextvars.Context())
        return call.answer

    def _hurry(self, redis: Redis) -> None:
        self._urgent = True
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        if self._sender is None and self._loop is not None:
            # The context is nobody's: the sender may go on to work for others than the caller that started it.
            sending = self._send_all(redis)
            self._sender = self._loop.create_task(sending, name="redis calls", context=contextvars.Context())

    async def _send_all(self, redis: Redis) -> None:
        batch: list[_Call] = []
        try:
            while self._urgent:
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                self._urgent = bool(self._waiting)
                match [call for call in batch if not call.answer.done()]:
                    case []:
                        pass
                    case [call]:
                        await _send_alone(call, redis)
                    case calls:
                        await _send_together(calls, redis)
        except BaseException:
            # Only when the loop ends and cancels its tasks.
            for call in (*batch, *self._waiting):
                call.answer.cancel()
            self._waiting, self._urgent = [], False
            raise
        finally:
            self._sender = None


async def _send_alone(call: _Call, redis: Any) -> None:
    try:
        try:
            call.settle(await redis.execute_command(*call.command(known=True), **call.options))
        except NoScriptError:
            call.settle(await redis.execute_command(*call.command(known=False), **call.options))
    except Exception as error:
        call.settle(error)


async def _send_together(calls: Sequence[_Call], redis: Redis) -> None:
    try:
        unknown: list[_Call] = []
        for call, answer in zip(calls, await _answers(calls, redis, known=True), strict=True):
            if isinstance(answer, NoScriptError):
                unknown.append(call)
            else:
                call.settle(answer)
        if unknown:
            # A new server, or one that lost its scripts. These did not run, the others must not run again.
            for call, answer in zip(unknown, await _answers(unknown, redis, known=False), strict=True):
                call.settle(answer)
    except (UnicodeEncodeError, DataError):
        # A value that cannot be sent is found before anything is; only who gave it is to hear of it.
        for call in calls:
            await _send_alone(call, redis)
    except Exception as error:
        for call in calls:
            call.settle(copy_of(error))


def copy_of(error: Exception) -> Exception:
    """An error of one's own for each caller: whoever raises one writes its trace into it."""
    own = copy.copy(error)
    own.__cause__ = error
    return own


async def _answers(calls: Sequence[_Call], redis: Redis, *, known: bool) -> list[Any]:
    pipe: Any = redis.pipeline(transaction=False)
    for call in calls:
        pipe.execute_command(*call.command(known=known), **call.options)
    return cast(list[Any], await pipe.execute(raise_on_error=False))


_CLIENTS: Final[WeakKeyDictionary[AnyRedis, Calls]] = WeakKeyDictionary()


def calls_of(redis: AnyRedis) -> Calls:
    """What all stores of a client share, for as long as the client lives."""
    return _CLIENTS.setdefault(redis, Calls())
