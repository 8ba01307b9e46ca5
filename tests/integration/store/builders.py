"""Rows and records for store tests, with only what a test cares about to be said."""

from typing import Any

from workflow_runtime.core.contract import ActionContext, ActionRequest
from workflow_runtime.core.projection import ProjectionKind, ProjectionRecord
from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.runs import RunRow
from workflow_runtime.store.tasks import TaskRow

TENANT = "acme"
AT = "2026-01-01T00:00:00.000Z"


def run_row(run_id: str, **fields: Any) -> RunRow:
    known: dict[str, Any] = {
        "tenant_id": TENANT,
        "workflow_id": "follow-up",
        "workflow_version": 1,
        "definition_hash": "0" * 64,
    }
    return RunRow(run_id=run_id, **(known | fields))


def record(seq: int, kind: ProjectionKind, key: str, *, at: str = AT, **fields: Any) -> ProjectionRecord:
    return ProjectionRecord(seq=seq, kind=kind, key=key, fields=fields, at=at)


def definition(workflow_id: str = "follow-up", **fields: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "id": workflow_id,
        "version": 1,
        "name": "Follow up",
        "payloadSchemaRef": "payload.Empty.v1",
        "steps": [],
    }
    return known | fields


async def published(catalog: Catalog, workflow_id: str = "follow-up", **fields: Any) -> None:
    await catalog.publish(TENANT, workflow_id, 1, definition(workflow_id, **fields), action_queues={})


def task_row(task_id: str, **fields: Any) -> TaskRow:
    known: dict[str, Any] = {"tenant_id": TENANT, "run_id": "r1", "wait_id": "w1", "step_path": "root.steps[0]"}
    return TaskRow(task_id=task_id, **(known | {"task_type": "approval", "title": "Approve"} | fields))


def action_request(key: str = "acme:r1:root.steps[0]:mail.send:1:ff", **fields: Any) -> ActionRequest:
    context = ActionContext(
        run_id=fields.pop("run_id", "r1"), step_path="root.steps[0]", tenant_id=TENANT, attempt=1, now_iso=AT
    )
    known: dict[str, Any] = {"action_id": "mail.send", "version": 1, "input": {"to": "a@example.org"}}
    return ActionRequest(idempotency_key=key, context=context, **(known | fields))
