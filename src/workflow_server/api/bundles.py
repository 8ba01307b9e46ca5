"""Routes of bundles: workflows with their past as one document. Process code only."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from workflow_runtime.core.bundle import bundle_text, parse_bundle
from workflow_server.bundles import export_bundle, import_bundle
from workflow_server.requests import Tenant, Work
from workflow_server.wire import StrictJsonRoute, json_answer

ROUTER = APIRouter(prefix="/api/bundles", tags=["bundles"], route_class=StrictJsonRoute)


@ROUTER.get("/export", summary="Workflows as a bundle, in canonical text")
async def export(
    tenant: Tenant,
    work: Work,
    workflow_id: Annotated[list[str] | None, Query(alias="workflowId")] = None,
    exported_at: Annotated[datetime | None, Query(alias="exportedAt")] = None,
) -> Response:
    """All workflows, or those named. With the ``exportedAt`` of an imported bundle, the same bytes come out again."""
    bundle = await export_bundle(work, tenant, workflow_id or [], exported_at or datetime.now(UTC))
    return Response(bundle_text(bundle), media_type="application/json")


@ROUTER.post("/import", summary="Bring in the workflows of a bundle, all or none")
async def import_(request: Request, tenant: Tenant, work: Work, force: bool = False) -> Response:
    """The body is the bundle. Answers ``{workflows: [{key, workflowId, created, draftVersion, addedVersions}]}``.

    409 WORKFLOW_KEY_CONFLICT when one exists, unless ``force``; published versions never change.
    """
    bundle = parse_bundle(await request.body())
    return json_answer({"workflows": await import_bundle(work, tenant, bundle, force=force)})
