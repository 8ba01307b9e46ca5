"""``genericJobWorkflow``: one job, one activity. Workflow code.

The handler runs as an activity with retries for whatever may pass; an unknown job, a wrong input and a failure that
will not pass end the workflow at once with a typed failure.
"""

import asyncio
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from temporal_worker.jobs import INVALID_INPUT, JOB_ACTIVITY, JOB_WORKFLOW, QUERY_STATUS, JobInput, JobResult, JobStatus

_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(minutes=1),
    maximum_attempts=5,
)


@workflow.defn(name=JOB_WORKFLOW)
class GenericJobWorkflow:
    """Runs the job named in its input and answers with the handler's result."""

    def __init__(self) -> None:
        self._status = JobStatus()

    @workflow.run
    async def run(self, raw: Any = None) -> JobResult:
        """Take ``JobInput``, give ``JobResult``. Raises ApplicationError of one of the types in ``jobs``."""
        job = _parse(raw)
        self._status = JobStatus(job_id=job.job_id, job_name=job.job_name)
        try:
            result = await _execute(job)
        except (Exception, asyncio.CancelledError) as error:
            self._failed(error)
            raise
        self._status = self._status.model_copy(update={"status": "SUCCEEDED", "result": result})
        return JobResult(job_id=job.job_id, job_name=job.job_name, result=result)

    @workflow.query(name=QUERY_STATUS)
    def status(self) -> JobStatus:
        """Where the job stands, after its end as well."""
        return self._status

    def _failed(self, error: BaseException) -> None:
        status = "CANCELED" if is_cancelled_exception(error) else "FAILED"
        self._status = self._status.model_copy(update={"status": status, "error": str(error)})


def _parse(raw: Any) -> JobInput:
    # Typed by hand: an argument that does not decode would fail the workflow task for ever instead of the workflow.
    try:
        return JobInput.model_validate(raw)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc'])) or 'input'}: {item['msg']}" for item in error.errors()]
        raise ApplicationError(
            f"the job input must be {{jobId, jobName, tenantId, data}}: {'; '.join(problems)}",
            {"problems": problems},
            type=INVALID_INPUT,
            non_retryable=True,
        ) from None


async def _execute(job: JobInput) -> Any:
    try:
        return await workflow.execute_activity(
            JOB_ACTIVITY,
            job,
            start_to_close_timeout=timedelta(minutes=30),
            heartbeat_timeout=timedelta(seconds=30),
            retry_policy=_RETRY,
        )
    except ActivityError as error:
        # The handler's own failure is the job's failure; the wrapper says nothing the history does not.
        if isinstance(error.cause, ApplicationError):
            raise error.cause from None
        raise
