"""The activity behind the generic job and the handlers it knows. Activity code; built by main."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from temporal_worker.jobs import JOB_ACTIVITY, JOB_FAILED, UNKNOWN_JOB, JobInput
from workflow_runtime.core.errors import Category, RuntimeFailureError
from workflow_runtime.service.heartbeat import heartbeats

type JobHandler = Callable[[JobInput], Awaitable[Any]]
"""Performs one job and answers any JSON value. It may run again after a crash, so it must bear repetition."""


class JobRunner:
    """Runs the handler registered under the job's name."""

    def __init__(self, handlers: Mapping[str, JobHandler]) -> None:
        self._handlers = dict(handlers)

    @activity.defn(name=JOB_ACTIVITY)
    async def execute(self, job: JobInput) -> Any:
        """The handler's answer. Raises ApplicationError; only a transient or unexpected failure is retried."""
        handler = self._handlers.get(job.job_name)
        if handler is None:
            raise _unknown(job, sorted(self._handlers))
        try:
            async with heartbeats():
                return await handler(job)
        except RuntimeFailureError as error:
            raise _failed(job, error) from error


def _unknown(job: JobInput, known: list[str]) -> ApplicationError:
    return ApplicationError(
        f"no job is registered under {job.job_name!r}; known jobs: {', '.join(known)}",
        {"jobName": job.job_name, "known": known},
        type=UNKNOWN_JOB,
        non_retryable=True,
    )


def _failed(job: JobInput, error: RuntimeFailureError) -> ApplicationError:
    return ApplicationError(
        f"job {job.job_name!r} failed: {error.message}",
        {"jobName": job.job_name, **error.to_failure().model_dump(mode="json", by_alias=True)},
        type=JOB_FAILED,
        non_retryable=error.category is not Category.TRANSIENT,
    )
