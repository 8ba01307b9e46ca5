"""Route of tenants: who there is, for an operator who was not told. Process code only."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from workflow_runtime.store.connection import known_tenants
from workflow_runtime.store.events import tenants_of_event, tenants_with_events
from workflow_server.requests import Work, event_id_of
from workflow_server.wire import StrictJsonRoute, json_answer

ROUTER = APIRouter(prefix="/api/tenants", tags=["tenants"], route_class=StrictJsonRoute)


@ROUTER.get("", summary="Tenants that have data; with eventId those whose ledger has the event")
async def list_tenants(
    work: Work, event_id: Annotated[str | None, Query(alias="eventId", max_length=200)] = None
) -> Response:
    """``{tenants: [name]}``, sorted."""
    tenants = sorted({*await known_tenants(work.redis), *await tenants_with_events(work.redis)})
    if event_id is not None:
        tenants = list(await tenants_of_event(work.redis, tenants, event_id_of(event_id)))
    return json_answer({"tenants": tenants})
