"""Drafts, publishing, versions and settings through the API, on a real Redis."""

from typing import Any

import httpx2
import pytest
from tests.integration.server.definitions import broken, definition


async def publish(http: httpx2.AsyncClient, workflow_id: str = "greeting", **changes: Any) -> httpx2.Response:
    body = {"definition": definition(workflow_id, **changes)}
    return await http.post(f"/api/workflows/{workflow_id}/publish", json=body)


async def test_a_published_definition_is_there_with_its_hash_and_pins(http: httpx2.AsyncClient) -> None:
    answer = await publish(http)
    assert answer.status_code == 201
    assert answer.headers["location"] == "/api/workflows/greeting/versions/1"
    version = (await http.get(answer.headers["location"])).json()
    assert version["definition"] == definition()
    assert version["hash"] == answer.json()["hash"]
    assert version["actionQueues"] == {}


async def test_a_broken_definition_is_refused_with_every_finding(http: httpx2.AsyncClient) -> None:
    answer = await http.post("/api/workflows/greeting/publish", json={"definition": broken()})
    body = answer.json()
    assert (answer.status_code, body["code"]) == (422, "DEFINITION_INVALID")
    found = {(finding["code"], finding["stepPath"]) for finding in body["findings"]}
    assert ("UNKNOWN_NODE_TYPE", "root.steps[0]") in found
    assert ("INVALID_CONFIG", "root.steps[1]") in found
    assert ("INVALID_CONFIG", "root.steps[2]") in found


async def test_a_refused_definition_leaves_nothing_behind(http: httpx2.AsyncClient) -> None:
    await http.post("/api/workflows/greeting/publish", json={"definition": broken()})
    assert (await http.get("/api/workflows/greeting")).status_code == 404


async def test_a_draft_may_be_broken_and_says_what_is_wrong(http: httpx2.AsyncClient) -> None:
    answer = await http.post("/api/workflows", json={"definition": broken()})
    assert answer.status_code == 201
    assert answer.json()["status"] == "draft"
    assert {finding["code"] for finding in answer.json()["findings"]} >= {"UNKNOWN_NODE_TYPE", "INVALID_CONFIG"}


async def test_publishing_without_a_body_publishes_the_draft(http: httpx2.AsyncClient) -> None:
    await http.post("/api/workflows", json={"definition": definition(name="Drafted")})
    assert (await http.post("/api/workflows/greeting/publish")).status_code == 201
    workflow = (await http.get("/api/workflows/greeting")).json()
    assert (workflow["status"], workflow["versions"], workflow["name"]) == ("published", [1], "Drafted")


async def test_a_version_never_changes(http: httpx2.AsyncClient) -> None:
    await publish(http)
    assert (await publish(http)).status_code == 201
    answer = await publish(http, name="Other")
    assert (answer.status_code, answer.json()["code"]) == (409, "VERSION_EXISTS")
    body = {"definition": definition(name="Other"), "version": 2}
    assert (await http.post("/api/workflows/greeting/publish", json=body)).json()["version"] == 2
    listed = (await http.get("/api/workflows/greeting/versions")).json()["versions"]
    assert [version["version"] for version in listed] == [1, 2]


async def test_publishing_the_same_again_leaves_the_draft_as_it_is(http: httpx2.AsyncClient) -> None:
    for _ in range(2):
        await publish(http)
    assert (await http.get("/api/workflows/greeting")).json()["draftVersion"] == 1


async def test_a_draft_that_somebody_else_changed_is_not_overwritten(http: httpx2.AsyncClient) -> None:
    await http.post("/api/workflows", json={"definition": definition()})
    body = {"definition": definition(name="Mine"), "expectedDraftVersion": 0}
    answer = await http.post("/api/workflows", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")


async def test_the_definition_must_be_the_one_the_path_names(http: httpx2.AsyncClient) -> None:
    answer = await http.post("/api/workflows/other/publish", json={"definition": definition()})
    assert (answer.status_code, answer.json()["code"]) == (422, "WORKFLOW_ID_MISMATCH")


@pytest.mark.parametrize(
    ("verb", "state"), [("pause", "paused"), ("resume", "published"), ("archive", "archived"), ("restore", "published")]
)
async def test_the_state_of_a_workflow_changes_and_shows(http: httpx2.AsyncClient, verb: str, state: str) -> None:
    await publish(http)
    answer = await http.post(f"/api/workflows/greeting/{verb}")
    assert (answer.status_code, answer.json()["state"]) == (200, state)
    assert (await http.get("/api/workflows/greeting")).json()["state"] == state


async def test_an_archived_workflow_takes_no_version(http: httpx2.AsyncClient) -> None:
    await publish(http)
    await http.post("/api/workflows/greeting/archive")
    answer = await publish(http, version=2)
    assert (answer.status_code, answer.json()["code"]) == (409, "ARCHIVED")


async def test_settings_change_one_by_one(http: httpx2.AsyncClient) -> None:
    await publish(http)
    await http.patch("/api/workflows/greeting", json={"concurrencyLimit": 2})
    row = (await http.patch("/api/workflows/greeting", json={"isVisible": False})).json()
    assert (row["concurrencyLimit"], row["isVisible"], row["isPaused"]) == (2, False, False)
    answer = await http.patch("/api/workflows/greeting", json={"concurrencyLimit": 0})
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")


async def test_workflows_are_listed_in_pages(http: httpx2.AsyncClient) -> None:
    for name in ("b", "a", "c"):
        await publish(http, name)
    first = (await http.get("/api/workflows", params={"limit": 2})).json()
    rest = (await http.get("/api/workflows", params={"limit": 2, "cursor": first["nextCursor"]})).json()
    assert [row["workflowId"] for row in [*first["workflows"], *rest["workflows"]]] == ["a", "b", "c"]
    assert rest["nextCursor"] is None


async def test_tenants_do_not_see_each_other(http: httpx2.AsyncClient) -> None:
    await publish(http)
    other = {"X-Tenant-Id": "globex"}
    assert (await http.get("/api/workflows/greeting", headers=other)).status_code == 404
    assert (await http.get("/api/workflows", headers=other)).json()["workflows"] == []


async def test_a_tenant_that_could_not_be_a_key_is_refused(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/api/workflows", headers={"X-Tenant-Id": "a{b}"})
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_NAME")


async def test_without_a_header_the_tenant_is_the_default_one(http: httpx2.AsyncClient) -> None:
    await http.post(
        "/api/workflows/greeting/publish", json={"definition": definition()}, headers={"X-Tenant-Id": "default"}
    )
    del http.headers["X-Tenant-Id"]
    assert (await http.get("/api/workflows/greeting")).json()["tenantId"] == "default"


@pytest.mark.parametrize("workflow_id", ["a/b", "a\0b", "a\r\nSet-Cookie: x", " ", ".", "..", "x" * 201], ids=ascii)
async def test_a_draft_under_an_id_that_nobody_could_address_is_refused(
    http: httpx2.AsyncClient, workflow_id: str
) -> None:
    answer = await http.post("/api/workflows", json={"definition": {"id": workflow_id}})
    assert (answer.status_code, answer.json()["code"]) == (422, "WORKFLOW_ID_INVALID")
    assert (await http.get("/api/workflows")).json()["workflows"] == []


@pytest.mark.parametrize("workflow_id", ["€ 5", "__proto__", "Größe?#%", "a+b", "日本語"])
async def test_an_id_may_hold_any_letter(http: httpx2.AsyncClient, workflow_id: str) -> None:
    saved = await http.post("/api/workflows", json={"definition": definition(workflow_id)})
    assert saved.status_code == 201, saved.text
    assert (await http.get(saved.headers["location"])).json()["workflowId"] == workflow_id
    published = await http.post(f"{saved.headers['location']}/publish")
    assert published.status_code == 201, published.text
    assert (await http.get(published.headers["location"])).json()["definition"]["id"] == workflow_id


async def test_a_version_beyond_what_can_be_sorted_is_refused(http: httpx2.AsyncClient) -> None:
    """The store keeps versions in the order of doubles: these two would be one."""
    answer = await http.post("/api/workflows/greeting/publish", json={"definition": definition(version=2**53)})
    assert (answer.status_code, answer.json()["code"]) == (422, "DEFINITION_INVALID")
    answer = await http.post("/api/workflows/greeting/publish", json={"definition": definition(version=2**53 - 1)})
    assert answer.status_code == 201, answer.text
