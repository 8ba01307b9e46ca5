"""Bundles: reading, writing, dependencies."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.builders import TICKET_REF, document, node, state, step

from workflow_runtime.core.bundle import (
    BundleError,
    bundle_text,
    dependencies_of,
    missing_dependencies,
    parse_bundle,
)
from workflow_runtime.core.canonical import pretty_json


def call(version: int = 1) -> dict[str, Any]:
    return node("action.call", "c", actionId="crm.create", version=version)


def workflow(key: str = "ticket", **changes: Any) -> dict[str, Any]:
    usual = {
        "key": key,
        "metadata": {
            "name": "Ticket",
            "description": None,
            "payloadSchemaRef": TICKET_REF,
            "payloadSchemaMode": "pinned",
            "pinnedPayloadSchemaRef": TICKET_REF,
            "trigger": {"type": "event", "eventName": "TICKET_CREATED"},
            "isSystem": False,
            "isVisible": True,
            "isPaused": False,
            "concurrencyLimit": None,
            "autoPauseOnFailure": False,
            "failureRateThreshold": 0.5,
            "failureRateMinRuns": 10,
            "retentionPolicyOverride": None,
        },
        "dependencies": {
            "actions": [{"actionId": "crm.create", "version": 1}],
            "nodeTypes": ["action.call", "state.set"],
            "schemaRefs": [TICKET_REF],
        },
        "draft": {"draftVersion": 3, "definition": document(state(), call())},
        "publishedVersions": [{"version": 1, "definition": document(state()), "payloadSchemaJson": {"type": "object"}}],
    }
    return {**usual, **changes}


def bundle(*workflows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    usual = {
        "format": "alga-psa.workflow-bundle",
        "formatVersion": 1,
        "exportedAt": "2026-05-04T03:02:01.000Z",
        "workflows": list(workflows or (workflow(),)),
    }
    return {**usual, **changes}


def refusal(data: Any) -> BundleError:
    with pytest.raises(BundleError) as caught:
        parse_bundle(data if isinstance(data, str) else json.dumps(data))
    return caught.value


def test_an_export_of_an_import_is_the_same_bytes() -> None:
    text = pretty_json(bundle(workflow("a"), workflow("b")))
    assert bundle_text(parse_bundle(text)) == text
    assert text.endswith("}\n")


def test_order_and_white_space_of_the_source_do_not_matter() -> None:
    versions = [{"version": n, "definition": document(state()), "payloadSchemaJson": None} for n in (2, 1)]
    scrambled = json.dumps(bundle(workflow("b", publishedVersions=versions), workflow("a")))
    parsed = parse_bundle(scrambled)
    assert [item.key for item in parsed.workflows] == ["a", "b"]
    assert [version.version for version in parsed.workflows[1].published_versions] == [1, 2]
    assert bundle_text(parse_bundle(bundle_text(parsed))) == bundle_text(parsed)


def test_dependencies_are_recomputed_and_never_believed() -> None:
    lying = workflow(dependencies={"actions": [], "nodeTypes": ["x"], "schemaRefs": []})
    needs = parse_bundle(json.dumps(bundle(lying))).workflows[0].dependencies
    assert [(action.action_id, action.version) for action in needs.actions] == [("crm.create", 1)]
    assert needs.node_types == ("action.call", "state.set")
    assert needs.schema_refs == (TICKET_REF,)


def test_dependencies_include_nested_steps_and_the_triggers_source() -> None:
    inner = step("control.tryCatch", "t", **{"try": [call(2)], "catch": []})
    trigger = {"type": "event", "eventName": "E", "sourcePayloadSchemaRef": "payload.E.v1", "payloadMapping": {}}
    needs = dependencies_of([document(inner, trigger=trigger), {"broken": True}])
    assert [(action.action_id, action.version) for action in needs.actions] == [("crm.create", 2)]
    assert needs.node_types == ("action.call", "control.tryCatch")
    assert needs.schema_refs == ("payload.E.v1", TICKET_REF)


def test_a_draft_may_be_invalid() -> None:
    draft = {"draftVersion": 1, "definition": {"steps": "later"}}
    text = pretty_json(bundle(workflow(draft=draft)))
    assert parse_bundle(text).workflows[0].draft.definition == {"steps": "later"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"format": "other"}, "UNSUPPORTED_FORMAT"),
        ({"format": None}, "UNSUPPORTED_FORMAT"),
        ({"formatVersion": 2}, "UNSUPPORTED_FORMAT_VERSION"),
        ({"formatVersion": True}, "UNSUPPORTED_FORMAT_VERSION"),
        ({"formatVersion": "1"}, "UNSUPPORTED_FORMAT_VERSION"),
        ({"workflows": {}}, "INVALID_BUNDLE"),
        ({"extra": 1}, "INVALID_BUNDLE"),
        ({"exportedAt": None}, "INVALID_BUNDLE"),
        ({"workflows": [{}]}, "INVALID_BUNDLE"),
    ],
)
def test_a_bundle_of_another_shape_is_refused(change: dict[str, Any], code: str) -> None:
    assert refusal({**bundle(), **change}).code == code


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "NaN", '{"a": "\\ud800"}', "[" * 10_000, b"\xff".decode("latin-1")]
)
def test_what_is_no_json_object_is_refused(text: str) -> None:
    assert refusal(text).code == "INVALID_BUNDLE"


@pytest.mark.parametrize("key", ["", "Ticket", "-a", "a b", "ä", "a/b", "a\n"])
def test_keys_are_plain(key: str) -> None:
    assert refusal(bundle(workflow(key))).code == "INVALID_BUNDLE"


def test_two_workflows_with_one_key_are_refused() -> None:
    failure = refusal(bundle(workflow("a"), workflow("b"), workflow("a")))
    assert failure.code == "WORKFLOW_KEY_CONFLICT"
    assert failure.details == {"problems": ["a"]}


def test_a_published_definition_must_read() -> None:
    version = {"version": 4, "definition": document({"id": "x", "type": "no.such"}), "payloadSchemaJson": None}
    failure = refusal(bundle(workflow(publishedVersions=[version])))
    assert failure.code == "SCHEMA_VALIDATION_FAILED"
    assert failure.details["problems"][0].startswith("ticket version 4: root.steps[0]: There is no step type")


def test_a_version_may_be_there_once_only() -> None:
    version = {"version": 1, "definition": document(state()), "payloadSchemaJson": None}
    assert refusal(bundle(workflow(publishedVersions=[version, version]))).code == "SCHEMA_VALIDATION_FAILED"


def test_what_the_importer_lacks_is_listed() -> None:
    other = document(call(), payloadSchemaRef="payload.Brought.v1")
    versions = [
        {"version": 1, "definition": document(call()), "payloadSchemaJson": None},
        {"version": 2, "definition": other, "payloadSchemaJson": {"type": "object"}},
    ]
    parsed = parse_bundle(json.dumps(bundle(workflow(publishedVersions=versions))))
    assert missing_dependencies(parsed, [], []) == [
        "ticket: action crm.create@1",
        f"ticket: payload schema {TICKET_REF}",
    ]
    assert missing_dependencies(parsed, [("crm.create", 1)], [TICKET_REF]) == []


JSON = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(JSON)
def test_any_json_in_a_draft_survives_the_round_trip(value: Any) -> None:
    source = bundle(workflow(draft={"draftVersion": 1, "definition": {"steps": value}}))
    text = bundle_text(parse_bundle(json.dumps(source)))
    assert bundle_text(parse_bundle(text)) == text
    assert json.loads(text)["workflows"][0]["draft"]["definition"] == {"steps": value}
