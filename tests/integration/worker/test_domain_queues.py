"""The domain queues against a real Temporal server: jobs by name, typed failures, and the probe."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from tests.fakes.retention import NotedRetention

from temporal_worker.domains import all_domains
from temporal_worker.job_handlers import job_handlers
from temporal_worker.job_runner import JobRunner
from temporal_worker.jobs import INVALID_INPUT, JOB_FAILED, JOB_WORKFLOW, QUERY_STATUS, UNKNOWN_JOB
from temporal_worker.probe import PROBE_WORKFLOW, QueueProbe
from temporal_worker.sandbox import PASSED_MODULES
from workflow_runtime.core.contract import DOMAIN_QUEUES
from workflow_runtime.service.image import ImageManifest
from workflow_runtime.service.settings import ProcessSettings
from workflow_runtime.service.workers import build_worker

IMAGE = ImageManifest(name="temporal-worker", digest="sha256:1234", queues=DOMAIN_QUEUES)


@pytest.fixture
async def client(temporal_server: str) -> Client:
    return await Client.connect(temporal_server, data_converter=pydantic_data_converter)


@pytest.fixture
async def jobs_client(client: Client) -> AsyncIterator[Client]:
    async with _worker(client, "alga-jobs"):
        yield client


def _worker(client: Client, queue: str) -> Any:
    probe = QueueProbe(image=IMAGE.name, digest=IMAGE.digest, identity=client.identity)
    domain = all_domains(probe, JobRunner(job_handlers(NotedRetention())))[queue]
    return build_worker(
        client,
        queue,
        settings=ProcessSettings(shutdown_grace_seconds=1),
        image=IMAGE,
        workflows=domain.workflows,
        activities=domain.activities,
        passed_modules=PASSED_MODULES,
    )


def _job(name: str, data: Any) -> dict[str, Any]:
    return {"jobId": "j-1", "jobName": name, "tenantId": "acme", "data": data}


async def _failure_of(client: Client, argument: Any, workflow_id: str) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as failure:
        await client.execute_workflow(JOB_WORKFLOW, argument, id=workflow_id, task_queue="alga-jobs")
    assert isinstance(failure.value.cause, ApplicationError)
    return failure.value.cause


async def test_job_answers_with_its_handlers_result_and_keeps_its_status(jobs_client: Client) -> None:
    handle = await jobs_client.start_workflow(
        JOB_WORKFLOW, _job("diagnostics.echo", {"a": [1, None]}), id="echo", task_queue="alga-jobs"
    )
    assert await handle.result() == {"jobId": "j-1", "jobName": "diagnostics.echo", "result": {"a": [1, None]}}
    status = await handle.query(QUERY_STATUS)
    assert (status["status"], status["result"]) == ("SUCCEEDED", {"a": [1, None]})


async def test_unknown_job_fails_at_once_and_names_the_known_ones(jobs_client: Client) -> None:
    error = await _failure_of(jobs_client, _job("no-such-job", None), "unknown")
    assert (error.type, error.non_retryable) == (UNKNOWN_JOB, True)
    assert error.details[0] == {
        "jobName": "no-such-job",
        "known": ["diagnostics.echo", "prune-notifications", "prune-runs"],
    }


async def test_refused_job_data_is_a_typed_failure_that_is_not_retried(jobs_client: Client) -> None:
    error = await _failure_of(jobs_client, _job("prune-runs", {"olderThanDays": 0}), "refused")
    assert error.type == JOB_FAILED
    assert (error.details[0]["category"], error.details[0]["code"]) == ("ValidationError", "INVALID_JOB_DATA")


@pytest.mark.parametrize("argument", [None, 7, {"jobId": 1}, {"jobId": "j", "jobName": "x"}])
async def test_malformed_input_fails_the_workflow_instead_of_hanging_its_task(
    jobs_client: Client, argument: Any
) -> None:
    error = await _failure_of(jobs_client, argument, f"malformed-{argument!r}")
    assert error.type == INVALID_INPUT


@pytest.mark.parametrize("queue", DOMAIN_QUEUES)
async def test_probe_names_the_image_that_serves_each_domain_queue(client: Client, queue: str) -> None:
    async with _worker(client, queue):
        owner = await client.execute_workflow(PROBE_WORKFLOW, id=f"probe-{queue}", task_queue=queue)
    assert owner == {"queue": queue, "image": IMAGE.name, "digest": IMAGE.digest, "identity": client.identity}
