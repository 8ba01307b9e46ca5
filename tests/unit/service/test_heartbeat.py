"""Heartbeats go out while the work of an activity lasts, and stop with it."""

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

from temporalio.testing import ActivityEnvironment

from workflow_runtime.service.heartbeat import heartbeats


def _environment(beats: list[Any], timeout: timedelta | None) -> ActivityEnvironment:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, heartbeat_timeout=timeout)
    environment.on_heartbeat = lambda *details: beats.append(details)
    return environment


async def test_beats_repeat_while_the_body_runs_and_stop_with_it() -> None:
    beats: list[Any] = []

    async def work() -> None:
        async with heartbeats():
            while len(beats) < 3:  # noqa: ASYNC110 - a list has no event
                await asyncio.sleep(0.001)

    await _environment(beats, timedelta(milliseconds=3)).run(work)
    counted = len(beats)
    await asyncio.sleep(0.02)
    assert len(beats) == counted


async def test_an_activity_without_the_timeout_sends_none() -> None:
    beats: list[Any] = []

    async def work() -> None:
        async with heartbeats():
            await asyncio.sleep(0.01)

    await _environment(beats, None).run(work)
    assert beats == []
