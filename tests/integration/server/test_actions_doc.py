"""docs/ACTIONS.md is true: its Python worker, in a process of its own, serves its spec to its definition."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from tests.integration.server.conftest import Ended, until

TEXT: Final = (Path(__file__).parents[3] / "docs" / "ACTIONS.md").read_text(encoding="utf-8")
QUEUE: Final = "crm-actions"


def block(kind: str) -> str:
    [found] = re.findall(rf"```{kind}\n(.*?)```", TEXT, flags=re.DOTALL)
    return str(found)


@pytest.fixture
def external_worker(temporal_server: str, tmp_path: Path) -> Iterator[None]:
    """The Python example as its own process, without this repository's code."""
    script = tmp_path / "crm_worker.py"
    script.write_text(block("python"))
    environment = {"TEMPORAL_ADDRESS": temporal_server, "PATH": os.environ["PATH"]}
    with subprocess.Popen([sys.executable, script], env=environment, cwd=tmp_path) as process:
        yield
        process.terminate()


@pytest.fixture
async def registered(http: httpx2.AsyncClient) -> None:
    await http.put("/api/schemas/payload.Mail.v1", json={"type": "object", "required": ["mail"]})
    assert (await http.post("/api/actions", json=json.loads(block("json spec")))).status_code == 201
    body = {"definition": json.loads(block("json definition"))}
    answer = await http.post("/api/workflows/greet-customer/publish", json=body)
    assert (answer.status_code, answer.json()["actionQueues"]) == (201, {"crm.find_customer@1": QUEUE})


@pytest.mark.parametrize(
    ("mail", "error"),
    [
        ("ada@example.org", None),
        ("bob@example.org", ("ActionError", "CUSTOMER_UNKNOWN", "nobody has the address bob@example.org")),
        ("nobody", ("ValidationError", "NO_ADDRESS", "'nobody' is no address")),
    ],
)
async def test_a_worker_of_somebody_else_serves_its_action(
    http: httpx2.AsyncClient,
    registered: None,
    external_worker: None,
    workers: None,
    ended: Ended,
    mail: str,
    error: tuple[str, str, str] | None,
) -> None:
    started = await http.post("/api/workflows/greet-customer/runs", json={"payload": {"mail": mail}})
    detail = await ended(started.json()["runId"])
    assert told(detail["run"]["error"]) == error
    assert detail["run"]["status"] == ("SUCCEEDED" if error is None else "FAILED")
    assert detail["actions"][0]["taskQueue"] == QUEUE
    queues = {row["queue"]: row["verdict"] for row in (await http.get("/api/ownership")).json()["queues"]}
    assert queues[QUEUE] == "EXTERNAL"


def told(error: dict[str, Any] | None) -> tuple[str, str, str] | None:
    return None if error is None else (error["category"], error["code"], error["message"])


async def test_without_a_worker_the_run_says_which_queue_nobody_serves(
    http: httpx2.AsyncClient, registered: None, workers: None
) -> None:
    started = await http.post("/api/workflows/greet-customer/runs", json={"payload": {"mail": "ada@example.org"}})
    detail = await until(http, started.json()["runId"], lambda found: bool(found["actions"]))
    [waiting] = detail["waitingFor"]
    assert (waiting["kind"], waiting["facts"]["taskQueue"]) == ("action", QUEUE)
