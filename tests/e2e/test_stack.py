"""The whole stack in both modes, used as a person uses it: ./dev up, ./dev run, ./dev down."""

import asyncio
import json
import subprocess
import uuid
from pathlib import Path
from typing import Any, cast

import pytest
from redis import Redis
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from tests.e2e.stack import ROOT, RunningStack

from workflow_runtime.core.contract import DOMAIN_QUEUES, EVENT_DEAD_LETTER_STREAM, EVENT_STREAM
from workflow_runtime.service.image import image_name
from workflow_runtime.service.ownership import QUEUE_OWNERS

EXAMPLES = sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / "examples").glob("*.json") if ".run." not in path.name
)

in_containers = pytest.mark.parametrize(
    "stack", [pytest.param("compose", marks=pytest.mark.compose)], ids=["compose"], indirect=True
)


def redis_of(stack: RunningStack) -> Redis:
    return Redis.from_url(f"redis://127.0.0.1:{stack.port(6379)}/0", decode_responses=True)


async def temporal_of(stack: RunningStack) -> Client:
    return await Client.connect(f"127.0.0.1:{stack.port(7233)}")


def test_up_says_which_mode_runs_and_who_owns_which_queue(stack: RunningStack) -> None:
    table = (stack.state / "up.out").read_text()
    assert f"ready ({stack.mode})" in table
    for queue, owner in QUEUE_OWNERS.items():
        [line] = [line for line in table.splitlines() if line.startswith(f"{owner} ")]
        assert queue in line


def test_a_second_up_finds_the_stack_running(stack: RunningStack) -> None:
    again = stack.up()
    assert again.returncode == 0, again.stderr
    assert f"ready ({stack.mode})" in again.stdout


def test_what_became_of_an_event_is_explained(stack: RunningStack) -> None:
    done = stack.dev("run", "examples/ticket-follow-up.json")
    event_id = done.stdout.partition("put TICKET_CREATED on the stream as ")[2].partition("\n")[0]
    explained = stack.dev("explain", event_id)
    assert explained.returncode == 0, explained.stderr
    assert f"TICKET_CREATED  {event_id}  tenant default" in explained.stdout
    assert "DELIVERED  starts ticket-follow-up" in explained.stdout
    unknown = stack.dev("explain", str(uuid.uuid4()))
    assert (unknown.returncode, len(unknown.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs_to_its_end(stack: RunningStack, example: str) -> None:
    done = stack.dev("run", example)
    assert done.returncode == 0, done.stdout + done.stderr + stack.logs("workflow-worker")[-3000:]
    assert "SUCCEEDED" in done.stdout
    assert f"http://127.0.0.1:{stack.port(8233)}/namespaces/default/workflows/workflow-runtime-v2:run:" in done.stdout


async def test_every_queue_is_polled_by_its_owner_alone(stack: RunningStack) -> None:
    client = await temporal_of(stack)
    for queue, owner in QUEUE_OWNERS.items():
        assert await _pollers(client, queue) == {owner}


async def _pollers(client: Client, queue: str) -> set[str | None]:
    found: set[str | None] = set()
    for kind in (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY):
        request = DescribeTaskQueueRequest(
            namespace="default", task_queue=TaskQueue(name=queue), task_queue_type=kind, report_pollers=True
        )
        answer = await client.workflow_service.describe_task_queue(request)
        found |= {image_name(poller.identity) for poller in answer.pollers}
    return found


def test_an_authored_run_needs_no_temporal_worker(stack: RunningStack) -> None:
    stack.pause("temporal-worker")
    try:
        done = stack.dev("run", "examples/ticket-follow-up.json")
    finally:
        stack.resume("temporal-worker")
    assert done.returncode == 0, done.stdout + done.stderr


async def test_a_domain_job_needs_no_workflow_worker(stack: RunningStack) -> None:
    client = await temporal_of(stack)
    stack.pause("workflow-worker")
    try:
        result = await client.execute_workflow(
            "genericJobWorkflow",
            {"jobId": "j-1", "jobName": "diagnostics.echo", "tenantId": "default", "data": {"word": "there"}},
            id=f"job-{uuid.uuid4()}",
            task_queue="alga-jobs",
        )
    finally:
        stack.resume("workflow-worker")
    assert "there" in json.dumps(result)


async def test_a_malformed_message_is_set_aside_and_the_next_one_is_processed(stack: RunningStack) -> None:
    redis = redis_of(stack)
    before = redis.xlen(EVENT_DEAD_LETTER_STREAM)
    redis.xadd(EVENT_STREAM, {"event_id": "not a uuid", "event_type": "X", "payload_json": "{"})
    done = await asyncio.to_thread(stack.dev, "run", "examples/ticket-follow-up.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert redis.xlen(EVENT_DEAD_LETTER_STREAM) == before + 1
    letter = _latest(redis, EVENT_DEAD_LETTER_STREAM)
    assert letter["event_id"] == "not a uuid"
    assert letter["dlq_reason"]
    listed = await asyncio.to_thread(stack.dev, "dlq", "list")
    assert listed.returncode == 0, listed.stderr
    assert "event_id: 'not a uuid' is not a UUID" in listed.stdout


def _latest(redis: Redis, stream: str) -> dict[str, str]:
    entries = cast(list[tuple[str, dict[str, str]]], redis.xrevrange(stream, count=1))
    return entries[0][1]


def test_a_broken_definition_is_refused_with_every_finding(stack: RunningStack, tmp_path: Path) -> None:
    definition = json.loads((ROOT / "examples" / "ticket-follow-up.json").read_text())
    definition["id"] = "broken"
    definition["steps"] = [{"id": "a", "type": "state.set", "config": {}}, {"id": "a", "type": "no.such"}]
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(definition))
    path.with_suffix(".run.json").write_text((ROOT / "examples" / "ticket-follow-up.run.json").read_text())
    done = stack.dev("run", str(path))
    assert done.returncode == 2
    assert "answers 422" in done.stderr
    assert "UNKNOWN_NODE_TYPE" in done.stderr
    assert "INVALID_CONFIG" in done.stderr
    assert "Traceback" not in done.stderr


def test_temporal_worker_says_that_the_authored_queue_is_not_among_its_queues(stack: RunningStack) -> None:
    records = [_record(line) for line in stack.logs("temporal-worker").splitlines()]
    [polling] = [record for record in records if set(record.get("queues", ())) == set(DOMAIN_QUEUES)][:1]
    assert "workflow-runtime-v2" not in polling["queues"]


def _record(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def test_data_survives_down_and_up(stack: RunningStack) -> None:
    redis_of(stack).set("kept", "1")
    down = stack.dev("down")
    assert down.returncode == 0, down.stderr
    up = stack.up()
    assert up.returncode == 0, up.stderr
    assert redis_of(stack).get("kept") == "1"


@in_containers
def test_a_worker_container_has_no_shell_and_cannot_write(stack: RunningStack) -> None:
    container = stack.container("workflow-worker")
    shell = subprocess.run(["docker", "exec", container, "sh", "-c", "true"], capture_output=True, check=False)
    assert shell.returncode != 0
    code = "import os; assert os.getuid() == 65532; open('/app/x', 'w')"
    argv = ["docker", "exec", container, "/app/bin/python3", "-I", "-c", code]
    write = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert "Read-only file system" in write.stderr


@in_containers
def test_a_stopped_container_has_drained(stack: RunningStack) -> None:
    for service in ("workflow-worker", "temporal-worker", "workflow-server"):
        stack.pause(service)
        argv = ["docker", "inspect", "--format", "{{.State.ExitCode}}", stack.container(service)]
        code = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
        stack.resume(service)
        assert code == "0", stack.logs(service)[-2000:]
