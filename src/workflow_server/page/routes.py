"""Routes of the operator page. Every page belongs to the tenant in ``?tenant=``. Process code only."""

from typing import Annotated, Any, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from workflow_runtime.core.contract import run_workflow_id
from workflow_runtime.core.redaction import redact
from workflow_runtime.store.connection import check_tenant, known_tenants
from workflow_runtime.store.events import DeadLetters, explain
from workflow_runtime.store.runs import TERMINAL_STATUSES, RunStatus
from workflow_server.auth import basic_user
from workflow_server.backend import Backend
from workflow_server.event_views import OUTCOMES, Outcome, chosen, event_explanation, event_summary
from workflow_server.ownership import ownership_table
from workflow_server.page.render import asset, html, link
from workflow_server.page.timeline import timeline
from workflow_server.problems import not_found
from workflow_server.requests import Cursor, EventId, Work
from workflow_server.run_views import action_views, run_summary
from workflow_server.settings import DEFAULT_TENANT
from workflow_server.waiting import queued, waiting_for
from workflow_server.workflow_views import workflow_summary

ROUTER = APIRouter(include_in_schema=False)

_REFRESH_SECONDS: Final = 5
_PAGE: Final = 50
_REASON_LENGTH: Final = 500
_TIMELINE: Final = 500
"""Entries shown of a run; a loop over thousands of items is read through the API."""
_ASSETS: Final = {"page.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}


class Frame:
    """What the frame around every page shows: tenant, tenants, image."""

    def __init__(self, tenant: str, tenants: tuple[str, ...], work: Backend) -> None:
        self.tenant = tenant
        self.tenants = tuple(sorted({tenant, DEFAULT_TENANT, *tenants}))
        self.work = work

    def page(self, template: str, active: str, *, http_status: int = 200, **values: Any) -> Response:
        """The template inside the frame."""
        image = self.work.image
        return html(
            template,
            http_status,
            active=active,
            tenant=self.tenant,
            tenants=self.tenants,
            image_name=image.name,
            image_digest=image.digest,
            **values,
        )


async def _frame(work: Work, tenant: Annotated[str | None, Query()] = None) -> Frame:
    return Frame(check_tenant(tenant or DEFAULT_TENANT), await known_tenants(work.redis), work)


InFrame = Annotated[Frame, Depends(_frame)]


@ROUTER.get("/assets/{name}")
async def assets(name: str) -> Response:
    """The style sheet and the icon."""
    if name not in _ASSETS:
        raise not_found("asset", name, "the pages use no other")
    headers = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return Response(asset(name), media_type=_ASSETS[name], headers=headers)


@ROUTER.get("/")
async def home(request: Request) -> Response:
    """The list of runs is the home page."""
    return RedirectResponse(f"/runs?{request.url.query}" if request.url.query else "/runs")


@ROUTER.get("/runs")
async def runs_page(
    frame: InFrame,
    status: RunStatus | None = None,
    workflow: Annotated[str | None, Query()] = None,
    cursor: Cursor = None,
) -> Response:
    """Runs, newest first."""
    runs = frame.work.runs
    page = await runs.list_runs(frame.tenant, workflow_id=workflow, status=status, limit=_PAGE, cursor=cursor)
    return frame.page(
        "runs.html",
        "runs",
        runs=[run_summary(row) for row in page.runs],
        next=page.next_cursor,
        status=status,
        workflow=workflow,
        statuses=[(None, "All"), *await _status_chips(frame)],
        query={name: value for name, value in (("status", status), ("workflow", workflow)) if value},
    )


async def _status_chips(frame: Frame) -> list[tuple[str, str]]:
    counts = await frame.work.runs.count_by_status(frame.tenant)
    return [(status, f"{status.capitalize()} {count}") for status, count in counts.items()]


@ROUTER.get("/runs/{run_id}")
async def run_page(run_id: str, frame: InFrame) -> Response:
    """One run with its timeline."""
    work = frame.work
    detail = await work.runs.run_detail(frame.tenant, run_id)
    if detail is None:
        return _missing(frame, "runs", "There is no such run", "It never existed, or retention has removed it.")
    run = detail.run
    workflow = await work.catalog.find_workflow(frame.tenant, run.workflow_id)
    payload = redact(await work.runs.payload_if_known(frame.tenant, run_id))
    entries = timeline(detail)
    return frame.page(
        "run.html",
        "runs",
        run=run_summary(run) | {"name": workflow.name if workflow else None},
        timeline=entries[-_TIMELINE:],
        omitted=max(len(entries) - _TIMELINE, 0),
        waiting_for=waiting_for(detail, await queued(work.runs, work.catalog, run)),
        documents=[("Payload", payload, False), *await _action_documents(work, frame.tenant, run_id)],
        temporal_url=_temporal_url(work, run_id),
        refresh_seconds=0 if run.status in TERMINAL_STATUSES else _REFRESH_SECONDS,
    )


async def _action_documents(work: Backend, tenant: str, run_id: str) -> list[tuple[str, Any, bool]]:
    entries = action_views(await work.ledger.of_run(tenant, run_id))
    return [(f"{entry['actionId']} at {entry['stepPath']}", entry, False) for entry in entries[:_PAGE]]


def _temporal_url(work: Backend, run_id: str) -> str | None:
    if work.settings.temporal_ui_url is None:
        return None
    base = work.settings.temporal_ui_url.rstrip("/")
    return f"{base}/namespaces/{work.client.namespace}/workflows/{run_workflow_id(run_id)}"


@ROUTER.get("/workflows")
async def workflows_page(frame: InFrame, cursor: Cursor = None) -> Response:
    """Definitions of the tenant."""
    page = await frame.work.catalog.list_workflows(frame.tenant, limit=_PAGE, cursor=cursor)
    triggers = {item.workflow_id: item.trigger for item in await frame.work.catalog.all_triggers(frame.tenant)}
    return frame.page(
        "workflows.html",
        "workflows",
        workflows=[workflow_summary(row) | {"trigger": triggers.get(row.workflow_id)} for row in page.workflows],
        next=page.next_cursor,
    )


@ROUTER.get("/workflows/{workflow_id}")
async def workflow_page(workflow_id: str, frame: InFrame) -> Response:
    """One definition: its versions, its draft, its latest runs."""
    work, tenant = frame.work, frame.tenant
    row = await work.catalog.find_workflow(tenant, workflow_id)
    if row is None:
        return _missing(frame, "workflows", "There is no such definition", "Nobody has saved a draft of it.")
    latest = await work.catalog.get_version(tenant, workflow_id) if row.latest_version else None
    draft = await work.catalog.get_draft(tenant, workflow_id)
    runs = await work.runs.list_runs(tenant, workflow_id=workflow_id, limit=10)
    return frame.page(
        "workflow.html",
        "workflows",
        workflow=workflow_summary(row) | {"trigger": latest.definition.get("trigger") if latest else None},
        versions=await work.catalog.list_versions(tenant, workflow_id),
        latest=latest,
        runs=[run_summary(item) for item in runs.runs],
        documents=[
            *([(f"Version {latest.version}, live", latest.definition, True)] if latest else []),
            *([(f"Draft, revision {draft.draft_version}", draft.definition, latest is None)] if draft else []),
        ],
    )


@ROUTER.get("/events")
async def events_page(frame: InFrame, cursor: Cursor = None, outcome: Outcome | None = None) -> Response:
    """Events within the retention, newest first."""
    events = frame.work.events
    page = await events.list_events(frame.tenant, limit=_PAGE, cursor=cursor, wanted=chosen(outcome, None))
    return frame.page(
        "events.html",
        "events",
        events=[event_summary(item) for item in page.events],
        next=page.next_cursor,
        outcome=outcome,
        outcomes=[(None, "All"), *((item, item.capitalize()) for item in OUTCOMES)],
    )


@ROUTER.get("/events/{event_id}")
async def event_page(event_id: EventId, frame: InFrame) -> Response:
    """What became of one event, and why."""
    found = await frame.work.events.read(frame.tenant, [event_id])
    if not found:
        return _no_event(frame)
    event = event_explanation(found[0], await explain(frame.work.redis, frame.tenant, event_id))
    return frame.page(
        "event.html",
        "events",
        event=event,
        failed=sum(target["status"] == "FAILED" for target in event["targets"]),
        unborn=_unborn(event["targets"]),
        documents=[("Payload", event["payload"], True)],
        refresh_seconds=_REFRESH_SECONDS if event["outcome"] == "ROUTING" else 0,
    )


def _unborn(targets: list[dict[str, Any]]) -> set[str]:
    """Runs that triggers were to start and have not."""
    return {
        row["runId"] for row in targets if row["kind"] == "trigger" and row["status"] not in ("DELIVERED", "QUEUED")
    }


@ROUTER.post("/events/{event_id}/retry")
async def retry_event(event_id: EventId, frame: InFrame, request: Request) -> Response:
    """Deliver the event again to the targets it failed for; then back to its page, which tells."""
    if not await frame.work.events.read(frame.tenant, [event_id]):
        return _no_event(frame)
    actor, why = await person_and_reason(request)
    await DeadLetters(frame.work.redis).retry(frame.tenant, event_id, actor=actor, why=why)
    return RedirectResponse(link(f"/events/{event_id}", frame.tenant), status_code=303)


async def person_and_reason(request: Request) -> tuple[str, str]:
    """Who sent a form and what stands in its field ``reason``, both for the audit."""
    why = (await form_fields(request)).get("reason", "")
    return person(request), " ".join(why.split())[:_REASON_LENGTH]


async def form_fields(request: Request) -> dict[str, str]:
    """The fields of a form that were filled in; of several of one name the first."""
    given = parse_qs((await request.body()).decode(errors="replace"))
    return {name: values[0] for name, values in given.items()}


def person(request: Request) -> str:
    """Who sent a form, as far as the browser says."""
    user = basic_user(request.headers)
    return f"{user} (page)" if user else "page"


def _no_event(frame: Frame) -> Response:
    return _missing(frame, "events", "There is no such event", "It was never accepted, or it is past the retention.")


@ROUTER.get("/ownership")
async def ownership_page(frame: InFrame) -> Response:
    """Who owns each queue and who polls it."""
    queues = await ownership_table(frame.work.client, await frame.work.action_queues(frame.tenant))
    return frame.page("ownership.html", "ownership", queues=[queue.model_dump(by_alias=True) for queue in queues])


def _missing(frame: Frame, active: str, title: str, detail: str) -> Response:
    return frame.page("problem.html", active, http_status=404, title=title, detail=detail)
