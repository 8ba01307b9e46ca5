"""Publishes an authored workflow, starts it and follows the run to its end. Runs in the locked environment.

Reads ``NAME.json``, the definition, and ``NAME.run.json`` beside it: ``{schemas: {ref: JSON Schema}, eventTypes: {event
name: schema ref}, events: [{eventName, correlationKey?, payload}]}``, where the first event is the trigger and each
later one is sent when the run waits for it; or ``{start: {…payload}}`` for a workflow without an event trigger.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
from redis.asyncio import Redis

from workflow_runtime.core.contract import run_workflow_id
from workflow_runtime.store.events import NewEvent, publish

DEADLINE_SECONDS = 60.0
TENANT = "default"
_ENDED = {"SUCCEEDED", "FAILED", "CANCELED"}


class FollowError(Exception):
    """The example cannot go on; the message is one line for the person at the terminal."""


class Example:
    """One example on one running stack: an HTTP client of workflow-server and a Redis client for the stream."""

    def __init__(self, path: Path, http: httpx2.AsyncClient, redis: Redis) -> None:
        self._definition = _read(path)
        self._script = _read(path.with_suffix(".run.json"))
        self._http = http
        self._redis = redis
        self._begun = time.monotonic()

    async def play(self) -> bool:
        """Whether the run succeeded."""
        await self._prepare()
        workflow_id = self._definition["id"]
        events = list(self._script.get("events", []))
        run_id = await (self._start_by_event(workflow_id, events.pop(0)) if events else self._start(workflow_id))
        self._say(f"run {run_id} started")
        detail = await self._follow(run_id, events)
        self._timeline(detail)
        print(
            f"\nTemporal: http://127.0.0.1:{_port('TEMPORAL_UI_PORT')}/namespaces/default/workflows/{run_workflow_id(run_id)}"
        )
        print(f"Operator page: http://127.0.0.1:{_port('WORKFLOW_SERVER_HTTP_PORT')}/runs/{run_id}")
        return bool(detail["run"]["status"] == "SUCCEEDED")

    async def _prepare(self) -> None:
        for ref, schema in self._script.get("schemas", {}).items():
            await self._call("PUT", f"/api/schemas/{ref}", schema)
        for name, ref in self._script.get("eventTypes", {}).items():
            await self._call("PUT", f"/api/event-types/{name}", {"payloadSchemaRef": ref})
        identifier, version = self._definition["id"], self._definition["version"]
        await self._call("POST", f"/api/workflows/{identifier}/publish", {"definition": self._definition})
        self._say(f"published {identifier} version {version}")

    async def _start(self, workflow_id: str) -> str:
        answer = await self._call(
            "POST", f"/api/workflows/{workflow_id}/runs", {"payload": self._script.get("start", {})}
        )
        return str(answer["runId"])

    async def _start_by_event(self, workflow_id: str, event: Mapping[str, Any]) -> str:
        event_id = await self._emit(event)
        while self._within("the run to be started by its trigger event"):
            listed = await self._call("GET", f"/api/runs?workflowId={workflow_id}&limit=20")
            for run in listed["runs"]:
                if run.get("triggerEventId") == event_id:
                    return str(run["runId"])
            await asyncio.sleep(0.05)
        raise AssertionError("unreachable: _within raises at the deadline")

    async def _follow(self, run_id: str, events: list[Mapping[str, Any]]) -> dict[str, Any]:
        waiting = "the run to make progress"
        while self._within(waiting):
            detail: dict[str, Any] = await self._call("GET", f"/api/runs/{run_id}")
            if detail["run"]["status"] in _ENDED:
                return detail
            open_waits = [wait for wait in detail["waits"] if wait.get("status") == "WAITING"]
            expected = {wait.get("eventName") for wait in open_waits}
            if events and events[0]["eventName"] in expected:
                self._say(f"the run waits for {events[0]['eventName']}")
                await self._emit(events.pop(0))
            waiting = (
                "; ".join(str(item) for item in detail["waitingFor"]) or f"the run, which is {detail['run']['status']}"
            )
            await asyncio.sleep(0.05)
        raise AssertionError("unreachable: _within raises at the deadline")

    async def _emit(self, event: Mapping[str, Any]) -> str:
        event_id = await publish(
            self._redis,
            NewEvent(
                tenant=TENANT,
                event_name=event["eventName"],
                payload=event["payload"],
                correlation_key=event.get("correlationKey"),
            ),
        )
        self._say(f"put {event['eventName']} on the stream as {event_id}")
        return event_id

    async def _call(self, method: str, path: str, body: Any = None) -> Any:
        try:
            answer = await self._http.request(method, path, **({} if body is None else {"json": body}))
        except httpx2.TransportError as error:
            raise FollowError(f"workflow-server does not answer ({error}); is the stack up? ./dev up") from None
        if answer.is_error:
            is_json = "json" in answer.headers.get("content-type", "")
            problem: dict[str, Any] = answer.json() if is_json else {"detail": answer.text}
            lines = [f"  {item['code']} {item['stepPath']}: {item['message']}" for item in problem.get("findings", [])]
            raise FollowError(
                "\n".join([f"{method} {path} answers {answer.status_code}: {problem.get('detail')}", *lines])
            )
        return answer.json()

    def _within(self, waiting: str) -> bool:
        if time.monotonic() - self._begun > DEADLINE_SECONDS:
            raise FollowError(f"not done in {DEADLINE_SECONDS:.0f} s; waiting for {waiting}")
        return True

    def _say(self, message: str) -> None:
        print(f"{time.monotonic() - self._begun:6.2f} s  {message}", flush=True)

    def _timeline(self, detail: Mapping[str, Any]) -> None:
        self._say(f"the run ended {detail['run']['status']}")
        print()
        rows = sorted([*detail["steps"], *detail["waits"], *detail["actions"]], key=lambda row: row["seq"])
        for row in rows:
            what = row.get("stepPath") or row.get("path") or row.get("key")
            kind = row.get("stepType") or row.get("type") or row.get("actionId") or ""
            print(f"  {row['at']}  {row.get('status', ''):<10}  {what}  {kind}".rstrip())
        if detail["run"].get("error"):
            print(f"  error: {json.dumps(detail['run']['error'])}")


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except FileNotFoundError:
        raise FollowError(f"{path.name} is missing; examples/README.md describes the two files of an example") from None
    except ValueError as error:
        raise FollowError(f"{path.name} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise FollowError(f"{path.name} must hold a JSON object")
    return value


def _port(variable: str) -> int:
    return int(os.environ[variable])


async def _main(path: Path) -> int:
    redis = Redis.from_url(f"redis://127.0.0.1:{_port('REDIS_CLIENT_PORT')}/0", decode_responses=True)
    base = f"http://127.0.0.1:{_port('WORKFLOW_SERVER_HTTP_PORT')}"
    async with redis, httpx2.AsyncClient(base_url=base, headers={"X-Tenant-Id": TENANT}, timeout=20) as http:
        try:
            return 0 if await Example(path, http, redis).play() else 1
        except FollowError as error:
            print(f"dev: {error}", file=sys.stderr)
            return 1


if __name__ == "__main__":
    raise SystemExit(asyncio.run(_main(Path(sys.argv[1]))))
