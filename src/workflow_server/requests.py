"""What every route takes from a request: the tenant, the backend, page bounds. Process code only."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Header, Query, Request

from workflow_runtime.store.connection import check_tenant
from workflow_server.backend import Backend
from workflow_server.problems import ProblemError
from workflow_server.settings import DEFAULT_TENANT


def tenant_of(x_tenant_id: Annotated[str | None, Header()] = None) -> str:
    """The tenant in ``X-Tenant-Id``, ``default`` without it. Raises `InvalidNameError` for a malformed one."""
    return check_tenant(x_tenant_id or DEFAULT_TENANT)


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


Tenant = Annotated[str, Depends(tenant_of)]
Work = Annotated[Backend, Depends(backend_of)]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=1000)]
Since = Annotated[datetime | None, Query(description="ISO 8601; without a zone it is UTC")]
