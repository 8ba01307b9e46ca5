"""The temporal-worker process as an operator meets it: what it polls, what it refuses, how it ends."""

import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from tests.fixtures.ports import free_port
from tests.fixtures.processes import ServiceProcess, service_process

from workflow_runtime.core.contract import AUTHORED_QUEUE, DOMAIN_QUEUES
from workflow_runtime.service.pollers import Poller, queue_pollers


def _settings(temporal_server: str, redis_url: str, **more: str) -> dict[str, str]:
    return {"TEMPORAL_ADDRESS": temporal_server, "REDIS_URL": redis_url, **more}


def test_it_says_what_it_polls_and_what_not_and_drains_on_sigterm(
    temporal_server: str, redis_url: str, tmp_path: Path
) -> None:
    port = free_port()
    with service_process("temporal_worker", port, tmp_path, **_settings(temporal_server, redis_url)) as worker:
        worker.until_ready()
        _assert_says_what_it_polls(worker)
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 0
        assert worker.events("drain_requested")[0]["signal"] == "SIGTERM"
        assert worker.events("drain_finished")[0]["queues"] == list(DOMAIN_QUEUES)
        assert worker.errors.read_text() == ""


def _assert_says_what_it_polls(worker: ServiceProcess) -> None:
    line = worker.events("polling_queues")[0]
    assert line["queues"] == list(DOMAIN_QUEUES)
    assert line["not_polled"] == [AUTHORED_QUEUE]
    checks = worker.get("/readyz")[1]["checks"]
    assert set(checks) == {"redis", *(f"polling {queue}" for queue in DOMAIN_QUEUES)}


async def test_a_job_completes_without_workflow_worker_on_the_queues_it_polls_alone(
    temporal_server: str, redis_url: str, tmp_path: Path
) -> None:
    client = await Client.connect(temporal_server, data_converter=pydantic_data_converter)
    settings = _settings(temporal_server, redis_url, TEMPORAL_TASK_QUEUES="alga-jobs")
    with service_process("temporal_worker", free_port(), tmp_path, **settings) as worker:
        worker.until_ready()
        job = {"jobId": "1", "jobName": "diagnostics.echo", "tenantId": "acme", "data": 7}
        answer = await client.execute_workflow("genericJobWorkflow", job, id="fr-2", task_queue="alga-jobs")
        assert answer["result"] == 7
        assert _kinds(await queue_pollers(client, "alga-jobs"), worker.pid) == {"workflow", "activity"}
        for queue in {AUTHORED_QUEUE, *DOMAIN_QUEUES} - {"alga-jobs"}:
            assert _kinds(await queue_pollers(client, queue), worker.pid) == set()


def _kinds(pollers: Sequence[Poller], pid: int) -> set[str]:
    return {poller.kind for poller in pollers if poller.identity.endswith(f":{pid}")}


@pytest.mark.parametrize("queues", [AUTHORED_QUEUE, f"alga-jobs,{AUTHORED_QUEUE}", "no-such-queue", " "])
def test_a_queue_it_does_not_own_ends_it_with_one_line(queues: str, tmp_path: Path) -> None:
    with service_process("temporal_worker", free_port(), tmp_path, TEMPORAL_TASK_QUEUES=queues) as worker:
        assert worker.wait() == 2
        line = worker.errors.read_text()
        assert line.startswith("temporal-worker: ")
        assert line.count("\n") == 1
        assert worker.log.read_text() == ""
