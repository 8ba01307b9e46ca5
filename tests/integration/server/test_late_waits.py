"""An event that nobody wanted when it came and that a later wait took, as API and page show it."""

import httpx2
from redis.asyncio import Redis
from tests.integration.server.conftest import TENANT
from tests.integration.server.test_events import explained

from workflow_runtime.store.events import Wait
from workflow_runtime.store.waits import WaitIndex


async def taken_later(http: httpx2.AsyncClient, redis: Redis) -> str:
    """The id of such an event."""
    posted = await http.post("/api/events", json={"eventName": "paid", "payload": {"ticketId": "T-1"}})
    event_id: str = posted.json()["eventId"]
    assert (await explained(http, event_id))["outcome"] == "UNMATCHED"
    wait = Wait(tenant_id=TENANT, run_id="run-1", wait_id="w", event_name="paid", correlation_key="T-1")
    [signal] = await WaitIndex(redis).register(wait)
    assert signal.event_id == event_id
    await WaitIndex(redis).resolve(TENANT, "run-1", "w", event_id=event_id)
    return event_id


async def test_an_event_that_a_later_wait_took_is_matched(
    http: httpx2.AsyncClient, redis_client: Redis, ingress: None
) -> None:
    event_id = await taken_later(http, redis_client)
    explanation = await explained(http, event_id)
    assert (explanation["outcome"], explanation["reason"], explanation["targets"]) == ("MATCHED", None, [])
    for outcome, wanted in (("MATCHED", [event_id]), ("UNMATCHED", [])):
        listed = (await http.get("/api/events", params={"outcome": outcome})).json()["events"]
        assert [(row["eventId"], row["reason"]) for row in listed] == [(found, None) for found in wanted]


async def test_the_page_shows_the_wait_that_took_it(
    http: httpx2.AsyncClient, redis_client: Redis, ingress: None
) -> None:
    event_id = await taken_later(http, redis_client)
    page = (await http.get(f"/events/{event_id}", params={"tenant": TENANT})).text
    assert "Nowhere when it came. A wait that opened later took it." in page
    assert "Waits it resolved" in page
    assert f"/runs/run-1?tenant={TENANT}" in page
