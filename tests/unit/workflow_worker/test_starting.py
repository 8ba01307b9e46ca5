"""From the workflow's argument to a machine, and what of it is refused."""

from typing import Any

import pytest

from workflow_runtime.core.canonical import definition_hash
from workflow_runtime.core.contract import RUNTIME_SEMANTICS_VERSION
from workflow_runtime.core.definition import parse_definition
from workflow_runtime.core.errors import RuntimeFailureError
from workflow_runtime.core.machine import CHECKPOINT_VERSION
from workflow_runtime.core.machine import machine as machine_module
from workflow_worker import starting
from workflow_worker.records import LoadedRun
from workflow_worker.starting import NewerWorkerNeeded, Refusal, Start, build_machine, continued, read_start

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
    refusal = _refused(raw)
    assert (refusal.run, refusal.failure.category, refusal.failure.code) == (None, "ValidationError", "INVALID_INPUT")


@pytest.mark.parametrize("checkpoint", [{}, {"mailbox": {}}, {"mailbox": {"events": 7}, "machine": {}}])
def test_a_damaged_checkpoint_is_the_corruption_of_a_known_run(checkpoint: Any) -> None:
    refusal = _refused({**ARGUMENT, "checkpoint": checkpoint})
    assert refusal.run is not None
    assert (refusal.run.run_id, refusal.failure.category) == ("r", "InterpreterCorruption")
    assert refusal.failure.code == "CHECKPOINT_DAMAGED"


@pytest.mark.parametrize(
    "argument",
    [
        {**ARGUMENT, "checkpoint": {"machine": {"version": CHECKPOINT_VERSION + 1}}},
        {"checkpoint": {"machine": {"version": CHECKPOINT_VERSION + 1}, "letterbox": {}}, "unheardOf": 1},
    ],
)
def test_whatever_comes_with_a_newer_checkpoint_needs_a_newer_worker(argument: Any) -> None:
    needed = read_start(argument)
    assert isinstance(needed, NewerWorkerNeeded)
    assert "at least as new" in str(needed)


def _refused(raw: Any) -> Refusal:
    refusal = read_start(raw)
    assert isinstance(refusal, Refusal)
    return refusal


def _start(argument: Any) -> Start:
    start = read_start(argument)
    assert isinstance(start, Start)
    return start


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
        build_machine(_start(ARGUMENT), loaded)


NEWER: Any = {"runtime_semantics_version": RUNTIME_SEMANTICS_VERSION + 1}


def test_semantics_of_a_newer_worker_need_one_before_the_definition_is_looked_at() -> None:
    with pytest.raises(NewerWorkerNeeded, match=r"semantics version .* at least as new"):
        build_machine(_start(ARGUMENT), _loaded({"steps": "of a kind unheard of"}, **NEWER))


def test_a_run_keeps_the_semantics_it_began_with_on_a_newer_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    argument, loaded = _continued()
    for module in (starting, machine_module):
        monkeypatch.setattr(module, "RUNTIME_SEMANTICS_VERSION", RUNTIME_SEMANTICS_VERSION + 1)
    again = build_machine(_start(argument), loaded.model_copy(update=NEWER))
    assert again.run.runtime_semantics_version == RUNTIME_SEMANTICS_VERSION
    assert build_machine(_start(ARGUMENT), loaded.model_copy(update=NEWER)).run.system() == {
        **again.run.system(),
        "runtimeSemanticsVersion": RUNTIME_SEMANTICS_VERSION + 1,
    }


def test_a_run_rolled_back_to_its_own_semantics_goes_on() -> None:
    argument, loaded = _continued()
    assert build_machine(_start(argument), loaded.model_copy(update=NEWER)).run.run_id == "r"


def test_a_continuation_of_newer_semantics_needs_a_newer_worker() -> None:
    argument, loaded = _continued()
    argument["checkpoint"]["machine"]["run"]["runtimeSemanticsVersion"] += 1
    with pytest.raises(NewerWorkerNeeded):
        build_machine(_start(argument), loaded)


def _continued() -> tuple[dict[str, Any], LoadedRun]:
    """The argument of a run that goes on in a new history, and what it loads there."""
    definition, _ = parse_definition(DEFINITION)
    assert definition is not None
    loaded = _loaded(DEFINITION, definition_hash=definition_hash(definition), payload={"a": 1})
    start = _start(ARGUMENT)
    [argument] = continued(start, build_machine(start, loaded), start.mailbox)
    return argument.model_dump(mode="json", by_alias=True), loaded


def test_a_continued_run_is_the_same_run() -> None:
    argument, loaded = _continued()
    again = build_machine(_start(argument), loaded)
    assert again.checkpoint() == argument["checkpoint"]["machine"]


ORIGIN: dict[str, Any] = {"definitionHash": "h", "createdAt": "2026-01-01T00:00:00.000Z", "payload": "{}"}


@pytest.mark.parametrize("raw", [None, 7, "x", [], {}, {**ORIGIN, "createdAt": 1}, {**ORIGIN, "more": 1}])
def test_a_spare_that_cannot_be_read_is_none(raw: Any) -> None:
    start = read_start(ARGUMENT, raw)
    assert isinstance(start, Start)
    assert start.origin is None


def test_a_continued_run_takes_its_spare_along_without_the_payload_of_its_checkpoint() -> None:
    _, loaded = _continued()
    start = read_start(ARGUMENT, ORIGIN)
    assert isinstance(start, Start)
    _, spare = continued(start, build_machine(start, loaded), start.mailbox)
    assert start.origin is not None
    assert spare == start.origin.model_copy(update={"payload": None})
