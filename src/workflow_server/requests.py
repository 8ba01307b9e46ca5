"""What every route takes from a request: the tenant, the backend, page bounds. Process code only."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Query, Request

from workflow_runtime.store.connection import check_tenant
from workflow_server.backend import Backend
from workflow_server.event_metrics import EventMetrics
from workflow_server.problems import ProblemError
from workflow_server.settings import DEFAULT_TENANT


def tenant_of(x_tenant_id: Annotated[str | None, Header()] = None) -> str:
    """The tenant in ``X-Tenant-Id``, which may be UTF-8; ``default`` without it. Raises `InvalidNameError`."""
    return check_tenant(_text(x_tenant_id or DEFAULT_TENANT))


def backend_of(request: Request) -> Backend:
    """The backend. Raises `ProblemError` 503 STARTING while the connections do not stand yet."""
    backend = request.app.state.backend
    if backend is None:
        raise ProblemError(
            503,
            "STARTING",
            "the server is still connecting to Temporal and Redis; /readyz says what is missing",
            headers={"Retry-After": "1"},
        )
    assert isinstance(backend, Backend)
    return backend


def actor_of(x_actor: Annotated[str, Header(max_length=200)] = "api") -> str:
    """Who does it, for the audit: ``X-Actor``, which may be UTF-8."""
    return _text(x_actor)


def event_id_of(event_id: str) -> str:
    """The event id in an address as it is kept: a publisher may write its UUID in capitals."""
    try:
        return str(UUID(event_id))
    except ValueError:
        return event_id


def event_metrics_of(request: Request) -> EventMetrics:
    """The counter of posted events."""
    metrics = request.app.state.event_metrics
    assert isinstance(metrics, EventMetrics)
    return metrics


def _text(header: str) -> str:
    """A header as its sender meant it: UTF-8, or else Latin-1, as which it was read."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


Tenant = Annotated[str, Depends(tenant_of)]
Counted = Annotated[EventMetrics, Depends(event_metrics_of)]
Work = Annotated[Backend, Depends(backend_of)]
EventId = Annotated[str, Depends(event_id_of)]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=1000)]
Actor = Annotated[str, Depends(actor_of)]
Why = Annotated[str, Query(alias="reason", max_length=500, description="why it is done, for the audit")]
Since = Annotated[datetime | None, Query(description="ISO 8601; without a zone it is UTC")]
