"""Loops of the ingress outlive faults and tell them."""

import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from workflow_worker.ingress import IngressSettings, IngressStatus, loops
from workflow_worker.ingress.loops import keep_going, pause_or, unless_stopped


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RedisConnectionError("refused"), "Redis: refused"),
        (OSError("no route"), "Redis: no route"),
        (KeyError("a defect"), "KeyError: 'a defect'"),
    ],
)
async def test_a_turn_that_fails_is_told_and_repeated(error: Exception, words: str) -> None:
    status, stop, told = IngressStatus(IngressSettings(), group_found=True), asyncio.Event(), list[str | None]()

    async def turn() -> None:
        told.append(status.complaint())
        if len(told) == 1:
            raise error
        if len(told) == 3:
            stop.set()

    await keep_going("reader", turn, status, stop)
    assert told == [None, f"the reader loop cannot work: {words}", None]


async def test_a_loop_that_rests_does_not_look_like_one_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    now, stop = [0.0], asyncio.Event()
    status = IngressStatus(IngressSettings(max_heartbeat_age_seconds=6), lambda: now[0], group_found=True)

    async def pass_time(_stop: asyncio.Event, seconds: float) -> None:
        now[0] += seconds
        assert status.complaint() is None
        if now[0] > 60:
            stop.set()

    async def turn() -> None:
        return None

    monkeypatch.setattr(loops, "pause_or", pass_time)
    await keep_going("starts", turn, status, stop, rest=30.0)
    assert now[0] == 61


async def test_a_pause_ends_when_the_loop_is_to_stop() -> None:
    stop = asyncio.Event()
    stop.set()
    await pause_or(stop, 3600)


async def test_waiting_work_is_given_up_when_the_loop_is_to_stop() -> None:
    stop, cancelled = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        stop.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    await unless_stopped(work(), stop)
    assert cancelled.is_set()


async def test_the_fault_of_waiting_work_is_passed_on() -> None:
    async def work() -> None:
        raise RedisConnectionError("refused")

    with pytest.raises(RedisConnectionError):
        await unless_stopped(work(), asyncio.Event())
