"""Route of ownership: who should poll each queue, and who does. Process code only."""

from fastapi import APIRouter, Response

from workflow_server.ownership import ownership_table
from workflow_server.requests import Tenant, Work
from workflow_server.wire import json_answer

ROUTER = APIRouter(prefix="/api/ownership", tags=["operation"])


@ROUTER.get("", summary="Task queue, owner by declaration, live pollers, verdict")
async def ownership(tenant: Tenant, work: Work) -> Response:
    """Every declared queue, then the queues that actions of this tenant name."""
    queues = await ownership_table(work.client, await work.action_queues(tenant))
    return json_answer({"queues": queues})
