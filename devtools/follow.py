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
from urllib.parse import quote

import httpx2
from redis.asyncio import Redis

from workflow_runtime.core.contract import run_workflow_id
from workflow_runtime.store.events import NewEvent, publish

DEADLINE_SECONDS = 60.0
TENANT = "default"
_ENDED = {"SUCCEEDED", "FAILED", "CANCELED"}


class FollowError(Exception):
    """The example cannot go on; the message is one line for the person at the terminal."""

    exit_code = 1


class MistakeError(FollowError):
    """The files of the example, or what stands in them, cannot be played."""

    exit_code = 2


class Example:
    """One example on one running stack: an HTTP client of workflow-server and a Redis client for the stream."""

    def __init__(self, path: Path, http: httpx2.AsyncClient, redis: Redis) -> None:
        self._definition = _definition(path)
        self._script = _script(path.with_suffix(".run.json"))
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
            await self._call("PUT", f"/api/schemas/{quote(ref)}", schema)
        for name, ref in self._script.get("eventTypes", {}).items():
            await self._call("PUT", f"/api/event-types/{quote(name, safe='')}", {"payloadSchemaRef": ref})
        identifier, version = self._definition["id"], self._definition.get("version")
        path = f"/api/workflows/{quote(identifier, safe='')}/publish"
        await self._call("POST", path, {"definition": self._definition})
        self._say(f"published {identifier} version {version}")

    async def _start(self, workflow_id: str) -> str:
        path = f"/api/workflows/{quote(workflow_id, safe='')}/runs"
        answer = await self._call("POST", path, {"payload": self._script.get("start", {})})
        return str(answer["runId"])

    async def _start_by_event(self, workflow_id: str, event: Mapping[str, Any]) -> str:
        event_id = await self._emit(event)
        while self._within("the run to be started by its trigger event"):
            listed = await self._call("GET", f"/api/runs?workflowId={quote(workflow_id, safe='')}&limit=20")
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
            waiting = "; ".join(item["text"] for item in detail["waitingFor"])
            waiting = waiting or f"the run, which is {detail['run']['status']}"
            await asyncio.sleep(0.05)
        raise AssertionError("unreachable: _within raises at the deadline")

    async def _emit(self, event: Mapping[str, Any]) -> str:
        event_id = await publish(
            self._redis,
            NewEvent(
                tenant=TENANT,
                event_name=event["eventName"],
                payload=event.get("payload"),
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
            text = "\n".join([f"{method} {path} answers {answer.status_code}: {problem.get('detail')}", *lines])
            raise MistakeError(text) if answer.is_client_error else FollowError(text)
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


def _definition(path: Path) -> dict[str, Any]:
    """A definition that can at least be named; what else is wrong with it the server says."""
    found = _read(path)
    if not isinstance(found.get("id"), str) or not found["id"]:
        raise MistakeError(f"{path.name} needs an id: a text that names the workflow")
    return found


def _script(path: Path) -> dict[str, Any]:
    found = _read(path)
    for name, kind in (("schemas", dict), ("eventTypes", dict), ("events", list)):
        if not isinstance(found.get(name, kind()), kind):
            raise MistakeError(f"{path.name}: {name} must be {'a list' if kind is list else 'an object'}")
    for event in found.get("events", []):
        if not isinstance(event, dict) or not isinstance(event.get("eventName"), str):
            raise MistakeError(f"{path.name}: each of the events is an object with an eventName and a payload")
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except FileNotFoundError:
        raise MistakeError(
            f"{path.name} is missing; examples/README.md describes the two files of an example"
        ) from None
    except ValueError as error:
        raise MistakeError(f"{path.name} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise MistakeError(f"{path.name} must hold a JSON object")
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
            return error.exit_code


if __name__ == "__main__":
    raise SystemExit(asyncio.run(_main(Path(sys.argv[1]))))
