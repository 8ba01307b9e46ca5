"""Short ways to write definitions and environments in tests."""

from collections.abc import Mapping
from typing import Any

from workflow_runtime.core.actions import BUILTIN_SPECS
from workflow_runtime.core.definition import Definition, Finding, parse_definition
from workflow_runtime.core.validation import CalledWorkflow, Environment, LoadedWorkflows, validate_for_publish

TICKET_REF = "payload.Ticket.v1"
TICKET_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "ticketId": {"type": "string"},
        "count": {"type": "integer"},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"price": {"type": "number"}}}},
        "customer": {
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "additionalProperties": False,
        },
    },
    "required": ["ticketId"],
    "additionalProperties": False,
}


def expr(text: str) -> dict[str, str]:
    return {"$expr": text}


def step(type_: str, id_: str = "s", **fields: Any) -> dict[str, Any]:
    return {"id": id_, "type": type_, **fields}


def node(type_: str, id_: str = "s", **config: Any) -> dict[str, Any]:
    return {"id": id_, "type": type_, "config": config}


def state(id_: str = "s") -> dict[str, Any]:
    return node("state.set", id_, state="X")


def document(*steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": "wf",
        "version": 1,
        "name": "Workflow",
        "payloadSchemaRef": TICKET_REF,
        "steps": list(steps),
        **fields,
    }


def definition(*steps: dict[str, Any], **fields: Any) -> Definition:
    parsed, findings = parse_definition(document(*steps, **fields))
    assert parsed is not None, findings
    return parsed


def environment(**changes: Any) -> Environment:
    known: dict[str, Any] = {
        "actions": {spec.key: spec for spec in BUILTIN_SPECS},
        "schemas": {TICKET_REF: TICKET_SCHEMA, "payload.Other.v1": {"type": "object"}},
        "events": {"TICKET_CREATED": TICKET_REF, "OTHER": "payload.Other.v1"},
        "secrets": frozenset({"API_KEY"}),
        "timezones": frozenset({"UTC", "Europe/Berlin"}),
    }
    return Environment(**{**known, **changes})


def findings_of(*steps: dict[str, Any], env: Environment | None = None, **fields: Any) -> list[Finding]:
    return validate_for_publish(definition(*steps, **fields), env or environment())


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code.value for finding in findings]


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, [(finding.code.value, finding.message) for finding in findings]
    return findings[0]


def without(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in names}


def call(workflow_id: str, version: int = 1, **fields: Any) -> dict[str, Any]:
    return step("control.callWorkflow", workflowId=workflow_id, workflowVersion=version, **fields)


def action(action_id: str = "transform.truncate_text", version: int = 1, **config: Any) -> dict[str, Any]:
    return node("action.call", actionId=action_id, version=version, **config)


CALLED = LoadedWorkflows(
    {
        ("child", 1): CalledWorkflow(TICKET_SCHEMA),
        ("caller", 1): CalledWorkflow(True, (("wf", 1),)),
        ("far", 1): CalledWorkflow(True, (("caller", 1),)),
        ("loop", 1): CalledWorkflow(True, (("loop", 2),)),
        ("loop", 2): CalledWorkflow(True, (("loop", 1),)),
        ("older", 1): CalledWorkflow(True, (("wf", 7),)),
    }
)
"""Published workflows to call: one that takes a ticket, and some that call others."""
