"""Input of action calls, older spellings included."""

from typing import Any

import pytest
from tests.unit.core.builders import definition, expr, node

from workflow_runtime.core.actions import BUILTIN_SPECS, effective_input, validate_json
from workflow_runtime.core.actions.inputs import reference_expression
from workflow_runtime.core.actions.transform import run_transform
from workflow_runtime.core.definition import ActionCallConfig, ActionCallStep
from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.core.expressions import compile_expression, resolve_value

OUTPUTS = [
    {
        "id": "o1",
        "label": "Note",
        "stableKey": "note",
        "document": {
            "version": 1,
            "blocks": [
                {"type": "heading", "level": 2, "children": [{"type": "text", "text": "Ticket "}]},
                {
                    "type": "paragraph",
                    "children": [
                        {"type": "text", "text": "Hello ", "marks": ["bold"]},
                        {"type": "reference", "path": "payload.customer.name", "label": "Customer"},
                    ],
                },
            ],
        },
    }
]


def config(**fields: Any) -> ActionCallConfig:
    call = definition(node("action.call", **fields)).steps[0]
    assert isinstance(call, ActionCallStep)
    return call.config


def test_the_mapping_is_the_input() -> None:
    mapping = {"text": expr("payload.ticketId")}
    assert effective_input(config(actionId="transform.trim_text", version=1, inputMapping=mapping)) == mapping


def test_a_designers_document_becomes_input_with_its_references_as_expressions() -> None:
    given = effective_input(config(actionId="transform.compose_text", version=1, outputs=OUTPUTS))
    resolved = resolve_value(given, {"payload": {"customer": {"name": "Ada"}}}, "")
    [spec] = [spec for spec in BUILTIN_SPECS if spec.id == "transform.compose_text"]
    assert validate_json(spec.input_schema, resolved) == []
    assert run_transform(spec.id, resolved, now_iso="") == {"note": "## Ticket \n\n**Hello **Ada"}


def test_an_output_schema_beside_the_mapping_becomes_input_of_the_inference() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    mapping = {"prompt": "p"}
    beside = config(
        actionId="ai.infer", version=1, inputMapping=mapping, aiOutputSchema=schema, aiOutputSchemaMode="simple"
    )
    as_text = config(actionId="ai.infer", version=1, inputMapping=mapping, aiOutputSchemaText='{"type": "object"}')
    assert effective_input(beside) == {"prompt": "p", "outputSchema": schema}
    assert effective_input(as_text) == {"prompt": "p", "outputSchema": {"type": "object"}}


def test_an_output_schema_that_is_no_json_is_refused() -> None:
    with pytest.raises(ValidationFailure):
        effective_input(config(actionId="ai.infer", version=1, aiOutputSchemaText="{"))


@pytest.mark.parametrize(
    ("path", "context", "value"),
    [
        ("payload.a", {"payload": {"a": 1}}, 1),
        ("vars.items[1].name", {"vars": {"items": [{"name": "x"}, {"name": "y"}]}}, "y"),
        ("and.or", {"and": {"or": 2}}, 2),
        ("len", {"len": 3}, 3),
        ("a.$b", {"a": {"$b": 4}}, 4),
        ("$index", {"local": {"index": 5}}, 5),
        (" payload.a ", {"payload": {"a": 6}}, 6),
    ],
)
def test_references_are_names_and_nothing_but_names(path: str, context: dict[str, Any], value: Any) -> None:
    assert compile_expression(reference_expression(path)).evaluate(context, now_iso="") == value


@pytest.mark.parametrize("path", ["", "a b", "a.", ".a", "a[x]", "a`b", "$now()", "a;b", "a[0", "1a"])
def test_anything_else_is_no_reference(path: str) -> None:
    with pytest.raises(ValidationFailure):
        reference_expression(path)
