"""The workflow-worker process as an operator meets it: what it says, how it waits for others, how it ends."""

import contextlib
import json
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from redis.asyncio import Redis
from temporalio.api.enums.v1 import PendingWorkflowTaskState
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from tests.fixtures.authored import TENANT, Authored, assign, eventually, run_id_of, send_event, wait
from tests.fixtures.ports import free_port
from tests.fixtures.processes import service_process
from tests.fixtures.servers import program, running_redis, running_temporal

from workflow_runtime.core.contract import AUTHORED_QUEUE, DOMAIN_QUEUES, EVENT_CONSUMER_GROUP, EVENT_STREAM
from workflow_runtime.service.pollers import Poller, queue_pollers
from workflow_runtime.store.events import NewEvent, publish

STEPS = (assign("first", x="1"), wait("paid", "PAID", "T1", assign={"vars.by": {"$expr": "event.by"}}))


def _settings(temporal_server: str, redis_url: str, **more: str) -> dict[str, str]:
    return {"TEMPORAL_ADDRESS": temporal_server, "REDIS_URL": redis_url, **more}


async def test_an_authored_run_completes_without_temporal_worker_and_the_worker_drains(
    authored: Authored, temporal_server: str, redis_url: str, tmp_path: Path
) -> None:
    with service_process("workflow_worker", free_port(), tmp_path, **_settings(temporal_server, redis_url)) as worker:
        worker.until_ready()
        line = worker.events("polling_queues")[0]
        assert (line["queues"], line["consumer_group"]) == ([AUTHORED_QUEUE], EVENT_CONSUMER_GROUP)
        pollers = await queue_pollers(authored.client, AUTHORED_QUEUE)
        assert _kinds(pollers, worker.pid) == {"workflow", "activity"}
        for queue in DOMAIN_QUEUES:
            assert _kinds(await queue_pollers(authored.client, queue), worker.pid) == set()

        handle = await authored.start(await authored.publish(*STEPS))
        await authored.waiting(handle, "waitForEvent")
        await _pay(authored, "ann")
        assert (await handle.result())["vars"]["by"] == "ann"

        worker.signal(signal.SIGTERM)
        assert worker.wait() == 0
        assert worker.events("drain_finished")
        assert worker.errors.read_text() == ""


async def _pay(authored: Authored, by: str) -> None:
    event = NewEvent(tenant=TENANT, event_name="PAID", payload={"by": by}, correlation_key="T1")
    await publish(authored.redis, event)


def _kinds(pollers: Sequence[Poller], pid: int) -> set[str]:
    return {poller.kind for poller in pollers if poller.identity.endswith(f":{pid}")}


async def test_killed_while_a_run_waits_the_next_worker_goes_on_with_it(
    authored: Authored, temporal_server: str, redis_url: str, tmp_path: Path
) -> None:
    settings = _settings(temporal_server, redis_url)
    handle = await authored.start(await authored.publish(*STEPS))
    with service_process("workflow_worker", free_port(), tmp_path, **settings) as worker:

        async def waits() -> bool | None:
            row = await authored.runs.get_run(TENANT, run_id_of(handle))
            return True if row and row.status == "WAITING" else None

        await eventually(waits)
        worker.kill()
    await _pay(authored, "bob")
    with service_process("workflow_worker", free_port(), tmp_path, **settings):
        assert (await handle.result())["vars"]["by"] == "bob"


@pytest.mark.parametrize("local_actions", ["on", "off"])
async def test_killed_in_the_middle_of_an_action_the_next_worker_finishes_it_and_its_effect_happens_once(
    authored: Authored, temporal_server: str, redis_url: str, tmp_path: Path, local_actions: str
) -> None:
    count = {"actionId": "store.increment", "version": 1, "inputMapping": {"namespace": "n", "key": "k"}}
    step = {"id": "count", "type": "action.call", "config": {**count, "saveAs": "vars.count"}}
    queues = {"store.increment@1": AUTHORED_QUEUE}
    handle = await authored.start(await authored.publish(wait("go", "GO", "1"), step, queues=queues))
    settings = _settings(temporal_server, redis_url, LOCAL_ACTIONS=local_actions)
    with service_process("workflow_worker", free_port(), tmp_path, **settings) as worker:
        await authored.waiting(handle, "waitForEvent")
        # While Redis writes nothing the action is under way and cannot end.
        await authored.redis.client_pause(60_000, all=False)
        await send_event(handle, "e", "GO", "1")

        async def action_under_way() -> bool | None:
            run = (await handle.describe()).raw_description
            within_task = (
                run.pending_workflow_task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED
            )
            started = any(activity.last_worker_identity for activity in run.pending_activities)
            return True if (within_task if local_actions == "on" else started) else None

        await eventually(action_under_way)
        worker.kill()
    await authored.redis.client_unpause()
    with service_process("workflow_worker", free_port(), tmp_path, **settings):
        assert (await handle.result())["vars"]["count"] == {"value": 1, "revision": 1}


def test_it_starts_before_its_dependencies_and_becomes_ready_when_they_come(tmp_path: Path) -> None:
    temporal_port, redis_port = free_port(), free_port()
    settings = _settings(f"127.0.0.1:{temporal_port}", f"redis://127.0.0.1:{redis_port}/0")
    with service_process("workflow_worker", free_port(), tmp_path, **settings) as worker:
        worker.until(lambda: len(worker.events("dependency_unreachable")) >= 4)
        assert {line["dependency"] for line in worker.events("dependency_unreachable")} == {"Temporal", "Redis"}
        status, report = worker.get("/readyz")
        assert (status, report["phase"]) == (503, "starting")
        assert worker.get("/livez")[0] == 200
        (tmp_path / "redis").mkdir()
        (tmp_path / "temporal").mkdir()
        with (
            running_redis(tmp_path / "redis", port=redis_port),
            running_temporal(tmp_path / "temporal", port=temporal_port),
        ):
            worker.until_ready()


@pytest.mark.parametrize("missing", ["Temporal", "Redis"])
def test_a_dependency_that_does_not_come_ends_it_with_one_line(
    missing: str, temporal_server: str, redis_url: str, tmp_path: Path
) -> None:
    addresses = {"Temporal": temporal_server, "Redis": redis_url}
    gone = f"127.0.0.1:{free_port()}"
    addresses[missing] = gone if missing == "Temporal" else f"redis://{gone}/0"
    settings = _settings(addresses["Temporal"], addresses["Redis"], CONNECT_DEADLINE_SECONDS="1")
    with service_process("workflow_worker", free_port(), tmp_path, **settings) as worker:
        assert worker.wait() == 1
        line = worker.errors.read_text()
    assert line.startswith(f"workflow-worker: {missing} at {gone} is unreachable after 1 s")
    assert line.count("\n") == 1


def test_sigterm_while_connecting_ends_it_at_once(tmp_path: Path) -> None:
    settings = _settings(f"127.0.0.1:{free_port()}", f"redis://127.0.0.1:{free_port()}/0")
    with service_process("workflow_worker", free_port(), tmp_path, **settings) as worker:
        worker.until(lambda: bool(worker.events("dependency_unreachable")))
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 0


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WORKFLOW_RUNTIME_V2_EVENT_CORRELATION_PATHS_JSON", "{"),
        ("SHUTDOWN_GRACE_SECONDS", "soon"),
        ("WORKER_VERSIONING", "sometimes"),
    ],
)
def test_a_wrong_setting_ends_it_with_one_line_that_names_it(variable: str, value: str, tmp_path: Path) -> None:
    with service_process("workflow_worker", free_port(), tmp_path, **{variable: value}) as worker:
        assert worker.wait() == 2
        line = worker.errors.read_text()
    assert variable in line
    assert line.count("\n") == 1


async def test_readiness_follows_redis(temporal_server: str, tmp_path: Path) -> None:
    port = free_port()
    settings = _settings(temporal_server, f"redis://127.0.0.1:{port}/0")
    with service_process("workflow_worker", free_port(), tmp_path, **settings) as worker:
        with running_redis(tmp_path, port=port):
            worker.until_ready()
        worker.until(lambda: worker.get("/readyz")[0] == 503)
        with running_redis(tmp_path, port=port):
            worker.until_ready()


async def test_the_event_stream_is_read_in_the_consumer_group(
    redis_client: Redis, temporal_server: str, redis_url: str, tmp_path: Path
) -> None:
    with service_process("workflow_worker", free_port(), tmp_path, **_settings(temporal_server, redis_url)) as worker:
        worker.until_ready()
        groups = await redis_client.xinfo_groups(EVENT_STREAM)
    assert [group["name"] for group in groups] == [EVENT_CONSUMER_GROUP]


def test_what_temporals_native_code_tells_is_json_as_well(redis_url: str, tmp_path: Path) -> None:
    (tmp_path / "temporal").mkdir()
    with contextlib.ExitStack() as stack:
        with running_temporal(tmp_path / "temporal") as address:
            settings = _settings(address, redis_url)
            worker = stack.enter_context(service_process("workflow_worker", free_port(), tmp_path, **settings))
            worker.until_ready()
        # Its pollers say that nobody answers; a line that is not JSON fails the reading.
        worker.until(lambda: any("retried" in str(line.get("fields")) for line in worker.lines()))


async def test_in_an_image_the_pollers_carry_its_digest_and_versioning_pins_runs_to_it(
    redis_client: Redis, redis_url: str, tmp_path: Path
) -> None:
    manifest = {"name": "workflow-worker", "digest": "sha256:0123abcd", "queues": [AUTHORED_QUEUE]}
    file = tmp_path / "image.json"
    file.write_text(json.dumps({**manifest, "consumerGroups": [EVENT_CONSUMER_GROUP], "closure": {}}))
    # A server of its own: a current version takes new runs away from every unversioned worker of the queue.
    with running_temporal(tmp_path) as address:
        authored = Authored(await Client.connect(address, data_converter=pydantic_data_converter), redis_client)
        settings = _settings(address, redis_url, WORKFLOW_RUNTIME_IMAGE_JSON=str(file), WORKER_VERSIONING="pinned")
        with service_process("workflow_worker", free_port(), tmp_path, **settings) as worker:
            worker.until_ready()
            assert worker.get("/readyz")[1]["digest"] == "sha256:0123abcd"
            pollers = await queue_pollers(authored.client, AUTHORED_QUEUE)
            assert any(poller.identity.startswith("workflow-worker@sha256:0123abcd/") for poller in pollers)
            _make_current(address, "workflow-worker", "sha256-0123abcd")
            handle = await authored.start(await authored.publish(assign("a", x="1")))
            assert (await handle.result())["vars"]["x"] == 1


def _make_current(address: str, deployment: str, build_id: str) -> None:
    command = [program("temporal"), "worker", "deployment", "set-current-version", "--address", address, "--yes"]
    subprocess.run([*command, "--deployment-name", deployment, "--build-id", build_id], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ({"name": "workflow-server", "digest": "sha256:1"}, "started in the image 'workflow-server'"),
        ({"name": "workflow-worker", "digest": "sha256:1", "queues": []}, "declares none"),
        ({"name": "workflow-worker", "digest": "sha256:1", "queues": [AUTHORED_QUEUE]}, "consumer group"),
    ],
)
def test_an_image_that_does_not_own_what_it_would_poll_is_refused(
    manifest: dict[str, object], reason: str, tmp_path: Path
) -> None:
    file = tmp_path / "image.json"
    file.write_text(json.dumps(manifest))
    with service_process("workflow_worker", free_port(), tmp_path, WORKFLOW_RUNTIME_IMAGE_JSON=str(file)) as worker:
        assert worker.wait() == 2
        assert reason in worker.errors.read_text()
