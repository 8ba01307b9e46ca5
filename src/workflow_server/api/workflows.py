"""Routes of workflows: drafts, publishing, versions, settings, starting runs. Process code only."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Header, Response
from pydantic import Field

from workflow_runtime.core.canonical import EXACT_INTEGER
from workflow_runtime.core.definition import Version
from workflow_runtime.core.findings import has_errors
from workflow_runtime.core.validation import id_problem
from workflow_runtime.store.retention import MAX_RETENTION_DAYS
from workflow_server import publishing, starting
from workflow_server.problems import ProblemError, not_found
from workflow_server.requests import Cursor, Limit, Tenant, Work
from workflow_server.schedules import follow_trigger
from workflow_server.wire import RequestBody, StrictJsonRoute, json_answer
from workflow_server.workflow_views import version_view, workflow_summary

ROUTER = APIRouter(prefix="/api/workflows", tags=["workflows"], route_class=StrictJsonRoute)


class SavedDraft(RequestBody):
    """A draft. ``key`` names the workflow in bundles; ``expected_draft_version`` refuses to overwrite another draft."""

    definition: dict[str, Any]
    key: str | None = None
    expected_draft_version: int | None = Field(default=None, ge=0)


class Judged(RequestBody):
    """A definition to judge."""

    definition: Any


class ToPublish(RequestBody):
    """What to publish: a definition or, without one, the draft; ``version`` replaces the number in it."""

    definition: dict[str, Any] | None = None
    version: Version | None = None


class KeptFor(RequestBody):
    """How long ended runs of a workflow are kept, instead of RUN_RETENTION_DAYS."""

    days: int = Field(ge=1, le=MAX_RETENTION_DAYS)


class ChangedSettings(RequestBody):
    """Settings to change; what is left out stays, and null takes back what was set."""

    is_visible: bool = True
    is_paused: bool = False
    concurrency_limit: int | None = Field(default=None, ge=1, lt=EXACT_INTEGER)
    auto_pause_on_failure: bool = False
    failure_rate_threshold: float | None = Field(default=None, gt=0, le=1)
    failure_rate_min_runs: int | None = Field(default=None, ge=1, le=100)
    retention_policy_override: KeptFor | None = None


class ToStart(RequestBody):
    """A start: ``payload`` must fit the version's payload schema, ``version`` is the latest by default."""

    payload: Any = Field(default_factory=dict)
    version: Version | None = None


@ROUTER.post("", summary="Save a draft: 201 when the workflow is new, 200 when it was there")
async def save_draft(body: SavedDraft, tenant: Tenant, work: Work) -> Response:
    """A draft may be invalid; ``findings`` say what stands in the way of publishing it."""
    workflow_id = body.definition.get("id")
    if not isinstance(workflow_id, str) or not workflow_id:
        raise ProblemError(422, "WORKFLOW_ID_MISSING", "the definition needs an id: a text that names the workflow")
    if problem := id_problem(workflow_id):
        raise ProblemError(422, "WORKFLOW_ID_INVALID", problem)
    created = await work.catalog.find_workflow(tenant, workflow_id) is None
    row = await work.catalog.save_draft(
        tenant, workflow_id, body.definition, key=body.key, expected_draft_version=body.expected_draft_version
    )
    _, findings = await publishing.judge(work, tenant, body.definition)
    answer = workflow_summary(row) | {"findings": findings}
    return json_answer(answer, 201 if created else 200, headers=_location("workflows", workflow_id))


@ROUTER.post("/validate", summary="Judge a definition without keeping it")
async def validate(body: Judged, tenant: Tenant, work: Work) -> Response:
    """``{publishable, findings}``."""
    _, findings = await publishing.judge(work, tenant, body.definition)
    return json_answer({"publishable": not has_errors(findings), "findings": findings})


@ROUTER.get("", summary="Workflows in order of id, archived ones included")
async def list_workflows(tenant: Tenant, work: Work, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """A page; pass ``nextCursor`` as ``cursor`` for the next one."""
    page = await work.catalog.list_workflows(tenant, limit=limit, cursor=cursor)
    return json_answer({"workflows": [workflow_summary(row) for row in page.workflows], "nextCursor": page.next_cursor})


@ROUTER.get("/{workflow_id}", summary="A workflow with its draft and the numbers of its versions")
async def get_workflow(workflow_id: str, tenant: Tenant, work: Work) -> Response:
    """``draft`` is null when there is none."""
    row = await work.catalog.get_workflow(tenant, workflow_id)
    draft = await work.catalog.get_draft(tenant, workflow_id)
    answer = workflow_summary(row) | {
        "draft": draft.definition if draft else None,
        "versions": await work.catalog.list_versions(tenant, workflow_id),
        "activeRuns": await work.runs.active_count(tenant, workflow_id),
    }
    return json_answer(answer)


@ROUTER.patch(
    "/{workflow_id}", summary="Change settings: visibility, pause, concurrency limit, pause by failures, retention"
)
async def change_settings(workflow_id: str, body: ChangedSettings, tenant: Tenant, work: Work) -> Response:
    """Resuming or raising the limit starts what was queued, in order."""
    changes = body.model_dump(include=body.model_fields_set)
    return json_answer(workflow_summary(await publishing.change_settings(work, tenant, workflow_id, changes)))


@ROUTER.post("/{workflow_id}/publish", status_code=201, summary="Publish the draft, or the definition in the body")
async def publish(workflow_id: str, tenant: Tenant, work: Work, body: ToPublish | None = None) -> Response:
    """201 with the version and its pins; 422 DEFINITION_INVALID with every finding; 409 VERSION_EXISTS."""
    wanted = body or ToPublish()
    done = await publishing.publish(work, tenant, workflow_id, definition=wanted.definition, version=wanted.version)
    location = _location("workflows", workflow_id, "versions", done.version.version)
    answer = version_view(done.version)
    answer.pop("definition")
    return json_answer(answer | {"findings": done.warnings}, 201, headers=location)


@ROUTER.get("/{workflow_id}/versions", summary="The published versions, without definitions and schemas")
async def list_versions(workflow_id: str, tenant: Tenant, work: Work) -> Response:
    """``{versions: [{version, hash, actionQueues, publishedAt, …}]}``, rising."""
    await work.catalog.get_workflow(tenant, workflow_id)
    numbers = await work.catalog.list_versions(tenant, workflow_id)
    views = [version_view(await work.catalog.get_version(tenant, workflow_id, number)) for number in numbers]
    for view in views:
        view.pop("definition")
        view.pop("pinnedActions")
    return json_answer({"versions": views})


@ROUTER.get("/{workflow_id}/versions/{version}", summary="One published version with its definition")
async def get_version(workflow_id: str, version: int, tenant: Tenant, work: Work) -> Response:
    """Checked against its hash on every read."""
    if version < 1:
        raise not_found("version", str(version), "versions count from 1")
    return json_answer(version_view(await work.catalog.get_version(tenant, workflow_id, version)))


@ROUTER.post("/{workflow_id}/pause", summary="Let starts wait")
async def pause(workflow_id: str, tenant: Tenant, work: Work) -> Response:
    """Runs that are under way go on; new starts are queued, events included."""
    return json_answer(
        workflow_summary(await publishing.change_settings(work, tenant, workflow_id, {"is_paused": True}))
    )


@ROUTER.post("/{workflow_id}/resume", summary="Let starts go on, the queued ones first")
async def resume(workflow_id: str, tenant: Tenant, work: Work) -> Response:
    """Queued starts begin in their order of arrival, as far as the concurrency limit allows."""
    return json_answer(
        workflow_summary(await publishing.change_settings(work, tenant, workflow_id, {"is_paused": False}))
    )


@ROUTER.post("/{workflow_id}/archive", summary="Take no more starts, triggers and versions")
async def archive(workflow_id: str, tenant: Tenant, work: Work) -> Response:
    """Runs that are under way and queued starts go on."""
    await work.catalog.archive(tenant, workflow_id)
    await follow_trigger(work, tenant, workflow_id)
    return json_answer(workflow_summary(await work.catalog.get_workflow(tenant, workflow_id)))


@ROUTER.post("/{workflow_id}/restore", summary="Undo archiving")
async def restore(workflow_id: str, tenant: Tenant, work: Work) -> Response:
    """The trigger of the latest version is live again."""
    await work.catalog.restore(tenant, workflow_id)
    await follow_trigger(work, tenant, workflow_id)
    return json_answer(workflow_summary(await work.catalog.get_workflow(tenant, workflow_id)))


@ROUTER.post("/{workflow_id}/runs", status_code=201, summary="Start a run of a published version")
async def start_run(
    workflow_id: str,
    tenant: Tenant,
    work: Work,
    body: ToStart | None = None,
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)] = None,
) -> Response:
    """201 when it is recorded now; 200 when the same ``Idempotency-Key`` recorded it before.

    With a key the first call decides: later ones answer its run, whatever they carry. ``state`` is admitted (it runs),
    queued (paused or at the limit; it will run) or ended.
    """
    wanted = body or ToStart()
    row, admission = await starting.start_run(
        work, tenant, workflow_id, version=wanted.version, payload=wanted.payload, idempotency_key=idempotency_key
    )
    answer = {
        "runId": row.run_id,
        "workflowId": row.workflow_id,
        "workflowVersion": row.workflow_version,
        "state": admission.state,
    }
    return json_answer(answer, 201 if admission.created else 200, headers=_location("runs", row.run_id))


def _location(*parts: object) -> dict[str, str]:
    """An id may hold any letter; a header may not."""
    return {"Location": "/api/" + "/".join(quote(str(part), safe="") for part in parts)}
