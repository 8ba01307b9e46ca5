"""The bundle document: what is read, what is refused, what a workflow depends on, and its canonical text."""

import json
from typing import Any

import pytest

from workflow_server.bundle_format import bundle_text, dependencies_of, parse_bundle
from workflow_server.bundles import key_of
from workflow_server.problems import ProblemError


def workflow(key: str = "greeting", **changes: Any) -> dict[str, Any]:
    definition = {"id": key, "version": 1, "name": "G", "payloadSchemaRef": "payload.Empty.v1", "steps": []}
    return {
        "key": key,
        "metadata": {"name": "G"},
        "dependencies": {"actions": [], "nodeTypes": [], "schemaRefs": []},
        "draft": {"draftVersion": 1, "definition": definition},
        "publishedVersions": [],
    } | changes


def bundle(*workflows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    head = {"format": "alga-psa.workflow-bundle", "formatVersion": 1, "exportedAt": "2025-03-03T10:00:00.000Z"}
    return head | {"workflows": list(workflows)} | changes


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ([], "INVALID_BUNDLE"),
        ({"workflows": []}, "INVALID_BUNDLE"),
        (bundle(workflow(), workflow()), "INVALID_BUNDLE"),
        (bundle(format="other"), "UNSUPPORTED_FORMAT"),
        (bundle(formatVersion=2), "UNSUPPORTED_FORMAT_VERSION"),
        (bundle(formatVersion=True), "UNSUPPORTED_FORMAT_VERSION"),
        (bundle(colour="red"), "SCHEMA_VALIDATION_FAILED"),
        (bundle(workflow(key="Upper")), "SCHEMA_VALIDATION_FAILED"),
        (bundle(workflow(metadata={})), "SCHEMA_VALIDATION_FAILED"),
        (bundle(workflow(publishedVersions=[{"version": 0, "definition": {}}])), "SCHEMA_VALIDATION_FAILED"),
    ],
)
def test_what_is_no_bundle_is_refused_with_its_code(data: Any, code: str) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_bundle(data)
    assert (caught.value.status_code, caught.value.code) == (422, code)


def test_the_text_of_a_bundle_is_canonical() -> None:
    text = bundle_text(parse_bundle(bundle(workflow("b"), workflow("a"))))
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert [item["key"] for item in json.loads(text)["workflows"]] == ["a", "b"]
    assert bundle_text(parse_bundle(json.loads(text))) == text


def test_dependencies_come_from_the_definitions_and_not_from_what_the_bundle_says() -> None:
    call = {"id": "c", "type": "action.call", "config": {"actionId": "crm.find", "version": 2}}
    steps = [{"id": "i", "type": "control.if", "then": [call], "else": [{"id": "x", "type": "no.such"}]}]
    trigger = {"type": "event", "eventName": "e", "sourcePayloadSchemaRef": "payload.E.v1"}
    draft = {"id": "g", "steps": steps, "trigger": trigger, "payloadSchemaRef": "payload.G.v1"}
    told = workflow(dependencies={"actions": [], "nodeTypes": ["state.set"], "schemaRefs": []})
    [parsed] = parse_bundle(bundle(told | {"draft": {"draftVersion": 1, "definition": draft}})).workflows
    found = dependencies_of(parsed)
    assert [(action.action_id, action.version) for action in found.actions] == [("crm.find", 2)]
    assert found.node_types == ("action.call", "control.if", "no.such")
    assert found.schema_refs == ("payload.E.v1", "payload.G.v1")


@pytest.mark.parametrize(
    ("workflow_id", "key"), [("ok", "ok"), ("Größe 7", "gr--e-7"), ("..x", "x"), ("///", "workflow")]
)
def test_a_workflow_without_a_key_of_its_own_gets_one_that_a_bundle_may_have(workflow_id: str, key: str) -> None:
    assert key_of(workflow_id) == key
    assert parse_bundle(bundle(workflow(key))).workflows[0].key == key
