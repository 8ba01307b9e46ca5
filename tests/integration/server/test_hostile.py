"""Whatever is posted, streamed or signalled: callers get typed answers, runs go on, no process fails."""

import asyncio
import json
import random
import uuid
from collections.abc import Iterator
from typing import Any, Final

import httpx2
import pytest
from pydantic_core import from_json, to_json
from temporalio.client import WorkflowUpdateFailedError
from tests.integration.server.conftest import TENANT, Ended, until
from tests.integration.server.definitions import definition
from tests.unit.fuzz.documents import odd, right, wrong
from tests.unit.fuzz.rounds import SEED

from workflow_runtime.core.contract import (
    EVENT_STREAM,
    SIGNAL_EVENT,
    SIGNAL_HUMAN_TASK,
    SIGNAL_QUOTA_RESUME,
    UPDATE_COMPLETE_TASK,
    run_workflow_id,
)
from workflow_server.backend import Backend

RAW: Final = (
    b"",
    b"\xff\xfe",
    b"\x00",
    b"{",
    b"[]",
    b"null",
    b'{"payload": NaN}',
    b'{"payload": -Infinity}',
    b'{"payload": 1e999}',
    b'{"payload": "\\ud800"}',
    b'{"payload": {}, "payload": []}',
    b'{"payload": "\\u0000"}',
    b'{"payload": ' + b"9" * 5_000 + b"}",
    b'{"payload": ' + b"[" * 150 + b"]" * 150 + b"}",
    b'{"payload": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    b'{"' + b"k" * 100_000 + b'": 1}',
)
POSTED: Final = (
    ("POST", "/api/workflows"),
    ("POST", "/api/workflows/validate"),
    ("POST", "/api/workflows/greeting/publish"),
    ("PATCH", "/api/workflows/greeting"),
    ("POST", "/api/workflows/greeting/runs"),
    ("POST", "/api/events"),
    ("PUT", "/api/schemas/payload.X.v1"),
    ("PUT", "/api/event-types/x"),
    ("POST", "/api/actions"),
    ("POST", "/api/bundles/import"),
    ("POST", "/api/tasks/x/complete"),
)
PATHS: Final = (
    "/api/runs/{}",
    "/api/runs/{}/records",
    "/api/runs/{}/actions",
    "/api/runs/{}/summary",
    "/api/workflows/{}",
    "/api/workflows/{}/versions/1",
    "/api/tasks/{}",
    "/api/events/{}",
    "/api/schemas/{}",
    "/api/dead-letters/{}",
    "/runs/{}",
    "/workflows/{}",
    "/events/{}",
)
NAMES: Final = (
    "%00",
    "99999999999999999999-1",
    "%7B%7D",
    "%F0%9F%98%80",
    "%ED%A0%80",
    "%2e%2e",
    "a%0Ab",
    "-1",
    "x" * 5_000,
    "%3Cscript%3E",
)
QUERIES: Final = (
    {"cursor": "\x00"},
    {"cursor": "é" * 900},
    {"cursor": "{}"},
    {"limit": "0"},
    {"limit": "9" * 400},
    {"since": "yesterday"},
    {"since": "0001-01-01T00:00:00+14:00"},
    {"since": "9999-12-31T23:59:59-14:00"},
    {"status": "NONE"},
    {"workflowId": "a:b{c}"},
    {"before": "x"},
    {"before": "0-0"},
    {"eventName": "\x00"},
)
LISTS: Final = ("/api/runs", "/api/workflows", "/api/tasks", "/api/events", "/api/dead-letters", "/runs", "/events")


def bodies(number: int) -> Iterator[bytes]:
    """Every raw body, then values, definitions and objects with wrong fields."""
    yield from RAW
    for turn in range(30):
        rng = random.Random(f"{SEED} {number} {turn}")
        value = rng.choice((odd, lambda rng: {"definition": wrong(rng)}, _object))(rng)
        yield json.dumps(value).encode("utf-8", "surrogatepass")


def _object(rng: random.Random) -> dict[str, Any]:
    fields = ("definition", "payload", "eventName", "version", "concurrencyLimit", "payloadSchemaRef", "key")
    return {name: odd(rng) for name in fields if rng.random() < 0.4}


def require_typed(answer: httpx2.Response, asked: str) -> None:
    """A success, or a problem with a code that is the caller's."""
    assert answer.status_code < 500, f"{asked}, seed {SEED}: {answer.text}"
    if answer.status_code >= 400 and answer.headers["content-type"] == "application/problem+json":
        assert answer.json()["code"], asked
    else:
        assert answer.status_code < 400 or "text/html" in answer.headers["content-type"], asked


@pytest.mark.parametrize(("number", "method", "path"), [(n, *posted) for n, posted in enumerate(POSTED)])
async def test_any_body_is_taken_or_refused_with_a_code(
    http: httpx2.AsyncClient, number: int, method: str, path: str
) -> None:
    await http.post("/api/workflows/greeting/publish", json={"definition": definition()})
    for body in bodies(number):
        answer = await http.request(method, path, content=body, headers={"Content-Type": "application/json"})
        require_typed(answer, f"{method} {path} {body[:300]!r}")


async def test_any_path_and_query_is_answered_with_a_code(http: httpx2.AsyncClient) -> None:
    for path in PATHS:
        for name in NAMES:
            require_typed(await http.get(path.format(name)), path.format(name))
    for path in LISTS:
        for query in QUERIES:
            require_typed(await http.get(path, params=query), f"{path} {query}")
    for tenant in ("a{b}", "..", "x" * 201, "\x7f", "é"):
        require_typed(await http.get("/api/runs", headers={b"X-Tenant-Id": tenant.encode()}), repr(tenant))


async def test_a_stream_of_garbage_ends_as_dead_letters_and_holds_up_nothing(
    http: httpx2.AsyncClient, backend: Backend, workers: None, ingress: None, ended: Ended
) -> None:
    await http.put("/api/schemas/payload.Any.v1", json=True)
    await http.put("/api/event-types/SEEN", json={"payloadSchemaRef": "payload.Any.v1"})
    trigger = {"type": "event", "eventName": "SEEN"}
    body = {"definition": definition(trigger=trigger, payloadSchemaRef="payload.Any.v1")}
    assert (await http.post("/api/workflows/greeting/publish", json=body)).status_code == 201
    good: dict[Any, Any] = {
        "event_type": "SEEN",
        "tenant": TENANT,
        "timestamp": "2026-01-31T09:30:00Z",
        "payload_json": "{}",
    }
    texts = [
        '{"a": 1, "a": 2}',
        '"\\u0000"',
        "9" * 400,
        "[" * 150 + "]" * 150,
        "[" * 400 + "]" * 400,
        "NaN",
        '"\\ud800"',
    ]
    for text in texts:
        await backend.redis.xadd(EVENT_STREAM, {**good, "event_id": str(uuid.uuid4()), "payload_json": text})
    for name in (*good, "event_id"):
        await backend.redis.xadd(EVENT_STREAM, {**good, "event_id": str(uuid.uuid4()), name: b"\xff\xfe"})
    await backend.redis.xadd(EVENT_STREAM, {b"\xff": b"\x00"})
    last = str(uuid.uuid4())
    await backend.redis.xadd(EVENT_STREAM, {**good, "event_id": last})
    expected = len(texts) + len(good) + 3
    refused, runs = await settled(http, expected)
    assert len(refused) + len(runs) == expected, (await http.get("/api/events")).text
    assert all(item["reason"] for item in refused)
    details = {run["triggerEventId"]: await ended(run["runId"]) for run in runs}
    assert details[last]["run"]["status"] == "SUCCEEDED"
    errors = [detail["run"]["error"] for detail in details.values() if detail["run"]["status"] != "SUCCEEDED"]
    assert all(error["code"] for error in errors)


async def settled(http: httpx2.AsyncClient, total: int) -> tuple[list[Any], list[Any]]:
    """Dead letters and failed events, and the runs of events, once there are so many, or after a while what there is.

    Runs that other tests have left in Temporal come to light as soon as a worker is there; no event started them.
    """
    deadline = asyncio.get_running_loop().time() + 60
    while True:
        refused = (await http.get("/api/dead-letters")).json()["deadLetters"]
        refused += (await http.get("/api/events", params={"outcome": "FAILED"})).json()["events"]
        runs = [run for run in (await http.get("/api/runs")).json()["runs"] if run["triggerEventId"]]
        if len(refused) + len(runs) >= total or asyncio.get_running_loop().time() > deadline:
            return refused, runs
        await asyncio.sleep(0.1)


def sendable(rng: random.Random) -> Any:
    """A value that this test's own client can write."""
    while True:
        try:
            return from_json(to_json(rng.choice((odd, right))(rng)))
        except ValueError:
            continue


WAITING: Final = [
    {"id": "wait", "type": "event.wait", "config": {"eventName": "GO", "correlationKey": None}},
    {"id": "ask", "type": "human.task", "config": {"taskType": "t", "title": "May we?"}},
]


async def test_garbage_signals_and_updates_leave_a_run_as_it_was(
    http: httpx2.AsyncClient, backend: Backend, workers: None, ended: Ended
) -> None:
    await http.post("/api/workflows/greeting/publish", json={"definition": definition(steps=WAITING)})
    run_id = (await http.post("/api/workflows/greeting/runs")).json()["runId"]
    await until(http, run_id, lambda found: bool(found["waits"]))
    handle = backend.client.get_workflow_handle(run_workflow_id(run_id))
    for number in range(12):
        rng = random.Random(f"{SEED} {number}")
        for signal in (SIGNAL_EVENT, SIGNAL_HUMAN_TASK, SIGNAL_QUOTA_RESUME):
            raw = sendable(rng)
            await handle.signal(signal, rng.choice((raw, {"eventId": raw, "eventName": "GO"}, {"taskId": raw})))
    for surplus in ([], [1, 2, 3]):
        for signal in (SIGNAL_EVENT, SIGNAL_HUMAN_TASK, SIGNAL_QUOTA_RESUME):
            await handle.signal(signal, args=surplus)
    await handle.signal(SIGNAL_EVENT, {"eventId": "e1", "eventName": "GO", "payload": {"x": 1}})
    await until(http, run_id, lambda found: any(wait.get("type") == "human" for wait in found["waits"]))
    for raw in (None, 7, [], {}, {"taskId": "another"}, {"taskId": 7}):
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(UPDATE_COMPLETE_TASK, raw)
    [task] = (await http.get("/api/tasks")).json()["tasks"]
    answer = await http.post(f"/api/tasks/{task['taskId']}/complete", json={"payload": [1e308, "\x00", "\u202e"]})
    assert answer.status_code == 200, answer.text
    assert (await ended(run_id))["run"]["status"] == "SUCCEEDED"
    failed = [
        event
        async for event in handle.fetch_history_events()
        if event.HasField("workflow_task_failed_event_attributes")
    ]
    assert failed == []
