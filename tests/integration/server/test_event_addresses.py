"""How events are addressed from outside: ids in capitals, tenants beyond Latin-1, cursors that are of no list."""

import uuid

import httpx2

EVENT = {"eventName": "e", "payload": {}}


async def test_an_id_in_capitals_is_the_id_it_was_published_with(http: httpx2.AsyncClient) -> None:
    event_id = str(uuid.uuid4())
    posted = await http.post("/api/events", json=EVENT | {"eventId": event_id.upper()})
    assert (posted.json()["eventId"], posted.headers["location"]) == (event_id, f"/api/events/{event_id}")
    assert (await http.get(f"/api/events/{event_id.upper()}")).json()["eventId"] == event_id
    found = await http.get("/api/tenants", params={"eventId": event_id.upper()})
    assert found.json() == {"tenants": ["acme"]}
    assert (await http.post(f"/api/events/{event_id.upper()}/retry")).json()["code"] == "NOTHING_FAILED"
    page = await http.get(f"/events/{event_id.upper()}", params={"tenant": "acme"})
    assert page.status_code == 200
    assert event_id in page.text


async def test_a_tenant_is_the_same_in_a_header_and_on_the_stream(http: httpx2.AsyncClient) -> None:
    for tenant, header in (("東京", "東京".encode()), ("münchen", "münchen".encode()), ("zürich", b"z\xfcrich")):
        posted = await http.post("/api/events", json=EVENT, headers={b"X-Tenant-Id": header})
        found = await http.get("/api/tenants", params={"eventId": posted.json()["eventId"]})
        assert found.json() == {"tenants": [tenant]}


async def test_a_cursor_of_no_list_is_refused(http: httpx2.AsyncClient) -> None:
    for _ in range(2):
        await http.post("/api/events", json=EVENT)
    first = (await http.get("/api/events", params={"limit": 1})).json()
    second = (await http.get("/api/events", params={"limit": 1, "cursor": first["nextCursor"]})).json()
    assert second["events"][0]["eventId"] != first["events"][0]["eventId"]
    for wrong in ("bogus", f"{5:016d}|{uuid.uuid4()}"):
        answer = await http.get("/api/events", params={"cursor": wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_VALUE")
        assert "pass the nextCursor of the page before" in answer.json()["detail"]
