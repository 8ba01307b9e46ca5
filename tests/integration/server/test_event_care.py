"""What a person does about events that failed: letters, retries, tenants; through the API over real servers."""

import json
from typing import Any

import httpx2
import pytest
from redis.asyncio import Redis
from tests.integration.server.conftest import TENANT, Ended
from tests.integration.server.definitions import definition
from tests.integration.server.test_events import explained

from workflow_runtime.core.contract import EVENT_STREAM
from workflow_runtime.store.connection import tenant_key
from workflow_runtime.store.events import DeadLetters, NewEvent
from workflow_server.backend import Backend

SECRETS = {"id": 7, "password": "hunter2", "nested": [{"api_key": "k-123"}], "auth": {"$secret": "MAIL"}}


def letter_pairs(**extra: str) -> list[tuple[bytes, bytes]]:
    event = NewEvent(tenant=TENANT, event_name="e", payload=SECRETS, extra=extra).incoming()
    return [(name.encode(), value.encode()) for name, value in event.fields.items()]


async def test_a_dead_letter_is_shown_redriven_and_audited(http: httpx2.AsyncClient, backend: Backend) -> None:
    letters, pairs = DeadLetters(backend.redis), letter_pairs()
    first = await letters.add(pairs, reason="no route", attempts=5, source="1-1")
    second = await letters.add(
        [(b"nonsense", b"\xff"), (b"nonsense", b"")], reason="no event", attempts=1, source="2-2"
    )
    listed = (await http.get("/api/dead-letters")).json()
    assert [letter["id"] for letter in listed["deadLetters"]] == [second, first]
    assert (await http.get(f"/api/dead-letters/{second}")).json()["fields"] == [
        {"name": "nonsense", "value": "\\xff", "bytes": 1},
        {"name": "nonsense", "value": "", "bytes": 0},
    ]
    actor = {b"X-Actor": "Jürgen".encode()}
    redriven = await http.post(f"/api/dead-letters/{first}/redrive", headers=actor, params={"reason": "route fixed é"})
    assert redriven.status_code == 202
    assert (await http.delete(f"/api/dead-letters/{second}", headers={"X-Actor": "ada"})).status_code == 204
    assert (await http.get("/api/dead-letters")).json()["deadLetters"] == []
    audit = (await http.get("/api/dead-letters/audit")).json()["audit"]
    assert [(row["letterId"], row["action"], row["actor"], row["why"], row["streamId"]) for row in audit] == [
        (second, "drop", "ada", "", None),
        (first, "redrive", "Jürgen", "route fixed é", redriven.json()["streamId"]),
    ]
    gone = await http.get(f"/api/dead-letters/{first}")
    assert gone.status_code == 404
    assert "it was redriven by Jürgen at" in gone.json()["detail"]


async def test_a_letter_shows_what_was_done_before(http: httpx2.AsyncClient, backend: Backend) -> None:
    letters, pairs = DeadLetters(backend.redis), letter_pairs()
    await letters.redrive(await letters.add(pairs, reason="r", attempts=5, source="1-1"), actor="ann", why="try again")
    letter_id = await letters.add(pairs, reason="r", attempts=5, source="2-2")
    shown = (await http.get(f"/api/dead-letters/{letter_id}")).json()
    assert [(row["action"], row["actor"], row["why"]) for row in shown["history"]] == [("redrive", "ann", "try again")]
    assert (shown["tenant"], shown["eventId"]) == (TENANT, dict(pairs)[b"event_id"].decode())


async def test_secrets_are_shown_nowhere_and_redriven_as_they_were(http: httpx2.AsyncClient, backend: Backend) -> None:
    letters, redis = DeadLetters(backend.redis), backend.redis
    broken = [(b"payload_json", b'{"id": 7, "password": "hunter2')]
    texts = []
    for source, pairs in (("1", letter_pairs(x_authorization="Bearer hunter2")), ("2", broken)):
        letter_id = await letters.add(pairs, reason="r", attempts=1, source=source)
        texts += [(await http.get(f"/api/dead-letters/{letter_id}")).text, (await http.get("/api/dead-letters")).text]
        assert (await http.post(f"/api/dead-letters/{letter_id}/redrive")).status_code == 202
        [(_, fields)] = await last_of_stream(redis)
        assert fields == {name.decode(): value.decode() for name, value in pairs}
    posted = await http.post("/api/events", json={"eventName": "e", "payload": SECRETS})
    place = posted.headers["location"]
    texts += [(await http.get(place)).text, (await http.get("/api/events")).text]
    texts += [(await http.get(place.removeprefix("/api"), params={"tenant": TENANT})).text]
    for text in texts:
        assert "hunter2" not in text
        assert "k-123" not in text
    assert "[REDACTED]" in texts[0]
    assert '"id": 7' in json.loads(texts[2])["fields"][0]["value"]


async def last_of_stream(redis: Redis) -> Any:
    return await redis.xrevrange(EVENT_STREAM, count=1)


async def test_letters_of_a_tenant_are_listed(http: httpx2.AsyncClient, backend: Backend) -> None:
    letters = DeadLetters(backend.redis)
    ours = await letters.add([(b"tenant", b"acme"), (b"text", b"x" * 1000)], reason="r", attempts=1, source="1")
    await letters.add([(b"tenant", b"globex")], reason="r", attempts=1, source="2")
    listed = (await http.get("/api/dead-letters", params={"tenant": "acme"})).json()
    [letter] = listed["deadLetters"]
    assert (letter["id"], listed["count"], listed["nextBefore"]) == (ours, 2, None)
    assert letter["fields"][1] == {"name": "text", "value": "x" * 300 + "…", "bytes": 1000}


async def test_tenants_are_those_with_data_or_with_an_event(http: httpx2.AsyncClient) -> None:
    event_id = "11111111-1111-4111-8111-111111111111"
    event = {"eventName": "e", "payload": {}, "eventId": event_id}
    for tenant in ("acme", "globex"):
        await http.post("/api/events", json=event, headers={"X-Tenant-Id": tenant})
    await http.put("/api/schemas/payload.X.v1", json={}, headers={"X-Tenant-Id": "initech"})
    await http.post("/api/events", json={"eventName": "e", "payload": {}}, headers={"X-Tenant-Id": "hooli"})
    assert (await http.get("/api/tenants")).json() == {"tenants": ["acme", "globex", "hooli", "initech"]}
    of_event = await http.get("/api/tenants", params={"eventId": event_id})
    assert of_event.json() == {"tenants": ["acme", "globex"]}


async def test_a_failed_event_is_retried_only_where_it_failed(
    http: httpx2.AsyncClient, backend: Backend, workers: None, ingress: None, ended: Ended
) -> None:
    """A published version is missing, as after a restore that was incomplete, and comes back."""
    await http.put("/api/schemas/payload.Ticket.v1", json={"type": "object"})
    await http.put("/api/event-types/ticket.created", json={"payloadSchemaRef": "payload.Ticket.v1"})
    trigger = {"type": "event", "eventName": "ticket.created"}
    for workflow_id in ("good", "missing"):
        body = {"definition": definition(workflow_id, payloadSchemaRef="payload.Ticket.v1", trigger=trigger)}
        assert (await http.post(f"/api/workflows/{workflow_id}/publish", json=body)).status_code == 201
    version = tenant_key(TENANT, "workflow", "missing", "version", 1)
    await backend.redis.rename(version, "aside")
    posted = await http.post("/api/events", json={"eventName": "ticket.created", "payload": {"ticketId": "T-1"}})
    place = posted.headers["location"]
    failed = await explained(http, posted.json()["eventId"])
    assert {target["id"]: target["status"] for target in failed["targets"]} == {
        "trigger:good": "DELIVERED",
        "trigger:missing": "FAILED",
    }
    assert failed["outcome"] == "FAILED"
    listed = (await http.get("/api/events", params={"outcome": "FAILED"})).json()["events"]
    assert "does not exist" in listed[0]["reason"]

    await backend.redis.rename("aside", version)
    retried = await http.post(f"{place}/retry", headers={"X-Actor": "ada"}, params={"reason": "restored"})
    assert (retried.status_code, retried.json()) == (202, {"targets": ["trigger:missing"]})
    done = await explained(http, posted.json()["eventId"])
    assert {target["id"]: (target["status"], target["attempts"]) for target in done["targets"]} == {
        "trigger:good": ("DELIVERED", 1),
        "trigger:missing": ("DELIVERED", 1),
    }
    assert [(row["actor"], row["why"], row["targets"]) for row in done["retries"]] == [
        ("ada", "restored", ["trigger:missing"])
    ]
    for target in done["targets"]:
        assert (await ended(target["runId"]))["run"]["status"] == "SUCCEEDED"
    assert len((await http.get("/api/runs")).json()["runs"]) == 2
    again = await http.post(f"{place}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "NOTHING_FAILED")


@pytest.mark.parametrize("event_id", ["11111111-1111-4111-8111-111111111111", "nonsense"])
async def test_an_event_nobody_knows_is_not_retried(http: httpx2.AsyncClient, event_id: str) -> None:
    answer = await http.post(f"/api/events/{event_id}/retry")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    elsewhere = await http.post(
        "/api/events", json={"eventName": "e", "payload": {}}, headers={"X-Tenant-Id": "globex"}
    )
    assert (await http.post(f"{elsewhere.headers['location']}/retry")).status_code == 404
