"""Routes of events: accept one, list them, explain one. Process code only."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from workflow_runtime.store.events import DeadLetters, NewEvent, accept_event, explain
from workflow_server.event_views import Outcome, chosen, event_explanation, event_summary
from workflow_server.problems import ProblemError
from workflow_server.requests import Actor, Counted, Cursor, EventId, Limit, Tenant, Why, Work
from workflow_server.wire import RequestBody, StrictJsonRoute, json_answer

ROUTER = APIRouter(prefix="/api/events", tags=["events"], route_class=StrictJsonRoute)


class PostedEvent(RequestBody):
    """An event. ``event_id`` (UUID) makes a repetition of the call a duplicate; ``timestamp`` is ISO 8601."""

    event_name: str = Field(min_length=1)
    payload: Any = None
    correlation_key: str | None = None
    event_id: str | None = None
    timestamp: str | None = None
    user_id: str | None = None


@ROUTER.post("", status_code=202, summary="Accept an event: 202 when it is new, 200 when it is a duplicate")
async def post_event(body: PostedEvent, tenant: Tenant, work: Work, counted: Counted) -> Response:
    """Recorded durably before this answers; routing follows."""
    event = NewEvent(
        tenant=tenant,
        event_name=body.event_name,
        payload=body.payload,
        correlation_key=body.correlation_key,
        event_id=body.event_id or str(uuid.uuid4()),
        timestamp=body.timestamp,
        extra={"user_id": body.user_id} if body.user_id else {},
    )
    accepted = await accept_event(work.redis, work.intake, event)
    counted.count(accepted)
    answer = {"eventId": accepted.event_id, "duplicate": accepted.duplicate, "acceptedAt": accepted.accepted_at}
    location = {"Location": f"/api/events/{accepted.event_id}"}
    return json_answer(answer, 200 if accepted.duplicate else 202, headers=location)


@ROUTER.get("", summary="Events accepted within the retention, newest first")
async def list_events(
    tenant: Tenant,
    work: Work,
    limit: Limit = 50,
    cursor: Cursor = None,
    outcome: Outcome | None = None,
    event_name: Annotated[str | None, Query(alias="eventName", max_length=200)] = None,
) -> Response:
    """A page, each event with its outcome and the reason; pass ``nextCursor`` as ``cursor`` for the next one."""
    page = await work.events.list_events(tenant, limit=limit, cursor=cursor, wanted=chosen(outcome, event_name))
    return json_answer({"events": [event_summary(event) for event in page.events], "nextCursor": page.next_cursor})


@ROUTER.get("/{event_id}", summary="What became of an event, and why")
async def explain_event(event_id: EventId, tenant: Tenant, work: Work) -> Response:
    """Keys and where they came from, every trigger and wait considered with the reason, every target with its state."""
    event = await work.events.get(tenant, event_id)
    return json_answer(event_explanation(event, await explain(work.redis, tenant, event_id)))


@ROUTER.post("/{event_id}/retry", status_code=202, summary="Deliver an event again to the targets it failed for")
async def retry_event(event_id: EventId, tenant: Tenant, work: Work, actor: Actor = "api", why: Why = "") -> Response:
    """202 with ``{targets}``, the ids of those tried again; targets that were delivered are left alone.

    409 NOTHING_FAILED when there is none to try. ``X-Actor`` and ``?reason=`` say in the audit who did it and why.
    """
    await work.events.get(tenant, event_id)
    targets = await DeadLetters(work.redis).retry(tenant, event_id, actor=actor, why=why)
    if not targets:
        raise ProblemError(409, "NOTHING_FAILED", f"event {event_id!r} has no failed target: there is nothing to retry")
    return json_answer({"targets": targets}, 202)
