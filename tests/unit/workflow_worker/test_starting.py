"""From the workflow's argument to a machine, and what of it is refused."""

from typing import Any

import pytest

from workflow_runtime.core.canonical import definition_hash
from workflow_runtime.core.definition import parse_definition
from workflow_runtime.core.errors import CorruptionFailure, RuntimeFailureError, ValidationFailure
from workflow_runtime.core.machine import Machine
from workflow_worker.records import LoadedRun
from workflow_worker.starting import build_machine, continued, parse_start

DEFINITION: dict[str, Any] = {
    "id": "wf",
    "version": 1,
    "name": "N",
    "payloadSchemaRef": "payload.Empty.v1",
    "steps": [{"id": "s", "type": "state.set", "config": {"state": "DONE"}}],
}
ARGUMENT: dict[str, Any] = {"runId": "r", "tenantId": "acme", "workflowId": "wf", "workflowVersion": 1}


@pytest.mark.parametrize("raw", [None, 7, "x", [], {}, {**ARGUMENT, "workflowVersion": "1"}, {**ARGUMENT, "more": 1}])
def test_an_argument_that_is_not_one_is_a_validation_failure(raw: Any) -> None:
    with pytest.raises(ValidationFailure) as refusal:
        parse_start(raw)
    assert refusal.value.code == "INVALID_INPUT"


@pytest.mark.parametrize("checkpoint", [{}, {"mailbox": {}}, {"mailbox": {"events": 7}, "machine": {}}])
def test_a_damaged_checkpoint_is_corruption(checkpoint: Any) -> None:
    with pytest.raises(CorruptionFailure) as refusal:
        parse_start({**ARGUMENT, "checkpoint": checkpoint})
    assert refusal.value.code == "CHECKPOINT_DAMAGED"


def _loaded(definition: Any, **more: Any) -> LoadedRun:
    known = {"definition_hash": "h", "action_queues": {}, "run_started_ms": 0, "runtime_semantics_version": 1}
    return LoadedRun(**{"definition": definition, **known, **more})


@pytest.mark.parametrize(
    "loaded",
    [
        _loaded({}),
        _loaded(
            {"id": "wf", "version": 1, "name": "N", "payloadSchemaRef": "payload.Empty.v1", "steps": [{"id": "x"}]}
        ),
        _loaded({"id": "wf", "version": 1, "name": "N", "payloadSchemaRef": "payload.Empty.v1", "steps": []}),
    ],
)
def test_a_definition_that_cannot_be_run_is_refused_typed(loaded: LoadedRun) -> None:
    with pytest.raises(RuntimeFailureError):
        build_machine(parse_start(ARGUMENT), loaded)


def test_a_continued_run_is_the_same_run() -> None:
    definition, _ = parse_definition(DEFINITION)
    assert definition is not None
    loaded = _loaded(DEFINITION, definition_hash=definition_hash(definition), payload={"a": 1})
    start = parse_start(ARGUMENT)
    machine = build_machine(start, loaded)
    argument = continued(start.run, machine, start.mailbox).model_dump(mode="json", by_alias=True)
    again = build_machine(parse_start(argument), loaded)
    assert isinstance(again, Machine)
    assert again.checkpoint() == machine.checkpoint()
