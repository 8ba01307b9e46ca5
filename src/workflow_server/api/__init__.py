"""The HTTP API: one module per kind of thing, each with its router. Process code only."""

from workflow_server.api import (
    actions,
    bundles,
    dead_letters,
    events,
    ownership,
    runs,
    schemas,
    tasks,
    tenants,
    workflows,
)

ROUTERS = (
    schemas.ROUTER,
    actions.ROUTER,
    workflows.ROUTER,
    runs.ROUTER,
    events.ROUTER,
    dead_letters.ROUTER,
    tasks.ROUTER,
    bundles.ROUTER,
    ownership.ROUTER,
    tenants.ROUTER,
)

__all__ = ["ROUTERS"]
