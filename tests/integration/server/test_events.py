"""Events through the API: accepted once, routed by the real ingress, explained afterwards."""

import asyncio
import uuid
from typing import Any

import httpx2
import pytest
from tests.integration.server.conftest import Ended
from tests.integration.server.definitions import definition


async def publish(http: httpx2.AsyncClient, **changes: Any) -> None:
    await http.put("/api/schemas/payload.Ticket.v1", json={"type": "object"})
    await http.put("/api/event-types/ticket.created", json={"payloadSchemaRef": "payload.Ticket.v1"})
    trigger = {"type": "event", "eventName": "ticket.created"}
    body = {"definition": definition(payloadSchemaRef="payload.Ticket.v1", trigger=trigger, **changes)}
    answer = await http.post("/api/workflows/greeting/publish", json=body)
    assert answer.status_code == 201, answer.text


async def explained(http: httpx2.AsyncClient, event_id: str) -> dict[str, Any]:
    """The explanation of an event as soon as its routing is done; fails after a minute."""
    deadline = asyncio.get_running_loop().time() + 60
    while True:
        explanation: dict[str, Any] = (await http.get(f"/api/events/{event_id}")).json()
        if explanation["status"] == "DONE":
            return explanation
        assert asyncio.get_running_loop().time() < deadline, explanation
        await asyncio.sleep(0.05)


async def test_an_event_is_accepted_once(http: httpx2.AsyncClient) -> None:
    event = {"eventName": "ticket.created", "payload": {"ticketId": "T-1"}, "eventId": str(uuid.uuid4())}
    first, again = await http.post("/api/events", json=event), await http.post("/api/events", json=event)
    assert (first.status_code, first.json()["duplicate"]) == (202, False)
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert first.json()["eventId"] == again.json()["eventId"] == event["eventId"]
    assert first.headers["location"] == f"/api/events/{event['eventId']}"


async def test_an_event_says_where_its_keys_came_from(http: httpx2.AsyncClient) -> None:
    posted = await http.post("/api/events", json={"eventName": "e", "payload": {"ticketId": "T-1", "password": "p"}})
    explanation = (await http.get(posted.headers["location"])).json()
    assert explanation["keys"] == [{"key": "T-1", "path": "ticketId"}]
    assert explanation["payload"] == {"ticketId": "T-1", "password": "[REDACTED]"}
    assert (explanation["status"], explanation["source"], explanation["outcome"]) == ("RECEIVED", "api", "ROUTING")


async def test_an_event_starts_the_run_it_triggers(
    http: httpx2.AsyncClient, workers: None, ingress: None, ended: Ended
) -> None:
    await publish(http)
    posted = (
        await http.post("/api/events", json={"eventName": "ticket.created", "payload": {"ticketId": "T-1"}})
    ).json()
    explanation = await explained(http, posted["eventId"])
    [target] = explanation["targets"]
    assert (explanation["outcome"], target["kind"], target["status"]) == ("MATCHED", "trigger", "DELIVERED")
    detail = await ended(target["runId"])
    assert (detail["run"]["status"], detail["run"]["triggerEventId"]) == ("SUCCEEDED", posted["eventId"])
    assert detail["payload"] == {"ticketId": "T-1"}


async def test_an_event_nobody_wants_stays_visible_with_the_reason(http: httpx2.AsyncClient, ingress: None) -> None:
    posted = (await http.post("/api/events", json={"eventName": "nobody.cares", "payload": {}})).json()
    explanation = await explained(http, posted["eventId"])
    assert (explanation["outcome"], explanation["targets"]) == ("UNMATCHED", [])
    assert explanation["reason"]
    listed = (await http.get("/api/events")).json()["events"]
    assert [(event["eventId"], event["outcome"]) for event in listed] == [(posted["eventId"], "UNMATCHED")]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"payload": {}}, "INVALID_REQUEST"),
        ({"eventName": "", "payload": {}}, "INVALID_REQUEST"),
        ({"eventName": "e", "payload": {}, "colour": "red"}, "INVALID_REQUEST"),
        ({"eventName": "e", "payload": {}, "eventId": "not-a-uuid"}, "MALFORMED_EVENT"),
        ({"eventName": "e", "payload": {}, "timestamp": "yesterday"}, "MALFORMED_EVENT"),
        ({"eventName": "e\n", "payload": {}}, "MALFORMED_EVENT"),
    ],
)
async def test_what_is_no_event_is_refused(http: httpx2.AsyncClient, event: dict[str, Any], code: str) -> None:
    answer = await http.post("/api/events", json=event)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await http.get("/api/events")).json()["events"] == []


async def test_tenants_do_not_see_each_others_events(http: httpx2.AsyncClient) -> None:
    posted = await http.post("/api/events", json={"eventName": "e", "payload": {}})
    other = {"X-Tenant-Id": "globex"}
    assert (await http.get(posted.headers["location"], headers=other)).status_code == 404
    assert (await http.get("/api/events", headers=other)).json()["events"] == []


async def test_a_list_holds_what_was_asked_for(http: httpx2.AsyncClient, ingress: None) -> None:
    await publish(http)
    unheard, heard = [
        (await http.post("/api/events", json={"eventName": name, "payload": {}})).json()["eventId"]
        for name in ("nobody.cares", "ticket.created")
    ]
    for event_id in (unheard, heard):
        await explained(http, event_id)
    asked: list[tuple[dict[str, str], list[str]]] = [
        ({"outcome": "UNMATCHED"}, [unheard]),
        ({"outcome": "MATCHED"}, [heard]),
        ({"outcome": "FAILED"}, []),
        ({"eventName": "ticket.created"}, [heard]),
        ({"eventName": "ticket.created", "outcome": "UNMATCHED"}, []),
        ({}, [heard, unheard]),
    ]
    for query, wanted in asked:
        listed = (await http.get("/api/events", params=query)).json()["events"]
        assert [event["eventId"] for event in listed] == wanted, query
    [row] = (await http.get("/api/events", params={"outcome": "UNMATCHED"})).json()["events"]
    assert row["reason"].startswith("unmatched: no workflow is triggered by 'nobody.cares'")
    assert (await http.get("/api/events", params={"outcome": "LOST"})).status_code == 422
