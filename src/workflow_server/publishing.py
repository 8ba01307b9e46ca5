"""Judges, saves and publishes definitions, and changes what is known of a workflow. Process code only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflow_runtime.core.actions import ActionPin, ActionSpec, action_key, pin_action
from workflow_runtime.core.definition import Definition, called_actions
from workflow_runtime.core.findings import Finding, has_errors
from workflow_runtime.core.validation import validate_document
from workflow_runtime.service.launch import start_admitted
from workflow_runtime.store.catalog import PublishedVersion, WorkflowRow
from workflow_server.backend import Backend
from workflow_server.environment import load_environment
from workflow_server.problems import ProblemError
from workflow_server.schedules import follow_trigger


@dataclass(frozen=True, slots=True)
class Published:
    """A version that is published now, and what its author may want to know of it."""

    version: PublishedVersion
    warnings: tuple[Finding, ...]


async def judge(work: Backend, tenant: str, data: Any) -> tuple[Definition | None, list[Finding]]:
    """Everything there is to say about a definition; no definition when it cannot be read as one."""
    return validate_document(data, await load_environment(work, tenant, data))


async def publish(
    work: Backend, tenant: str, workflow_id: str, *, definition: Any = None, version: int | None = None
) -> Published:
    """Publish a definition, by default the draft; ``version`` replaces the number that stands in it.

    A definition that is given becomes the draft as well. Raises `ProblemError` 422 DEFINITION_INVALID with every
    finding, 409 VERSION_EXISTS or ARCHIVED, 404 when there is neither.
    """
    data = await _numbered(work, tenant, workflow_id, definition, version)
    parsed, findings = await judge(work, tenant, data)
    if parsed is None or has_errors(findings):
        raise definition_invalid(workflow_id, findings)
    actions, schema = await work.known_actions(tenant), await work.schemas.get_schema(tenant, parsed.payload_schema_ref)
    published = await work.catalog.publish(
        tenant,
        workflow_id,
        parsed.version,
        data,
        action_queues=pinned_queues(parsed, actions),
        pinned_actions=pinned_actions(parsed, actions),
        payload_schema=schema,
    )
    if definition is not None:
        await _keep_as_draft(work, tenant, workflow_id, data)
    await follow_trigger(work, tenant, workflow_id)
    return Published(published, tuple(findings))


async def _keep_as_draft(work: Backend, tenant: str, workflow_id: str, data: dict[str, Any]) -> None:
    draft = await work.catalog.get_draft(tenant, workflow_id)
    if draft is None or draft.definition != data:
        await work.catalog.save_draft(tenant, workflow_id, data)


def pinned_queues(definition: Definition, actions: Mapping[tuple[str, int], ActionSpec]) -> dict[str, str]:
    """The queue of every action the definition calls, by ``<id>@<version>``: where its runs will send them for good."""
    return {action_key(*called): actions[called].task_queue for called in called_actions(definition)}


def pinned_actions(definition: Definition, actions: Mapping[tuple[str, int], ActionSpec]) -> dict[str, ActionPin]:
    """What else its runs keep of those actions, whatever becomes of the registered specs."""
    pins = {called: pin_action(actions[called]) for called in called_actions(definition)}
    return {action_key(*called): pin for called, pin in pins.items() if pin is not None}


def definition_invalid(workflow_id: str, findings: list[Finding]) -> ProblemError:
    """422 with everything that is wrong."""
    errors = sum(finding.severity == "error" for finding in findings)
    plural = "" if errors == 1 else "s"
    return ProblemError(
        422,
        "DEFINITION_INVALID",
        f"workflow {workflow_id!r} cannot be published: {errors} error{plural}, listed in findings",
        findings=findings,
    )


async def change_settings(work: Backend, tenant: str, workflow_id: str, changes: Mapping[str, Any]) -> WorkflowRow:
    """Change settings by their Python names, and start what may start now because of it."""
    await work.catalog.change_settings(tenant, workflow_id, changes)
    await start_admitted(work.client, work.runs, await work.runs.admit_waiting(tenant, workflow_id))
    return await work.catalog.get_workflow(tenant, workflow_id)


async def _numbered(work: Backend, tenant: str, workflow_id: str, given: Any, version: int | None) -> dict[str, Any]:
    data = given
    if data is None:
        draft = await work.catalog.get_draft(tenant, workflow_id)
        if draft is None:
            raise ProblemError(
                404, "NOT_FOUND", f"workflow {workflow_id!r} has no draft; save one or send a definition"
            )
        data = draft.definition
    if not isinstance(data, dict):
        raise ProblemError(422, "INVALID_REQUEST", "definition must be an object")
    if data.get("id") != workflow_id:
        raise ProblemError(
            422, "WORKFLOW_ID_MISMATCH", f"the definition's id is {data.get('id')!r}, the path names {workflow_id!r}"
        )
    return data | {"version": version} if version is not None else data
