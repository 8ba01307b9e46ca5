"""Checks of ``control.callWorkflow`` steps. Private to ``core.validation``."""

from workflow_runtime.core.definition import CallWorkflowStep, Definition
from workflow_runtime.core.didyoumean import did_you_mean
from workflow_runtime.core.findings import FindingCode
from workflow_runtime.core.validation._mapping import Source, check_mapping
from workflow_runtime.core.validation._report import Place
from workflow_runtime.core.validation.environment import Environment, Workflows, WorkflowVersion


def check_call(
    place: Place, step: CallWorkflowStep, definition: Definition, environment: Environment, source: Source | None
) -> None:
    """The called version is published, never calls back, and gets a payload that can fit."""
    called = (step.workflow_id, step.workflow_version)
    own = (definition.id, definition.version)
    cycle = _cycle(own, called, environment.workflows)
    if cycle is not None:
        path = " -> ".join(f"{workflow_id}@{version}" for workflow_id, version in cycle)
        place.error(FindingCode.CALL_WORKFLOW_CYCLE, f"The call would never end: {path}.")
    if called == own:
        return
    found = environment.workflows.find(*called)
    if found is None:
        _unknown(place, step, environment)
    else:
        check_mapping(place, "inputMapping", step.input_mapping, found.payload_schema, source)


def _cycle(own: WorkflowVersion, called: WorkflowVersion, workflows: Workflows) -> tuple[WorkflowVersion, ...] | None:
    """The calls from ``own`` through ``called`` back to any version on the way, if there are such."""
    done: set[WorkflowVersion] = set()
    todo: list[tuple[WorkflowVersion, ...]] = [(own, called)]
    while todo:
        path = todo.pop()
        last = path[-1]
        if last in path[:-1]:
            return path
        if last in done:
            continue
        done.add(last)
        found = workflows.find(*last)
        todo.extend((*path, inner) for inner in (found.calls if found is not None else ()))
    return None


def _unknown(place: Place, step: CallWorkflowStep, environment: Environment) -> None:
    known = environment.workflows.known()
    versions = known.get(step.workflow_id)
    if versions:
        found = ", ".join(str(version) for version in versions)
        hint: str | None = f"Published versions of {step.workflow_id}: {found}."
    else:
        hint = did_you_mean(step.workflow_id, known)
    place.error(
        FindingCode.CALL_WORKFLOW_UNKNOWN,
        f"Version {step.workflow_version} of workflow {step.workflow_id!r} is not published; publish it first.",
        hint,
    )
