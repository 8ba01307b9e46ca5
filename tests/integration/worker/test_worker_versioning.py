"""``WORKER_VERSIONING`` on a real server: which build goes on with a run when another one becomes current."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from tests.fixtures.authored import Authored, Handle, eventually, send_event, wait
from tests.fixtures.ports import free_port
from tests.fixtures.processes import ServiceProcess, service_process
from tests.fixtures.servers import program, running_temporal

from workflow_runtime.core.contract import AUTHORED_QUEUE, EVENT_CONSUMER_GROUP
from workflow_runtime.service.pollers import queue_pollers

NAME = "workflow-worker"
OLD, NEW = "sha256:0123abcd", "sha256:4567cdef"
TRIM: dict[str, Any] = {
    "id": "trim",
    "type": "action.call",
    "config": {"actionId": "transform.trim_text", "version": 1, "inputMapping": {"text": " a "}},
}


class Deployment:
    """Builds of workflow-worker as processes, on a server of their own.

    A current version takes new runs away from every unversioned worker of the queue, so no other test may share it.
    """

    def __init__(self, address: str, redis_url: str, directory: Path, mode: str) -> None:
        self.address = address
        settings = {"TEMPORAL_ADDRESS": address, "REDIS_URL": redis_url, "WORKER_VERSIONING": mode}
        # So that the history tells the build of an action as well.
        self._settings = {**settings, "LOCAL_ACTIONS": "off"}
        self._directory = directory

    @contextmanager
    def build(self, digest: str) -> Iterator[ServiceProcess]:
        """The worker of the image with this digest, while the block runs, and current from its beginning."""
        manifest = {"name": NAME, "digest": digest, "queues": [AUTHORED_QUEUE]}
        file = self._directory / f"{digest}.json"
        file.write_text(json.dumps({**manifest, "consumerGroups": [EVENT_CONSUMER_GROUP]}))
        settings = {**self._settings, "WORKFLOW_RUNTIME_IMAGE_JSON": str(file)}
        with service_process("workflow_worker", free_port(), self._directory, **settings) as worker:
            worker.until_ready()
            self._make_current(digest)
            yield worker

    def _make_current(self, digest: str) -> None:
        command = [program("temporal"), "worker", "deployment", "set-current-version", "--address", self.address]
        version = ["--deployment-name", NAME, "--build-id", digest.replace(":", "-"), "--yes"]
        subprocess.run([*command, *version], check=True, capture_output=True)


async def _start(authored: Authored) -> Handle:
    """A run that waits for GO and then calls an action of the worker's own queue."""
    workflow_id = await authored.publish(wait("w", "GO"), TRIM, queues={"transform.trim_text@1": AUTHORED_QUEUE})
    handle = await authored.start(workflow_id)
    await authored.waiting(handle, "waitForEvent")
    return handle


async def _builds(handle: Handle) -> tuple[list[str], list[str]]:
    """The digests that completed the run's workflow tasks and its activities, in order."""
    events = (await handle.fetch_history()).events
    tasks = [event.workflow_task_completed_event_attributes.identity for event in events]
    activities = [event.activity_task_completed_event_attributes.identity for event in events]
    return _digests(tasks), _digests(activities)


def _digests(identities: list[str]) -> list[str]:
    return [identity.partition("@")[2].partition("/")[0] for identity in identities if identity]


@pytest.mark.parametrize(("mode", "finisher"), [("pinned", OLD), ("auto-upgrade", NEW)])
async def test_a_run_stays_with_its_build_or_moves_to_the_current_one(
    mode: str, finisher: str, redis_client: Redis, redis_url: str, tmp_path: Path
) -> None:
    with running_temporal(tmp_path) as address:
        authored = Authored(await Client.connect(address, data_converter=pydantic_data_converter), redis_client)
        deployment = Deployment(address, redis_url, tmp_path, mode)
        with deployment.build(OLD):
            before = await _start(authored)
            with deployment.build(NEW):
                after = await _start(authored)
                for handle in (before, after):
                    await send_event(handle, "e1", "GO", "7")
                    await handle.result()
        tasks, activities = await _builds(before)
        assert (tasks[0], tasks[-1], activities) == (OLD, finisher, [finisher])
        tasks, activities = await _builds(after)
        assert {*tasks, *activities} == {NEW}


async def test_a_run_that_moves_needs_its_old_build_no_more(
    redis_client: Redis, redis_url: str, tmp_path: Path
) -> None:
    with running_temporal(tmp_path) as address:
        authored = Authored(await Client.connect(address, data_converter=pydantic_data_converter), redis_client)
        deployment = Deployment(address, redis_url, tmp_path, "auto-upgrade")
        with deployment.build(OLD):
            handle = await _start(authored)
        with deployment.build(NEW):
            await send_event(handle, "e1", "GO", "7")
            await handle.result()
        tasks, _ = await _builds(handle)
        assert (tasks[0], tasks[-1]) == (OLD, NEW)


async def test_a_process_that_temporal_passes_over_says_for_whom(
    redis_client: Redis, redis_url: str, tmp_path: Path
) -> None:
    with running_temporal(tmp_path) as address:
        client = await Client.connect(address, data_converter=pydantic_data_converter)
        deployment = Deployment(address, redis_url, tmp_path, "pinned")
        expected = {(f"{NAME}@{OLD}", "the version workflow-worker:sha256-4567cdef"), (f"{NAME}@{NEW}", None)}

        async def told() -> bool | None:
            pollers = await queue_pollers(client, AUTHORED_QUEUE)
            found = {(poller.identity.partition("/")[0], poller.passed_over) for poller in pollers}
            # Temporal tells its queues a moment later which version has become the current one.
            return True if found == expected else None

        with deployment.build(OLD), deployment.build(NEW):
            await eventually(told)
        settings = {"TEMPORAL_ADDRESS": address, "REDIS_URL": redis_url}
        with service_process("workflow_worker", free_port(), tmp_path, **settings) as unversioned:
            unversioned.until_ready()
            found = json.dumps(unversioned.get("/readyz")[1])
            assert "Temporal gives new work to the version workflow-worker:sha256-4567cdef" in found
