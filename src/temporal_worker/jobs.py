"""Records and names of the generic job. Pure; importable anywhere, workflow code included."""

from typing import Any, Final, Literal

from pydantic import ConfigDict

from workflow_runtime.core.wire import WireModel

JOB_WORKFLOW: Final = "genericJobWorkflow"
JOB_ACTIVITY: Final = "executeGenericJob"
QUERY_STATUS: Final = "genericJobStatus"

INVALID_INPUT: Final = "GenericJob.InvalidInput"
UNKNOWN_JOB: Final = "GenericJob.UnknownJob"
JOB_FAILED: Final = "GenericJob.Failed"
"""Failure types, none of them retried; the first detail is ``{jobName, ...}``."""


class JobInput(WireModel):
    """What starts a job: ``job_id`` is the caller's, ``data`` is for the handler alone. Further keys are ignored."""

    model_config = ConfigDict(extra="ignore")

    job_id: str
    job_name: str
    tenant_id: str
    data: Any = None


class JobResult(WireModel):
    """What a job answers; ``result`` is the handler's."""

    job_id: str
    job_name: str
    result: Any = None


class JobStatus(WireModel):
    """Answer of the query ``genericJobStatus``; ``error`` is set once the job failed."""

    job_id: str | None = None
    job_name: str | None = None
    status: Literal["RUNNING", "SUCCEEDED", "FAILED", "CANCELED"] = "RUNNING"
    result: Any = None
    error: str | None = None
