"""Signals become an event, and work that waits gives way to it."""

import asyncio
import os
import signal

import pytest

from workflow_runtime.service.drain import run_together, stop_on_signals, unless_stopped


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_sets_the_event_instead_of_ending_the_process(number: signal.Signals) -> None:
    async with stop_on_signals() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.wait(), 10)
        os.kill(os.getpid(), number)
        await asyncio.sleep(0)
        assert stop.is_set()


async def test_work_that_ends_first_gives_its_result() -> None:
    async def work() -> int:
        return 7

    assert await unless_stopped(work(), asyncio.Event()) == 7


async def test_work_that_fails_first_raises() -> None:
    async def work() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await unless_stopped(work(), asyncio.Event())


async def test_stopping_cancels_work_and_waits_for_its_cleanup() -> None:
    stop, cleaned = asyncio.Event(), asyncio.Event()

    async def work() -> int:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()
        return 1

    asyncio.get_running_loop().call_soon(stop.set)
    assert await unless_stopped(work(), stop) is None
    assert cleaned.is_set()


async def test_parts_end_together_when_stop_is_set() -> None:
    stop, ended = asyncio.Event(), []

    async def part(name: str) -> None:
        await stop.wait()
        ended.append(name)

    asyncio.get_running_loop().call_soon(stop.set)
    await run_together(stop, part("a"), part("b"))
    assert sorted(ended) == ["a", "b"]


async def test_a_part_that_fails_lets_the_others_drain_and_is_raised() -> None:
    stop, drained = asyncio.Event(), asyncio.Event()

    async def fails() -> None:
        raise ValueError("worker died")

    async def drains() -> None:
        await stop.wait()
        drained.set()

    with pytest.raises(ValueError, match="worker died"):
        await run_together(stop, drains(), fails())
    assert drained.is_set()
