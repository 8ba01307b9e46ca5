"""Calls into Temporal that every effect shares: the store, waiting, cancellation. Workflow code."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import is_cancelled_exception

from workflow_runtime.core.machine.effects import Completed, Outcome, TimedOut

_STORE_RETRY: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2, maximum_interval=timedelta(seconds=60)
)
"""The store is tried until it answers: a run waits for Redis, it does not fail for it."""

_SHOWN: Final = 120
"""Characters; servers refuse a command whose summary is longer than a few hundred bytes."""


class Suspended:
    """Instead of an outcome: the effect is still under way and the history is long enough to begin a new one."""


async def call_store(activity: str, *arguments: Any, answer: type | None = None) -> Any:
    """Run a local activity to its end, also in a run being cancelled. Raises ApplicationError when it refuses."""
    return await _to_the_end(
        workflow.start_local_activity(
            activity,
            args=arguments,
            result_type=answer,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=_STORE_RETRY,
            local_retry_threshold=timedelta(seconds=5),
        )
    )


async def until(condition: Callable[[], bool], timeout_at: str | None) -> Outcome | Suspended:
    """Completed when the condition holds; otherwise what came first instead."""
    seconds = None if timeout_at is None else seconds_until(timeout_at)
    if seconds is not None and seconds <= 0:
        return Completed() if condition() else TimedOut()
    held = False

    def ended() -> bool:
        nonlocal held
        held = held or condition()
        return held or continue_as_new_is_due()

    try:
        await workflow.wait_condition(ended, timeout=seconds)
    except TimeoutError:
        return TimedOut()
    return Completed() if held else Suspended()


def shown(text: str) -> str:
    """A summary for Temporal's page, which bounds it: the end of a long one, where a path says most."""
    return text if len(text) <= _SHOWN else f"…{text[-_SHOWN:]}"


def seconds_until(instant: str) -> float:
    """Seconds of workflow time until an ISO 8601 instant; negative when it is past."""
    return (datetime.fromisoformat(instant) - workflow.now()).total_seconds()


def was_cancelled() -> bool:
    """Whether somebody asked to cancel this run."""
    return workflow.cancellation_reason() is not None


def cancels(error: BaseException) -> bool:
    """Whether ``error`` is this run's own cancellation, and not that of somebody it waited for."""
    return is_cancelled_exception(error) and was_cancelled()


def continue_as_new_is_due() -> bool:
    """Whether the server suggests a new history and the run may still go on."""
    return workflow.info().is_continue_as_new_suggested() and not was_cancelled()


async def _to_the_end(work: Awaitable[Any]) -> Any:
    task = asyncio.ensure_future(work)
    while True:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            # The request stays visible in was_cancelled; only this one piece of work is finished first.
            if task.cancelled() or not was_cancelled():
                raise
