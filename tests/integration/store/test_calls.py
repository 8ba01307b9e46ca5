"""Scripts that are called at the same time travel together, and none of them feels the others."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError, ResponseError

from workflow_runtime.store._batches import Calls, ScriptText, calls_of
from workflow_runtime.store.connection import command

pytestmark = pytest.mark.also_on_valkey

COUNT = ScriptText("return redis.call('INCRBY', KEYS[1], ARGV[1])")
ECHO = ScriptText("return ARGV[1]")
REFUSE = ScriptText("return redis.error_reply('REFUSED ' .. ARGV[1])")


class CountingRedis(Redis):
    """Notes what goes to the server: one list of commands per trip. ``hold`` keeps trips from leaving."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.trips: list[list[str]] = []
        self.hold = asyncio.Event()
        self.hold.set()

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        self.trips.append([args[0]])
        await self.hold.wait()
        return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:
        pipe = CountingPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipe.redis = self
        return pipe


class CountingPipeline(Pipeline):
    """A pipeline of a CountingRedis."""

    redis: CountingRedis

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        self.redis.trips.append([cast(Any, arguments)[0] for arguments, _ in self.command_stack])
        await self.redis.hold.wait()
        return await super().execute(raise_on_error)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[CountingRedis]:
    async with CountingRedis.from_url(redis_url, decode_responses=True) as client:
        assert isinstance(client, CountingRedis)
        await Redis.execute_command(client, "SCRIPT FLUSH")  # type: ignore[no-untyped-call]
        for script in (COUNT, ECHO, REFUSE):
            await Redis.execute_command(client, "SCRIPT LOAD", script.source)  # type: ignore[no-untyped-call]
        yield client


async def call(redis: Redis, script: ScriptText, argument: object, *, raw: bool = False) -> Any:
    return await calls_of(redis).send(redis, script, (1, "key", str(argument)), raw=raw)


async def stored(redis: Redis) -> int:
    return int(await Redis.execute_command(redis, "GET", "key") or 0)  # type: ignore[no-untyped-call]


async def under_way(redis: CountingRedis) -> None:
    while not redis.trips:  # noqa: ASYNC110 - a list has no event
        await asyncio.sleep(0)


async def test_a_call_of_an_idle_client_goes_alone_and_at_once(redis: CountingRedis) -> None:
    assert await call(redis, COUNT, 2) == 2
    assert await call(redis, COUNT, 3) == 5
    assert redis.trips == [["EVALSHA"], ["EVALSHA"]]


async def test_calls_that_arrive_while_one_is_under_way_go_together(redis: CountingRedis) -> None:
    redis.hold.clear()
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(call(redis, ECHO, "first"))
        await under_way(redis)
        later = [tasks.create_task(call(redis, ECHO, number)) for number in range(10)]
        await asyncio.sleep(0)
        redis.hold.set()
    assert (first.result(), [task.result() for task in later]) == ("first", [str(number) for number in range(10)])
    assert redis.trips == [["EVALSHA"], ["EVALSHA"] * 10]


async def test_a_batch_is_bounded(redis: CountingRedis) -> None:
    assert await asyncio.gather(*(call(redis, ECHO, n) for n in range(150))) == [str(n) for n in range(150)]
    assert [len(trip) for trip in redis.trips] == [64, 64, 22]


async def test_stores_of_one_client_share_its_trips(redis: CountingRedis) -> None:
    assert calls_of(redis) is calls_of(redis)
    async with CountingRedis.from_url("redis://localhost") as other:
        assert calls_of(other) is not calls_of(redis)


async def test_a_server_that_lost_its_scripts_runs_each_call_once(redis: CountingRedis) -> None:
    await Redis.execute_command(redis, "SCRIPT FLUSH")  # type: ignore[no-untyped-call]
    await Redis.execute_command(redis, "SCRIPT LOAD", ECHO.source)  # type: ignore[no-untyped-call]
    answers = await asyncio.gather(
        *(call(redis, script, 1) for script in (COUNT, ECHO, COUNT, REFUSE, COUNT)), return_exceptions=True
    )
    assert [answers[index] for index in (0, 1, 2, 4)] == [1, "1", 2, 3]
    assert isinstance(answers[3], ResponseError)
    assert await stored(redis) == 3
    assert redis.trips == [["EVALSHA"] * 5, ["EVAL"] * 4]


async def test_a_single_call_teaches_the_server_its_script(redis: CountingRedis) -> None:
    await Redis.execute_command(redis, "SCRIPT FLUSH")  # type: ignore[no-untyped-call]
    assert [await call(redis, COUNT, 1), await call(redis, COUNT, 1)] == [1, 2]
    assert redis.trips == [["EVALSHA"], ["EVAL"], ["EVALSHA"]]


async def test_an_error_reaches_its_caller_only(redis: CountingRedis) -> None:
    calls = (call(redis, REFUSE, "this"), call(redis, COUNT, 1), call(redis, ECHO, "x"))
    answers: Sequence[Any] = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(answers[0], ResponseError)
    assert "this" in str(answers[0])
    assert answers[1:] == [1, "x"]


@pytest.mark.parametrize("unsendable", ["half a pair \ud800", None])
async def test_a_value_that_cannot_be_sent_is_told_to_who_gave_it(redis: CountingRedis, unsendable: Any) -> None:
    calls = calls_of(redis)
    sent = (calls.send(redis, ECHO, (1, "key", argument)) for argument in ("a", unsendable, "b"))
    answers: Sequence[Any] = await asyncio.gather(*sent, return_exceptions=True)
    assert (answers[0], answers[2]) == ("a", "b")
    assert isinstance(answers[1], UnicodeEncodeError | DataError)


async def test_plain_commands_travel_with_scripts(redis: CountingRedis) -> None:
    script = calls_of(redis).send(redis, ECHO, (1, "key", "x"))
    sent = (command(redis, "SADD", "set", "a", "b"), script, command(redis, "SADD", "set", "b", "c"))
    answers: Sequence[Any] = await asyncio.gather(*sent)
    assert list(answers) == [2, "x", 1]
    assert redis.trips == [["EVALSHA", "SADD", "SADD"]]


async def test_a_call_that_has_time_goes_with_the_next_one(redis: CountingRedis) -> None:
    patient = calls_of(redis).send(redis, ECHO, (1, "key", "patient"), patience=3600.0)
    await asyncio.sleep(0)
    assert redis.trips == []
    assert await command(redis, "SADD", "set", "a") == 1
    assert (patient.done(), await patient) == (True, "patient")
    assert redis.trips == [["EVALSHA", "SADD"]]


async def test_a_call_goes_alone_when_its_patience_ends(redis: CountingRedis) -> None:
    calls = calls_of(redis)
    answers = await asyncio.gather(*(calls.send(redis, ECHO, (1, "key", name), patience=0.01) for name in ("a", "b")))
    assert list(answers) == ["a", "b"]
    assert redis.trips == [["EVALSHA", "EVALSHA"]]


async def test_what_arrives_with_patience_while_others_are_on_their_way_is_not_forgotten(redis: CountingRedis) -> None:
    redis.hold.clear()
    first = command(redis, "SADD", "set", "a")
    await under_way(redis)
    patient = calls_of(redis).send(redis, ECHO, (1, "key", "x"), patience=0.01)
    redis.hold.set()
    assert (await first, await patient) == (1, "x")


async def test_what_is_sent_may_be_added_to_until_it_leaves(redis: CountingRedis) -> None:
    redis.hold.clear()
    first = asyncio.ensure_future(call(redis, ECHO, "first"))
    await under_way(redis)
    argument = ["early"]
    later = calls_of(redis).send(redis, ECHO, lambda: (1, "key", " ".join(argument)))
    argument.append("late")
    redis.hold.set()
    assert (await first, await later) == ("first", "early late")


async def test_answers_may_stay_bytes_beside_others_that_are_decoded(redis: CountingRedis) -> None:
    answers: Sequence[Any] = await asyncio.gather(call(redis, ECHO, "a", raw=True), call(redis, ECHO, "b"))
    assert answers == [b"a", "b"]
    assert await call(redis, ECHO, "c", raw=True) == b"c"


async def test_a_caller_that_is_cancelled_harms_no_other(redis: CountingRedis) -> None:
    redis.hold.clear()
    calls = [asyncio.ensure_future(call(redis, COUNT, 1)) for _ in range(3)]
    await under_way(redis)
    waiting = [asyncio.ensure_future(call(redis, COUNT, 10)) for _ in range(3)]
    await asyncio.sleep(0)
    calls[1].cancel()
    waiting[0].cancel()
    redis.hold.set()
    answers = await asyncio.gather(*calls, *waiting, return_exceptions=True)
    assert [answer for answer in answers if not isinstance(answer, asyncio.CancelledError)] == [1, 3, 13, 23]
    # The one under way ran although nobody waited for it any more; the one that had not left never did.
    assert await stored(redis) == 23


async def test_calls_continue_after_all_callers_of_a_batch_were_cancelled(redis: CountingRedis) -> None:
    redis.hold.clear()
    first = asyncio.ensure_future(call(redis, COUNT, 1))
    await under_way(redis)
    waiting = [asyncio.ensure_future(call(redis, COUNT, 10)) for _ in range(3)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    redis.hold.set()
    assert await first == 1
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await call(redis, COUNT, 1) == 2


async def test_a_lost_connection_fails_the_callers_of_its_batch_each_with_its_own_error() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The handshake is answered, the batch is read and then the connection is gone.
        while b"EVALSHA" not in (received := await reader.read(65536)):
            writer.write(b"+OK\r\n" * received.count(b"*"))
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Redis(host="127.0.0.1", port=port, protocol=2, retry=Retry(NoBackoff(), 0)) as redis:
        answers = await asyncio.gather(*(call(redis, ECHO, n) for n in range(3)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [RedisConnectionError] * 3
        assert len({id(answer) for answer in answers}) == 3
        with pytest.raises(RedisConnectionError):
            await call(redis, ECHO, "again")


def test_a_loop_that_ended_in_the_middle_does_not_hold_up_the_next(redis_url: str) -> None:
    client = Redis.from_url(redis_url, decode_responses=True)
    calls = Calls()

    async def leave_one() -> None:
        asyncio.ensure_future(calls.send(client, ECHO, (0, "left")))  # noqa: RUF006 - that it is lost is the point
        await asyncio.sleep(0)

    async def another() -> Any:
        async with client:
            return await calls.send(client, ECHO, (0, "answered"))

    asyncio.run(leave_one())
    assert asyncio.run(another()) == "answered"
