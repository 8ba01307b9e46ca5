"""Bundles through the API: an import brings everything or nothing, and an export of it is the same bytes."""

from typing import Any

import httpx2
import pytest
from tests.integration.server.definitions import definition

from workflow_runtime.core.canonical import pretty_json

MOMENT = "2025-03-03T10:00:00.000Z"
SCHEMA = {"type": "object", "properties": {"ticketId": {"type": "string"}}}
CALL = {"actionId": "crm.find", "version": 1, "inputMapping": {}}


def document(**changes: Any) -> dict[str, Any]:
    """A bundle with one workflow that has a draft, a version, a schema and settings of its own."""
    published = definition(payloadSchemaRef="payload.Ticket.v1")
    workflow = {
        "key": "greet-people",
        "metadata": {
            "name": "Greeting, reworked",
            "description": None,
            "payloadSchemaRef": "payload.Ticket.v1",
            "payloadSchemaMode": "pinned",
            "pinnedPayloadSchemaRef": "payload.Ticket.v1",
            "trigger": None,
            "isSystem": False,
            "isVisible": True,
            "isPaused": False,
            "concurrencyLimit": 3,
            "autoPauseOnFailure": True,
            "failureRateThreshold": 0.5,
            "failureRateMinRuns": 10,
            "retentionPolicyOverride": {"days": 7},
        },
        "dependencies": {"actions": [], "nodeTypes": ["state.set"], "schemaRefs": ["payload.Ticket.v1"]},
        "draft": {"draftVersion": 5, "definition": published | {"name": "Greeting, reworked", "version": 2}},
        "publishedVersions": [{"version": 1, "definition": published, "payloadSchemaJson": SCHEMA}],
    }
    head = {"format": "alga-psa.workflow-bundle", "formatVersion": 1, "exportedAt": MOMENT}
    return head | {"workflows": [workflow | changes]}


async def import_(http: httpx2.AsyncClient, bundle: Any, **query: str) -> httpx2.Response:
    return await http.post("/api/bundles/import", json=bundle, params=query)


async def test_an_export_of_an_import_is_the_same_bytes(http: httpx2.AsyncClient) -> None:
    text = pretty_json(document())
    headers = {"Content-Type": "application/json"}
    imported = await http.post("/api/bundles/import", content=text.encode(), headers=headers)
    assert imported.status_code == 200, imported.text
    exported = await http.get("/api/bundles/export", params={"exportedAt": MOMENT})
    assert exported.text == text


async def test_an_imported_workflow_is_there_with_everything(http: httpx2.AsyncClient) -> None:
    [done] = (await import_(http, document())).json()["workflows"]
    assert (done["workflowId"], done["created"], done["addedVersions"]) == ("greeting", True, [1])
    row = (await http.get("/api/workflows/greeting")).json()
    assert (row["key"], row["draftVersion"], row["versions"], row["concurrencyLimit"]) == ("greet-people", 5, [1], 3)
    assert (await http.get("/api/schemas/payload.Ticket.v1")).json()["schema"] == SCHEMA
    started = await http.post("/api/workflows/greeting/runs", json={"payload": {"ticketId": 7}})
    assert started.json()["code"] == "PAYLOAD_INVALID"


async def test_an_import_pins_actions_as_they_are_here_and_exports_the_same_bytes(http: httpx2.AsyncClient) -> None:
    spec = {"id": "crm.find", "version": 1, "inputSchema": True, "outputSchema": {"type": "object"}}
    await http.post("/api/actions", json=spec | {"sideEffectful": False, "taskQueue": "crm", "timeoutMs": 5000})
    steps = [{"id": "find", "type": "action.call", "config": CALL}]
    published = definition(payloadSchemaRef="payload.Ticket.v1", steps=steps)
    needs = {
        "actions": [{"actionId": "crm.find", "version": 1}],
        "nodeTypes": ["action.call"],
        "schemaRefs": ["payload.Ticket.v1"],
    }
    bundle = document(
        dependencies=needs,
        draft={"draftVersion": 5, "definition": published | {"version": 2, "name": "Greeting, reworked"}},
        publishedVersions=[{"version": 1, "definition": published, "payloadSchemaJson": SCHEMA}],
    )
    assert (await import_(http, bundle)).status_code == 200
    version = (await http.get("/api/workflows/greeting/versions/1")).json()
    pin = {"inputSchema": True, "outputSchema": {"type": "object"}, "timeoutMs": 5000}
    assert (version["actionQueues"], version["pinnedActions"]) == ({"crm.find@1": "crm"}, {"crm.find@1": pin})
    exported = await http.get("/api/bundles/export", params={"exportedAt": MOMENT})
    assert exported.text == pretty_json(bundle)


@pytest.mark.parametrize(
    ("bundle", "code"),
    [
        ([], "INVALID_BUNDLE"),
        (document(colour="red"), "INVALID_BUNDLE"),
        (document() | {"format": "other"}, "UNSUPPORTED_FORMAT"),
        (document() | {"formatVersion": 2}, "UNSUPPORTED_FORMAT_VERSION"),
    ],
)
async def test_what_is_no_bundle_is_refused(http: httpx2.AsyncClient, bundle: Any, code: str) -> None:
    answer = await import_(http, bundle)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_one_workflow_can_be_exported_by_name(http: httpx2.AsyncClient) -> None:
    for name in ("a", "b"):
        await http.post(f"/api/workflows/{name}/publish", json={"definition": definition(name)})
    exported = (await http.get("/api/bundles/export", params={"workflowId": "b"})).json()
    assert [item["key"] for item in exported["workflows"]] == ["b"]
    assert (await http.get("/api/bundles/export", params={"workflowId": "c"})).status_code == 404


async def test_what_exists_is_replaced_only_by_force_and_versions_never(http: httpx2.AsyncClient) -> None:
    await import_(http, document())
    again = await import_(http, document())
    assert (again.status_code, again.json()["code"]) == (409, "WORKFLOW_KEY_CONFLICT")
    assert (await import_(http, document(), force="true")).json()["workflows"][0]["addedVersions"] == []
    changed = definition(payloadSchemaRef="payload.Ticket.v1", name="Changed")
    versions = [{"version": 1, "definition": changed, "payloadSchemaJson": SCHEMA}]
    refused = await import_(http, document(publishedVersions=versions), force="true")
    assert (refused.status_code, refused.json()["code"]) == (409, "VERSION_EXISTS")


async def test_missing_dependencies_are_found_whatever_the_bundle_says(http: httpx2.AsyncClient) -> None:
    steps = [{"id": "find", "type": "action.call", "config": CALL}]
    changed = definition(payloadSchemaRef="payload.Other.v1", steps=steps)
    versions = [{"version": 1, "definition": changed, "payloadSchemaJson": None}]
    answer = await import_(http, document(publishedVersions=versions))
    assert (answer.status_code, answer.json()["code"]) == (422, "MISSING_DEPENDENCIES")
    assert {finding["message"] for finding in answer.json()["findings"]} == {
        "greet-people: action crm.find@1",
        "greet-people: payload schema payload.Other.v1",
    }


@pytest.mark.parametrize(
    "version",
    [
        {"version": 1, "definition": definition(steps=[{"id": "x"}]), "payloadSchemaJson": None},
        {"version": 2, "definition": definition(), "payloadSchemaJson": None},
        {"version": 1, "definition": definition("other"), "payloadSchemaJson": None},
        {"version": 1, "definition": definition(payloadSchemaRef="x y"), "payloadSchemaJson": SCHEMA},
        {"version": 1, "definition": definition(), "payloadSchemaJson": {"type": "objekt"}},
        {
            "version": 1,
            "definition": definition(
                steps=[{"id": "a", "type": "transform.assign", "config": {"assign": {"x": {"$expr": "(("}}}}]
            ),
            "payloadSchemaJson": None,
        },
        {
            "version": 1,
            "definition": definition(trigger={"type": "recurring", "cron": "* * * * *", "timezone": "Europe/Belin"}),
            "payloadSchemaJson": None,
        },
    ],
    ids=["unreadable", "other number", "other id", "other ref", "no schema", "no expression", "no time zone"],
)
async def test_a_version_that_could_not_run_refuses_the_whole_import(
    http: httpx2.AsyncClient, version: dict[str, Any]
) -> None:
    good = document(key="good", draft={"draftVersion": 1, "definition": definition("good")}, publishedVersions=[])
    bundle = document(publishedVersions=[version])
    bundle["workflows"] += good["workflows"]
    answer = await import_(http, bundle)
    assert (answer.status_code, answer.json()["code"]) == (422, "SCHEMA_VALIDATION_FAILED")
    assert answer.json()["findings"][0]["message"].startswith("greet-people version")
    assert (await http.get("/api/workflows")).json()["workflows"] == []


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("metadata", "concurrencyLimit"), 0),
        (("metadata", "failureRateThreshold"), 7),
        (("metadata", "failureRateMinRuns"), -1),
        (("draft", "draftVersion"), 0),
    ],
    ids=lambda item: item[-1] if isinstance(item, tuple) else str(item),
)
async def test_settings_that_mean_nothing_refuse_the_whole_import(
    http: httpx2.AsyncClient, where: tuple[str, str], value: int
) -> None:
    bundle = document()
    bundle["workflows"][0][where[0]][where[1]] = value
    answer = await import_(http, bundle)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_BUNDLE")
    assert ".".join(where) in answer.json()["findings"][0]["message"]
    assert (await http.get("/api/workflows")).json()["workflows"] == []


async def test_two_workflows_of_a_bundle_that_share_an_id_conflict(http: httpx2.AsyncClient) -> None:
    bundle = document()
    bundle["workflows"] += document(key="other")["workflows"]
    answer = await import_(http, bundle)
    assert (answer.status_code, answer.json()["code"]) == (422, "WORKFLOW_KEY_CONFLICT")
    assert (await http.get("/api/workflows")).json()["workflows"] == []


async def test_an_import_gives_no_workflow_an_id_that_nobody_could_address(http: httpx2.AsyncClient) -> None:
    draft = {"draftVersion": 1, "definition": {"id": "a/b"}}
    answer = await import_(http, document(draft=draft, publishedVersions=[]))
    assert (answer.status_code, answer.json()["code"]) == (422, "SCHEMA_VALIDATION_FAILED")
    assert "cannot stand in an address" in answer.json()["findings"][0]["message"]


@pytest.mark.parametrize("sign", [b"\xff", b'",  "name": "'], ids=["not UTF-8", "a key twice"])
async def test_a_bundle_that_readers_would_understand_differently_is_refused(
    http: httpx2.AsyncClient, sign: bytes
) -> None:
    text = pretty_json(document()).encode().replace(b"Greeting, reworked", sign)
    answer = await http.post("/api/bundles/import", content=text)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_BUNDLE")
    assert "strict JSON" in answer.json()["detail"]


async def test_workflows_whose_ids_make_the_same_key_are_exported_so_that_they_can_be_imported(
    http: httpx2.AsyncClient,
) -> None:
    for workflow_id in ("Größe", "gr--e", "€", "workflow"):
        saved = await http.post("/api/workflows", json={"definition": {"id": workflow_id}})
        assert saved.status_code == 201
    exported = await http.get("/api/bundles/export", params={"workflowId": ["Größe", "Größe", "€"]})
    keys = [item["key"] for item in exported.json()["workflows"]]
    assert len(keys) == len(set(keys)) == 2
    whole = await http.get("/api/bundles/export")
    assert set(keys) < {item["key"] for item in whole.json()["workflows"]}
    elsewhere = {"X-Tenant-Id": "elsewhere", "Content-Type": "application/json"}
    imported = await http.post("/api/bundles/import", content=whole.content, headers=elsewhere)
    assert imported.status_code == 200, imported.text
