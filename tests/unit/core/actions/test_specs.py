"""The built-in actions as data."""

import json
from typing import Any

import pytest

from workflow_runtime.core.actions import BUILTIN_SPECS, ActionSpec, action_key, check_schema, validate_json
from workflow_runtime.core.actions.transform import TRANSFORM_IDS, run_transform
from workflow_runtime.core.contract import AUTHORED_QUEUE

EXAMPLES = [(spec, example) for spec in BUILTIN_SPECS for example in spec.examples]
CONTRACT = {
    "transform": "parse_json query_json stringify_json compose_text regex_match regex_extract regex_replace "
    "truncate_text concat_text replace_text split_text join_text lowercase_text uppercase_text trim_text "
    "coalesce_value build_object pick_fields rename_fields append_array build_array",
    "store": "get set delete increment list list_namespaces",
    "links": "upsert lookup delete list list_namespaces",
    "notifications": "send_in_app",
    "http": "request",
}
CHANGES = {
    *("store.set", "store.delete", "store.increment", "links.upsert", "links.delete"),
    *("notifications.send_in_app", "http.request"),
}


def test_every_action_of_the_contract_is_there_once() -> None:
    wanted = {f"{family}.{name}" for family, names in CONTRACT.items() for name in names.split()}
    assert {spec.id for spec in BUILTIN_SPECS} == wanted
    assert len(BUILTIN_SPECS) == len(wanted)
    assert {id_ for id_ in wanted if id_.startswith("transform.")} == set(TRANSFORM_IDS)


def test_only_actions_that_change_something_are_side_effectful() -> None:
    assert {spec.id for spec in BUILTIN_SPECS if spec.side_effectful} == CHANGES


@pytest.mark.parametrize("spec", BUILTIN_SPECS, ids=lambda spec: spec.id)
def test_a_spec_is_usable_and_travels_as_json(spec: ActionSpec) -> None:
    assert check_schema(spec.input_schema) == []
    assert check_schema(spec.output_schema) == []
    assert spec.task_queue == AUTHORED_QUEUE
    assert spec.ui is not None
    assert set(spec.ui) == {"label", "category", "description"}
    assert ActionSpec.model_validate_json(spec.model_dump_json(by_alias=True)) == spec
    assert set(json.loads(spec.model_dump_json(by_alias=True))) >= {"inputSchema", "sideEffectful", "taskQueue"}


@pytest.mark.parametrize(("spec", "example"), EXAMPLES, ids=lambda value: getattr(value, "id", ""))
def test_examples_fit_their_schemas_and_are_true(spec: ActionSpec, example: dict[str, Any]) -> None:
    assert validate_json(spec.input_schema, example["input"]) == []
    assert validate_json(spec.output_schema, example["output"]) == []
    if spec.id in TRANSFORM_IDS:
        assert run_transform(spec.id, example["input"], now_iso="") == example["output"]


def test_every_transform_has_an_example() -> None:
    assert {spec.id for spec, _ in EXAMPLES} >= set(TRANSFORM_IDS)


def test_a_key_names_id_and_version() -> None:
    assert action_key("store.get", 1) == BUILTIN_SPECS[[spec.id for spec in BUILTIN_SPECS].index("store.get")].key


@pytest.mark.parametrize(
    ("id_", "given"),
    [
        ("http.request", {"url": "https://x.org", "json": 1, "body": "x"}),
        ("http.request", {"url": "https://x.org", "method": "TRACE"}),
        ("links.delete", {"namespace": "n"}),
        ("store.set", {"namespace": "n", "key": "k"}),
        ("store.set", {"namespace": "", "key": "k", "value": 1}),
        ("notifications.send_in_app", {"recipients": {"user_ids": []}, "title": "t", "body": "b"}),
        ("transform.compose_text", {}),
        ("transform.truncate_text", {"maxLength": -1}),
        ("transform.trim_text", {"txt": "x"}),
    ],
)
def test_input_that_makes_no_sense_is_refused(id_: str, given: dict[str, Any]) -> None:
    [spec] = [spec for spec in BUILTIN_SPECS if spec.id == id_]
    assert validate_json(spec.input_schema, given)
